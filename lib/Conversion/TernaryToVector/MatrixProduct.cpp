//===- MatrixProduct.cpp - the product of many tokens ---------------------===//

#include "MatrixProduct.h"

#include "Codes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::ternary;

/// Tokens of a piece: decoding is paid for by as many products, and their
/// activations are below 1 MiB for up to 8,192 columns.
static constexpr int64_t pieceTokens = 128;

/// Columns that are decoded at a time: with 48 rows 24 KiB of codes.
static constexpr int64_t blockColumns = 512;

/// Accumulators that keep two units of a latency of four or five cycles busy.
static constexpr int64_t busyAccumulators = 10;

namespace tern::ternary {
/// The operands of a decoded step.
class MatrixProductBuilder::Step : public StepOperands {
public:
  Step(MatrixProductBuilder &product, const Piece &piece, Value firstToken,
       int64_t blockTokens, Value codesOffset, Value column)
      : product(product), piece(piece), firstToken(firstToken),
        codesOffset(codesOffset), column(column),
        codes(piece.strips * product.planes),
        activations(blockTokens * product.planes) {
    tokens = blockTokens;
    strips = piece.strips;
    planes = product.planes;
  }

  Value getCodes(int64_t strip, int64_t plane) override {
    Value &result = codes[strip * planes + plane];
    if (!result) {
      int64_t offset = (strip * planes + plane) * product.stripBytes;
      result = vector::LoadOp::create(
          product.b, product.loc, product.codesType, piece.codes,
          ValueRange{product.add(codesOffset, offset)});
    }
    return result;
  }

  Value getActivations(int64_t token, int64_t plane) override {
    Value &result = activations[token * planes + plane];
    if (!result)
      result = product.loadActivations(product.add(firstToken, token),
                                       product.add(column, 4 * plane));
    return result;
  }

private:
  MatrixProductBuilder &product;
  const Piece &piece;
  Value firstToken, codesOffset, column;
  SmallVector<Value> codes, activations;
};
} // namespace tern::ternary

MatrixProductBuilder::MatrixProductBuilder(OpBuilder &builder, Location loc,
                                           const VectorTarget &target,
                                           MatrixType matrix, Value x,
                                           Value bytes, Value out)
    : ProductBuilder(builder, loc, target, matrix, x, bytes, out),
      blockSteps(
          std::max<int64_t>(1, std::min(steps, blockColumns / stepColumns))) {}

Value MatrixProductBuilder::getSumOffset(const Piece &piece, Value token,
                                         int64_t strip) {
  return add(mul(token, piece.strips * target.lanes), strip * target.lanes);
}

Value MatrixProductBuilder::getCodesOffset(const Piece &piece, Value step) {
  return mul(step, piece.strips * planes * stripBytes);
}

void MatrixProductBuilder::decode(const Piece &piece, const Columns &columns) {
  SmallVector<Value> offsets;
  for (int64_t strip = 0; strip < piece.strips; ++strip)
    offsets.push_back(getStripOffset(add(piece.firstStrip, strip)));
  forEach(getIndex(0), columns.steps, 1, [&](Value step) {
    Value stepOffset =
        mul(add(columns.firstStep, step), stripsPerTile * stripBytes);
    for (int64_t strip = 0; strip < piece.strips; ++strip) {
      Value offset = add(offsets[strip], stepOffset);
      if (strip % stripsPerTile == 0)
        prefetchAhead(offset, /*stream=*/0);
      CodeDecoder decoder(target, layout.getEncoding(), /*inPlace=*/false,
                          loadPacked(offset));
      for (int64_t plane = 0; plane < planes; ++plane)
        vector::StoreOp::create(
            b, loc, decoder.getCodes(b, loc, plane), piece.codes,
            ValueRange{add(getCodesOffset(piece, step),
                           (strip * planes + plane) * stripBytes)});
    }
  });
}

void MatrixProductBuilder::prefetchPacked(const Piece &piece, Value token,
                                          Value firstStep) {
  // Each block of tokens fetches its share of the steps that are decoded two
  // blocks of columns later. Fetched all at once, just before they are decoded,
  // they would have to wait for each other.
  int64_t share =
      llvm::divideCeil(blockSteps, pieceTokens / target.blockTokens);
  int64_t tiles = std::max<int64_t>(1, piece.strips / stripsPerTile);
  int64_t stepBytes = stripsPerTile * stripBytes;
  Value step = add(firstStep, 2 * blockSteps);
  Value isInPiece = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                          step, getIndex(steps));
  // Behind a tile's steps are those of the next tile. The next piece's are as
  // many tiles further as a piece has.
  Value otherTiles =
      arith::SelectOp::create(b, loc, isInPiece, getIndex(0),
                              getIndex((tiles - 1) * steps * stepBytes));
  Value block =
      arith::DivUIOp::create(b, loc, token, getIndex(target.blockTokens));
  Value inTile = add(otherTiles, mul(add(step, mul(block, share)), stepBytes));
  for (int64_t tile = 0; tile < tiles; ++tile) {
    Value strip = add(piece.firstStrip, tile * stripsPerTile);
    Value offset = add(getStripOffset(strip), inTile);
    for (int64_t i = 0; i < share; ++i)
      prefetch(bytes, add(offset, i * stepBytes), /*isWrite=*/false);
  }
}

void MatrixProductBuilder::prefetchOut(const Piece &piece, Value token,
                                       int64_t blockTokens) {
  for (int64_t i = 0; i < blockTokens; ++i)
    for (int64_t strip = 0; strip < piece.strips; ++strip) {
      Value row = add(add(piece.firstToken, token), i);
      Value column = mul(add(piece.firstStrip, strip), target.lanes);
      prefetch(out, {row, column}, /*isWrite=*/true);
    }
}

void MatrixProductBuilder::buildBlock(const Piece &piece, Value token,
                                      int64_t blockTokens,
                                      const Columns &columns) {
  Accumulators accumulators;
  accumulators.strips = piece.strips;
  accumulators.ways = 1;
  while (target.hasWideDot() && accumulators.ways < planes &&
         blockTokens * piece.strips * accumulators.ways < busyAccumulators)
    ++accumulators.ways;

  for (int64_t i = 0; i < blockTokens; ++i)
    for (int64_t strip = 0; strip < piece.strips; ++strip) {
      accumulators.values.push_back(vector::LoadOp::create(
          b, loc, accType, piece.sums,
          ValueRange{getSumOffset(piece, add(token, i), strip)}));
      accumulators.values.append(accumulators.ways - 1,
                                 buildSplat(b, loc, accType, 0));
    }
  Value firstToken = add(piece.firstToken, token);
  if (blockTokens == target.blockTokens)
    prefetchPacked(piece, token, columns.firstStep);
  scf::IfOp::create(b, loc, columns.areLast, [&](OpBuilder &, Location) {
    prefetchOut(piece, token, blockTokens);
    scf::YieldOp::create(b, loc);
  });
  auto loop = scf::ForOp::create(
      b, loc, getIndex(0), columns.steps, getIndex(1), accumulators.values,
      [&](OpBuilder &, Location, Value step, ValueRange sums) {
        accumulators.values.assign(sums.begin(), sums.end());
        Step operands(*this, piece, firstToken, blockTokens,
                      getCodesOffset(piece, step),
                      mul(add(columns.firstStep, step), stepColumns));
        target.buildStep(b, loc, operands, accumulators);
        scf::YieldOp::create(b, loc, accumulators.values);
      });
  accumulators.values.assign(loop->result_begin(), loop->result_end());
  storeBlock(piece, token, blockTokens, accumulators, columns.areLast);
}

void MatrixProductBuilder::storeBlock(const Piece &piece, Value token,
                                      int64_t blockTokens,
                                      Accumulators &accumulators,
                                      Value areFinal) {
  auto storeAll = [&](function_ref<void(Value, Value, int64_t)> store) {
    for (int64_t i = 0; i < blockTokens; ++i)
      for (int64_t strip = 0; strip < piece.strips; ++strip) {
        Value sum = accumulators.get(i, strip, 0);
        for (int64_t way = 1; way < accumulators.ways; ++way)
          sum = add(sum, accumulators.get(i, strip, way));
        store(sum, add(token, i), strip);
      }
    scf::YieldOp::create(b, loc);
  };
  scf::IfOp::create(
      b, loc, areFinal,
      [&](OpBuilder &, Location) {
        storeAll([&](Value sum, Value row, int64_t strip) {
          storeSums(sum, add(piece.firstToken, row),
                    add(piece.firstStrip, strip));
        });
      },
      [&](OpBuilder &, Location) {
        storeAll([&](Value sum, Value row, int64_t strip) {
          vector::StoreOp::create(b, loc, sum, piece.sums,
                                  ValueRange{getSumOffset(piece, row, strip)});
        });
      });
}

void MatrixProductBuilder::forEachBlock(
    Value tokens, function_ref<void(Value, int64_t)> body) {
  Value size = getIndex(target.blockTokens);
  Value rest = arith::RemUIOp::create(b, loc, tokens, size);
  Value done = arith::SubIOp::create(b, loc, tokens, rest);
  forEach(getIndex(0), done, target.blockTokens,
          [&](Value token) { body(token, target.blockTokens); });
  for (int64_t count = target.blockTokens / 2; count > 0; count /= 2) {
    Value bit = arith::AndIOp::create(b, loc, tokens, getIndex(count));
    Value isNeeded = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                           bit, getIndex(0));
    scf::IfOp::create(b, loc, isNeeded, [&](OpBuilder &, Location) {
      body(done, count);
      scf::YieldOp::create(b, loc);
    });
    done = add(done, bit);
  }
}

void MatrixProductBuilder::buildPiece(const Piece &piece, Value rowSums) {
  Value zero = getIndex(0);
  // Sums start at what is to be taken off for codes being trits plus one.
  forEach(zero, piece.tokens, 1, [&](Value token) {
    Value rowSum = memref::LoadOp::create(
        b, loc, rowSums, ValueRange{add(piece.firstToken, token)});
    Value start = arith::SubIOp::create(b, loc, buildSplat(b, loc, accType, 0),
                                        broadcast(rowSum));
    for (int64_t strip = 0; strip < piece.strips; ++strip)
      vector::StoreOp::create(b, loc, start, piece.sums,
                              ValueRange{getSumOffset(piece, token, strip)});
  });
  // Once for a matrix without columns, whose sums are to be stored too.
  Value end = getIndex(std::max<int64_t>(1, steps));
  forEach(zero, end, blockSteps, [&](Value firstStep) {
    Value left = arith::SubIOp::create(b, loc, getIndex(steps), firstStep);
    Columns columns;
    columns.firstStep = firstStep;
    columns.steps = arith::MinUIOp::create(b, loc, left, getIndex(blockSteps));
    columns.areLast = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule,
                                            left, getIndex(blockSteps));
    decode(piece, columns);
    forEachBlock(piece.tokens, [&](Value token, int64_t size) {
      buildBlock(piece, token, size, columns);
    });
  });
}

Value MatrixProductBuilder::buildRowSums(Value tokens) {
  Value rowSums = memref::AllocOp::create(
      b, loc, MemRefType::get(ShapedType::kDynamic, b.getI32Type()), tokens);
  forEach(getIndex(0), tokens, 1, [&](Value token) {
    memref::StoreOp::create(b, loc, buildRowSum(token), rowSums, token);
  });
  return rowSums;
}

void MatrixProductBuilder::build(Value tokens) {
  Value rowSums = buildRowSums(tokens);
  // Groups of strips are whole tiles, so that no two threads read one.
  int64_t blockStrips = std::min(target.blockStrips, strips);
  int64_t groupStrips = std::max(blockStrips, stripsPerTile);
  int64_t groups = llvm::divideCeil(strips, groupStrips);
  Value parts =
      arith::CeilDivUIOp::create(b, loc, tokens, getIndex(pieceTokens));
  forEachOnThreads(mul(parts, groups), 1, [&](Value index) {
    // Neighbours share tokens.
    Value part = arith::DivUIOp::create(b, loc, index, getIndex(groups));
    Value group = arith::RemUIOp::create(b, loc, index, getIndex(groups));
    Piece piece;
    piece.firstToken = mul(part, pieceTokens);
    Value left = arith::SubIOp::create(b, loc, tokens, piece.firstToken);
    piece.tokens = arith::MinUIOp::create(b, loc, left, getIndex(pieceTokens));
    piece.codes =
        allocate(blockSteps * blockStrips * planes * stripBytes, b.getI8Type());
    piece.sums =
        allocate(pieceTokens * blockStrips * target.lanes, b.getI32Type());
    Value firstStrip = mul(group, groupStrips);
    auto buildStrips = [&](Value first, int64_t count) {
      piece.firstStrip = first;
      piece.strips = count;
      buildPiece(piece, rowSums);
    };
    auto buildGroup = [&] {
      forEach(firstStrip, add(firstStrip, groupStrips), blockStrips,
              [&](Value strip) { buildStrips(strip, blockStrips); });
    };
    int64_t rest = strips % groupStrips;
    if (rest == 0) {
      buildGroup();
    } else {
      Value isWhole =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, group,
                                getIndex(strips / groupStrips));
      scf::IfOp::create(
          b, loc, isWhole,
          [&](OpBuilder &, Location) {
            buildGroup();
            scf::YieldOp::create(b, loc);
          },
          [&](OpBuilder &, Location) {
            buildStrips(firstStrip, rest);
            scf::YieldOp::create(b, loc);
          });
    }
    memref::DeallocOp::create(b, loc, piece.codes);
    memref::DeallocOp::create(b, loc, piece.sums);
  });
  memref::DeallocOp::create(b, loc, rowSums);
}
