//===- MixedProduct.cpp - many tokens, by dot products and lookups --------===//

#include "MixedProduct.h"

#include "Codes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace tern::ternary;

/// Tokens and strips whose sums the registers hold: 12 vectors of lanes and 6
/// of words, beside the codes of a plane.
static constexpr int64_t tokensOfBlock = 3, groupStrips = 4;

/// Tokens of a piece, at most, and strips of one. Decoding is paid for by as
/// many tokens' products, a table by 512 to 1,280 rows; the tables, 200 KB, and
/// the sums, 340 KB, stay in the second-level cache.
static constexpr int64_t pieceTokens = 22 * tokensOfBlock;
static constexpr int64_t leastStrips = 32, mostStrips = 80;

/// Steps of a block of columns, at most. Their codes, 1 KiB each, and a block
/// of tokens' tables, 768 bytes each, leave room in the first-level cache; more
/// would overflow sums of words, to which each step adds four lookups and what
/// the codes of up to two planes exceed trits by.
static constexpr int64_t mostSteps = 12;
static_assert(mostSteps * (TripleTables::tables * TripleTables::largest +
                           2 * 4 * 128) <=
                  std::numeric_limits<int16_t>::max(),
              "sums of words overflow");

/// Rows from which on a table is looked up in often enough.
static constexpr int64_t leastRows = 1024;

/// The size of the parts that `total` is cut into: at most `most`, and as few
/// parts as there can be.
static int64_t getPartSize(int64_t total, int64_t most) {
  return llvm::divideCeil(total, llvm::divideCeil(total, most));
}

/// Strips of a piece, whole groups, where rows are cut into at least `pieces`
/// pieces, but for those that would have fewer than `leastStrips`.
static int64_t getPieceStrips(int64_t strips, int64_t pieces) {
  pieces = std::clamp<int64_t>(strips / leastStrips, 1, pieces);
  pieces = std::max<int64_t>(pieces, llvm::divideCeil(strips, mostStrips));
  return llvm::alignTo(llvm::divideCeil(strips, pieces), groupStrips);
}

static SmallVector<int64_t> getDotPlanes(int64_t planes) {
  SmallVector<int64_t> result = {0};
  for (int64_t plane = 4; plane < planes; ++plane)
    result.push_back(plane);
  return result;
}

MixedProductBuilder::MixedProductBuilder(OpBuilder &builder, Location loc,
                                         const VnniTarget &target,
                                         const ProductOperands &operands)
    : ProductBuilder(builder, loc, target, operands.matrix, operands.x,
                     operands.bytes, operands.out),
      vnni(target), triples(builder, loc), dotPlanes(getDotPlanes(planes)),
      wordsType(VectorType::get(TripleTables::words, builder.getI16Type())),
      blockSteps(getPartSize(steps, mostSteps)) {}

bool MixedProductBuilder::isFaster(MatrixType matrix) {
  return matrix.getPaddedRows() >= leastRows && matrix.getPaddedCols() > 0;
}

int64_t MixedProductBuilder::getPairs(const Group &group) {
  return llvm::divideCeil(group.strips, 2);
}

int64_t MixedProductBuilder::getStepBytes(const Group &group) {
  return (static_cast<int64_t>(dotPlanes.size()) * group.strips +
          TripleTables::tables * getPairs(group)) *
         stripBytes;
}

// Tables of a block of tokens lie behind each other as they are used.
Value MixedProductBuilder::getTableOffset(Value token, Value step) {
  constexpr int64_t stepWords =
      TripleTables::tables * tokensOfBlock * TripleTables::words;
  Value size = getIndex(tokensOfBlock);
  Value block = arith::DivUIOp::create(b, loc, token, size);
  Value inBlock = arith::RemUIOp::create(b, loc, token, size);
  return add(add(mul(block, blockSteps * stepWords), mul(step, stepWords)),
             mul(inBlock, TripleTables::words));
}

Value MixedProductBuilder::getSumsColumn(const Group &group, int64_t strip) {
  return mul(add(group.firstStrip, strip), target.lanes);
}

//===----------------------------------------------------------------------===//
// Tables and codes
//===----------------------------------------------------------------------===//

void MixedProductBuilder::buildTables(const Piece &piece,
                                      const Columns &columns) {
  // Of plane 0 and those that are looked up.
  constexpr int64_t width = 4 * (1 + TripleTables::planes);
  auto type = VectorType::get(width, b.getI8Type());
  Value ones = buildSplat(b, loc, codesType, 1);
  forEach(getIndex(0), piece.tokens, 1, [&](Value inPiece) {
    Value token = add(piece.firstToken, inPiece);
    forEach(getIndex(0), columns.steps, 1, [&](Value step) {
      Value column = mul(add(columns.firstStep, step), stepColumns);
      // The other planes' codes are trits plus one: their activations are in
      // each row's sum once too often.
      Value excess = buildSplat(b, loc, accType, 0);
      for (int64_t plane : dotPlanes)
        excess = vnni.buildDot(b, loc, excess, ones,
                               loadActivations(token, add(column, 4 * plane)));
      Value activations =
          vector::LoadOp::create(b, loc, type, x, ValueRange{token, column});
      Value offset = getTableOffset(inPiece, step);
      for (auto [i, table] :
           llvm::enumerate(triples.buildTables(activations, excess)))
        vector::StoreOp::create(
            b, loc, table, piece.tables,
            ValueRange{add(offset, i * tokensOfBlock * TripleTables::words)});
    });
  });
}

void MixedProductBuilder::decode(const Piece &piece, const Columns &columns,
                                 const Group &group) {
  SmallVector<Value> nextOffsets = getNextOffsets(piece, columns, group);
  forEach(getIndex(0), columns.steps, 1, [&](Value step) {
    for (Value offset : nextOffsets)
      prefetch(bytes, add(offset, mul(step, stripBytes)), /*isWrite=*/false,
               /*locality=*/2);
    Value stepOffset = mul(add(columns.firstStep, step), stripBytes);
    Value codesOffset = mul(step, getStepBytes(group));
    int64_t stored = 0;
    auto storeNext = [&](Value vector) {
      vector::StoreOp::create(
          b, loc, buildBitcast(b, loc, vector, 8), piece.codes,
          ValueRange{add(codesOffset, stripBytes * stored++)});
    };
    SmallVector<CodeDecoder> decoders;
    for (int64_t strip = 0; strip < group.strips; ++strip) {
      Value offset = getStripOffset(add(group.firstStrip, strip));
      decoders.emplace_back(target, layout.getEncoding(), /*inPlace=*/false,
                            loadPacked(add(offset, stepOffset)));
    }
    for (int64_t plane : dotPlanes)
      for (CodeDecoder &decoder : decoders)
        storeNext(decoder.getCodes(b, loc, plane));
    // A strip that is left is paired with itself; nobody reads its other sums.
    SmallVector<SmallVector<Value, 4>> indices;
    for (int64_t strip = 0; strip < group.strips; strip += 2) {
      int64_t other = std::min(strip + 1, group.strips - 1);
      indices.push_back(
          triples.buildIndices(decoders[strip].getTriples(b, loc),
                               decoders[other].getTriples(b, loc)));
    }
    for (int64_t table = 0; table < TripleTables::tables; ++table)
      for (const auto &ofPair : indices)
        storeNext(ofPair[table]);
  });
}

// Decoded next are the same columns of the strips behind, or the next columns
// of the piece's first.
SmallVector<Value> MixedProductBuilder::getNextOffsets(const Piece &piece,
                                                       const Columns &columns,
                                                       const Group &group) {
  Value next = add(group.firstStrip, group.strips);
  Value step = add(columns.firstStep, columns.steps);
  Value isLast = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, next,
                                       add(piece.firstStrip, piece.strips));
  next = arith::SelectOp::create(b, loc, isLast, piece.firstStrip, next);
  step = arith::SelectOp::create(b, loc, isLast, step, columns.firstStep);
  SmallVector<Value> offsets;
  for (int64_t strip = 0; strip < groupStrips; ++strip)
    offsets.push_back(
        add(getStripOffset(add(next, strip)), mul(step, stripBytes)));
  return offsets;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace tern::ternary {
/// The operands of one step of a block, loaded when first asked for.
class MixedProductBuilder::Step {
public:
  Step(MixedProductBuilder &product, const Piece &piece, const Group &group,
       Value step, Value column, Value token)
      : product(product), piece(piece),
        codesOffset(product.mul(step, product.getStepBytes(group))),
        tableOffset(product.getTableOffset(token, step)), column(column),
        firstToken(product.add(piece.firstToken, token)),
        codes(product.getStepBytes(group) / product.stripBytes),
        activations(tokensOfBlock * product.planes) {}

  /// Vector `i` of those that decode stores.
  Value getCodes(int64_t i) {
    if (!codes[i])
      codes[i] = vector::LoadOp::create(
          product.b, product.loc, product.codesType, piece.codes,
          ValueRange{product.add(codesOffset, i * product.stripBytes)});
    return codes[i];
  }

  Value getIndices(int64_t i) {
    return buildBitcast(product.b, product.loc, getCodes(i), 16);
  }

  Value getActivations(int64_t token, int64_t plane) {
    Value &result = activations[token * product.planes + plane];
    if (!result)
      result = product.loadActivations(product.add(firstToken, token),
                                       product.add(column, 4 * plane));
    return result;
  }

  Value loadTable(int64_t table, int64_t token) {
    int64_t words = (table * tokensOfBlock + token) * TripleTables::words;
    return vector::LoadOp::create(product.b, product.loc, product.wordsType,
                                  piece.tables,
                                  ValueRange{product.add(tableOffset, words)});
  }

private:
  MixedProductBuilder &product;
  const Piece &piece;
  Value codesOffset, tableOffset, column, firstToken;
  SmallVector<Value> codes, activations;
};
} // namespace tern::ternary

// Each table's lookups take turns with an equal part of the dot products, so
// that neither wait for the other's units.
void MixedProductBuilder::buildStep(const Piece &piece, const Columns &columns,
                                    const Group &group, Value step, Value token,
                                    int64_t tokens, Sums &sums) {
  int64_t pairs = getPairs(group);
  int64_t dots = static_cast<int64_t>(dotPlanes.size()) * group.strips;
  Step operands(*this, piece, group, step,
                mul(add(columns.firstStep, step), stepColumns), token);
  auto multiply = [&](int64_t i, int64_t dot) {
    Value &sum = sums.lanes[i * group.strips + dot % group.strips];
    int64_t plane = dotPlanes[dot / group.strips];
    sum = vnni.buildDot(b, loc, sum, operands.getCodes(dot),
                        operands.getActivations(i, plane));
  };
  for (int64_t table = 0; table < TripleTables::tables; ++table) {
    int64_t firstDot = dots * table / TripleTables::tables;
    int64_t endDot = dots * (table + 1) / TripleTables::tables;
    for (int64_t i = 0; i < tokens; ++i) {
      Value products = operands.loadTable(table, i);
      int64_t dot = firstDot;
      for (int64_t pair = 0; pair < pairs; ++pair) {
        int64_t end = firstDot + (endDot - firstDot) * (pair + 1) / pairs;
        for (; dot < end; ++dot)
          multiply(i, dot);
        Value &sum = sums.words[i * pairs + pair];
        Value indices = operands.getIndices(dots + table * pairs + pair);
        sum = add(sum, triples.buildLookup(products, indices));
      }
    }
  }
}

void MixedProductBuilder::buildBlock(const Piece &piece, const Columns &columns,
                                     const Group &group, Value token,
                                     int64_t tokens) {
  Value firstToken = add(piece.firstToken, token);
  for (int64_t i = 0; i < tokens; ++i)
    for (int64_t strip = 0; strip < group.strips; ++strip)
      prefetch(out, {add(firstToken, i), getSumsColumn(group, strip)},
               /*isWrite=*/true);
  int64_t lanes = tokens * group.strips;
  SmallVector<Value> starts(lanes, buildSplat(b, loc, accType, 0));
  starts.append(tokens * getPairs(group), buildSplat(b, loc, wordsType, 0));
  auto split = [&](ValueRange values) {
    return Sums{SmallVector<Value>(values.take_front(lanes)),
                SmallVector<Value>(values.drop_front(lanes))};
  };
  auto loop = scf::ForOp::create(
      b, loc, getIndex(0), columns.steps, getIndex(1), starts,
      [&](OpBuilder &, Location, Value step, ValueRange values) {
        Sums sums = split(values);
        buildStep(piece, columns, group, step, token, tokens, sums);
        SmallVector<Value> results(sums.lanes);
        llvm::append_range(results, sums.words);
        scf::YieldOp::create(b, loc, results);
      });
  addToMemory(columns, group, firstToken, tokens, split(loop.getResults()));
}

void MixedProductBuilder::addToMemory(const Columns &columns,
                                      const Group &group, Value firstToken,
                                      int64_t tokens, const Sums &sums) {
  Value zeros = buildSplat(b, loc, accType, 0);
  for (int64_t i = 0; i < tokens; ++i)
    for (int64_t strip = 0; strip < group.strips; ++strip) {
      Value token = add(firstToken, i);
      Value before = vector::MaskedLoadOp::create(
          b, loc, accType, out, ValueRange{token, getSumsColumn(group, strip)},
          columns.areLater, zeros);
      Value sum = triples.addStrip(sums.lanes[i * group.strips + strip],
                                   sums.words[i * getPairs(group) + strip / 2],
                                   strip % 2);
      storeSums(add(before, sum), token, add(group.firstStrip, strip));
    }
}

void MixedProductBuilder::buildGroup(const Piece &piece, const Columns &columns,
                                     const Group &group) {
  decode(piece, columns, group);
  Value rest =
      arith::RemUIOp::create(b, loc, piece.tokens, getIndex(tokensOfBlock));
  Value whole = arith::SubIOp::create(b, loc, piece.tokens, rest);
  forEach(getIndex(0), whole, tokensOfBlock, [&](Value token) {
    buildBlock(piece, columns, group, token, tokensOfBlock);
  });
  forEach(whole, piece.tokens, 1,
          [&](Value token) { buildBlock(piece, columns, group, token, 1); });
}

void MixedProductBuilder::forEachGroup(const Piece &piece,
                                       function_ref<void(const Group &)> body) {
  int64_t rest = strips % groupStrips;
  Value inPiece =
      arith::RemUIOp::create(b, loc, piece.strips, getIndex(groupStrips));
  Value end = add(piece.firstStrip, piece.strips);
  Value whole = arith::SubIOp::create(b, loc, end, inPiece);
  forEach(piece.firstStrip, whole, groupStrips,
          [&](Value strip) { body({strip, groupStrips}); });
  if (rest != 0) // in the last piece
    forEach(whole, end, rest, [&](Value strip) { body({strip, rest}); });
}

void MixedProductBuilder::buildPiece(const Piece &piece) {
  forEach(getIndex(0), getIndex(steps), blockSteps, [&](Value firstStep) {
    Value left = arith::SubIOp::create(b, loc, getIndex(steps), firstStep);
    Columns columns;
    columns.firstStep = firstStep;
    columns.steps = arith::MinUIOp::create(b, loc, left, getIndex(blockSteps));
    Value areLater = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                           firstStep, getIndex(0));
    columns.areLater = vector::BroadcastOp::create(
        b, loc, VectorType::get(target.lanes, b.getI1Type()), areLater);
    buildTables(piece, columns);
    forEachGroup(
        piece, [&](const Group &group) { buildGroup(piece, columns, group); });
  });
}

void MixedProductBuilder::build(Value tokens) {
  auto ceilDiv = [&](Value lhs, Value rhs) -> Value {
    return arith::CeilDivUIOp::create(b, loc, lhs, rhs);
  };
  // Parts of equal size, whole blocks; the last may be shorter.
  Value parts = ceilDiv(tokens, getIndex(pieceTokens));
  Value partTokens = ceilDiv(ceilDiv(tokens, parts), getIndex(tokensOfBlock));
  partTokens = mul(partTokens, tokensOfBlock);
  // Four threads have work, whether they share tokens or not.
  Value isOnePart = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                          parts, getIndex(1));
  int64_t ofOnePart = getPieceStrips(strips, 4);
  int64_t ofMany = getPieceStrips(strips, 2);
  Value pieceStrips = arith::SelectOp::create(
      b, loc, isOnePart, getIndex(ofOnePart), getIndex(ofMany));
  Value pieces = arith::SelectOp::create(
      b, loc, isOnePart, getIndex(llvm::divideCeil(strips, ofOnePart)),
      getIndex(llvm::divideCeil(strips, ofMany)));
  Value all = arith::MulIOp::create(b, loc, parts, pieces);
  forEachOnThreads(all, 1, [&](Value index) {
    // Neighbours share tokens.
    Value part = arith::DivUIOp::create(b, loc, index, pieces);
    Value inPart = arith::RemUIOp::create(b, loc, index, pieces);
    Piece piece;
    piece.firstToken = arith::MulIOp::create(b, loc, part, partTokens);
    Value left = arith::SubIOp::create(b, loc, tokens, piece.firstToken);
    piece.tokens = arith::MinUIOp::create(b, loc, left, partTokens);
    piece.firstStrip = arith::MulIOp::create(b, loc, inPart, pieceStrips);
    left = arith::SubIOp::create(b, loc, getIndex(strips), piece.firstStrip);
    piece.strips = arith::MinUIOp::create(b, loc, left, pieceStrips);
    piece.tables = allocate(pieceTokens * blockSteps * TripleTables::tables *
                                TripleTables::words,
                            b.getI16Type());
    piece.codes = allocate(blockSteps * getStepBytes({Value(), groupStrips}),
                           b.getI8Type());
    buildPiece(piece);
    memref::DeallocOp::create(b, loc, piece.tables);
    memref::DeallocOp::create(b, loc, piece.codes);
  });
}
