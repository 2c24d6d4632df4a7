//===- TileProduct.cpp - a packed product in AMX's tiles ------------------===//
//
// A tile is 16 rows of 64 bytes. One step of a strip, plane by plane, is rows
// of a tile of weights as tdpbssd takes it: four consecutive columns of 16 rows
// of the matrix. So a strip is decoded to K' / 4 rows, one behind the other,
// and a tile of activations is 16 tokens by 64 columns where they lie.
//
// The first tiles of tokens, three at most, are multiplied while weights are
// decoded: a chunk of columns after the other, which is read where it was just
// written. The others follow in pairs.
//
// Nothing is read past a row of activations: the last tile covers the last 64
// columns, and its rows of weights for columns that the tile before it covers
// are 0. Likewise the last tile of tokens is the last 16, some computed twice.
//
//===----------------------------------------------------------------------===//

#include "TileProduct.h"

#include "Codes.h"
#include "Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::ternary;

namespace {
constexpr int64_t rowBytes = 64;
constexpr int64_t tileRows = 16;
constexpr int64_t tileBytes = tileRows * rowBytes;
/// Columns of the matrix that a tile covers.
constexpr int64_t tileColumns = 64;
/// Tiles of activations, and at most of weights, of a block: four accumulators
/// and four operands are all tiles there are. (Three by two leave one for each
/// operand.)
constexpr int64_t blockTiles = 2;
/// Steps that are decoded at a time: whole tiles in each encoding, few enough
/// for the first-level cache.
constexpr int64_t chunkSteps = 16;

/// Where the elements of a memref lie.
struct Memory {
  Value pointer;
  /// Bytes from row to row, or null.
  Value stride;
};

/// Accumulators of a block, a row of tokens after the other.
using Tiles = SmallVector<Value>;

class TileProductBuilder {
public:
  TileProductBuilder(OpBuilder &builder, Location loc,
                     const VectorTarget &target,
                     const ProductOperands &operands)
      : b(builder), loc(loc), target(target), operands(operands),
        layout(operands.matrix.getLayout()), planes(layout.getCodesPerByte()),
        columns(operands.matrix.getPaddedCols()),
        steps(columns / layout.getStepColumns()),
        strips(operands.matrix.getPaddedRows() / kernelTile),
        depth(llvm::divideCeil(columns, tileColumns)),
        chunkTiles(chunkSteps * layout.getStepColumns() / tileColumns),
        bytesType(VectorType::get(rowBytes, builder.getI8Type())) {}

  void build();

private:
  /// Strips of a group that are multiplied together.
  struct StripRange {
    Value first;   ///< of the matrix
    Value inGroup; ///< the same, of the group
    int64_t count;
  };

  /// The strips from `first` on, `count` of them, for all tokens.
  void buildGroup(Value first, Value count, Value scratch);
  /// The same for the first of `tiles` tiles of tokens: one, or two or three,
  /// so that pairs are left. Returns how many tokens they are.
  Value buildFirstTiles(Value first, Value count, Value scratch, Value tiles);
  /// Calls `body` for all strips of a group, pairs of them first.
  void forEachStrips(Value first, Value count,
                     function_ref<void(const StripRange &)> body);
  /// Decodes `count` steps of strips, from `first` on. `isEnd`: the last ones.
  void buildDecoding(const StripRange &range, Value scratch, Value first,
                     int64_t count, bool isEnd);
  /// Stores the rows of the last tile that belong to no column of it.
  void buildPadding(const StripRange &range, Value scratch);
  /// Stores the rows of one step of a strip from the byte `offset` on.
  void buildStep(Value packedOffset, Value step, Value scratch, Value offset,
                 bool isEnd);
  /// One or two tiles of tokens, from the rows `tokens` on, by decoded strips.
  void buildBlock(ArrayRef<Value> tokens, const StripRange &range);
  /// Up to three tiles of tokens by strips that are decoded on the way.
  void buildDecodingBlock(ArrayRef<Value> tokens, const StripRange &range,
                          Value scratch);
  Tiles buildZeros(int64_t count);
  /// The products of the tiles' columns from `begin` to `end`, added to `sums`.
  Tiles buildProducts(ArrayRef<Value> tokens, const StripRange &range,
                      Value begin, Value end, ValueRange sums);
  /// The products of one tile's columns, added to the accumulators.
  Tiles buildTile(ArrayRef<Value> tokens, const StripRange &range, Value index,
                  ValueRange sums);
  void storeSums(ArrayRef<Value> tokens, const StripRange &range,
                 ValueRange sums);

  Value callIntrinsic(StringRef name, Type type, ValueRange arguments);
  Value loadTile(const Memory &memory, Value byte);
  Memory getMemory(Value memref);
  /// The byte of `memory` at a row and a byte of it.
  Value getByte(const Memory &memory, Value row, Value byte);
  void forEach(Value begin, Value end, int64_t step,
               function_ref<void(Value)> body);

  Value getIndex(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value getI16(int64_t value) {
    return arith::ConstantIntOp::create(b, loc, value, 16);
  }
  Value getI64(Value index) {
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
  }
  Value add(Value lhs, Value rhs) {
    return arith::AddIOp::create(b, loc, lhs, rhs);
  }
  Value sub(Value lhs, Value rhs) {
    return arith::SubIOp::create(b, loc, lhs, rhs);
  }
  Value mul(Value lhs, Value rhs) {
    return arith::MulIOp::create(b, loc, lhs, rhs);
  }
  Value mul(Value lhs, int64_t rhs) { return mul(lhs, getIndex(rhs)); }
  Value min(Value lhs, Value rhs) {
    return arith::MinUIOp::create(b, loc, lhs, rhs);
  }

  OpBuilder &b;
  const Location loc;
  const VectorTarget &target;
  const ProductOperands operands;
  const LayoutAttr layout;
  const int64_t planes;
  const int64_t columns;
  const int64_t steps;
  const int64_t strips;
  /// Tiles that cover all columns.
  const int64_t depth;
  const int64_t chunkTiles;
  const VectorType bytesType;
  /// Inside an iteration of the loop over groups.
  Memory x, out, weights;
  Value lastTile; ///< the token from which on it is
};
} // namespace

//===----------------------------------------------------------------------===//
// Memory and intrinsics
//===----------------------------------------------------------------------===//

Value TileProductBuilder::callIntrinsic(StringRef name, Type type,
                                        ValueRange arguments) {
  StringAttr intrinsic = b.getStringAttr(name);
  if (type)
    return LLVM::CallIntrinsicOp::create(b, loc, type, intrinsic, arguments)
        .getResult(0);
  LLVM::CallIntrinsicOp::create(b, loc, intrinsic, arguments);
  return Value();
}

Memory TileProductBuilder::getMemory(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  int64_t elementBytes = type.getElementTypeBitWidth() / 8;
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, memref);
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memref);
  base = add(base, mul(metadata.getOffset(), elementBytes));
  Value pointer = LLVM::IntToPtrOp::create(
      b, loc, LLVM::LLVMPointerType::get(b.getContext()), getI64(base));
  if (type.getRank() == 1)
    return {pointer, Value()};
  return {pointer, mul(metadata.getStrides()[0], elementBytes)};
}

Value TileProductBuilder::getByte(const Memory &memory, Value row, Value byte) {
  return add(mul(row, memory.stride), byte);
}

Value TileProductBuilder::loadTile(const Memory &memory, Value byte) {
  Value address =
      LLVM::GEPOp::create(b, loc, memory.pointer.getType(), b.getI8Type(),
                          memory.pointer, ArrayRef<LLVM::GEPArg>{getI64(byte)});
  return callIntrinsic(
      "llvm.x86.tileloadd64.internal",
      LLVM::LLVMX86AMXType::get(b.getContext()),
      {getI16(tileRows), getI16(rowBytes), address, getI64(memory.stride)});
}

void TileProductBuilder::forEach(Value begin, Value end, int64_t step,
                                 function_ref<void(Value)> body) {
  scf::ForOp::create(b, loc, begin, end, getIndex(step), ValueRange(),
                     [&](OpBuilder &, Location, Value i, ValueRange) {
                       body(i);
                       scf::YieldOp::create(b, loc);
                     });
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

void TileProductBuilder::buildStep(Value packedOffset, Value step,
                                   Value scratch, Value offset, bool isEnd) {
  Value packed = vector::LoadOp::create(b, loc, bytesType, operands.bytes,
                                        ValueRange{packedOffset});
  CodeDecoder decoder(target, layout.getEncoding(), /*inPlace=*/false, packed);
  Value ones = buildSplat(b, loc, bytesType, 1);
  for (int64_t plane = 0; plane < planes; ++plane) {
    Value trits = sub(decoder.getCodes(b, loc, plane), ones);
    Value row = add(mul(step, planes), getIndex(plane));
    // The rows of the last tile end with it, behind those that are 0.
    int64_t missing = depth * tileColumns - columns;
    if (isEnd && missing != 0) {
      Value isInLastTile =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, row,
                                getIndex((depth - 1) * tileRows));
      Value moved = add(row, getIndex(missing / 4));
      row = arith::SelectOp::create(b, loc, isInLastTile, moved, row);
    }
    vector::StoreOp::create(b, loc, trits, scratch,
                            ValueRange{add(offset, mul(row, rowBytes))});
  }
}

void TileProductBuilder::buildDecoding(const StripRange &range, Value scratch,
                                       Value first, int64_t count, bool isEnd) {
  SmallVector<Value> packed, decoded;
  for (int64_t i = 0; i < range.count; ++i) {
    packed.push_back(mul(add(range.first, getIndex(i)), steps * rowBytes));
    decoded.push_back(mul(add(range.inGroup, getIndex(i)), depth * tileBytes));
  }
  forEach(first, add(first, getIndex(count)), 1, [&](Value step) {
    for (int64_t i = 0; i < range.count; ++i) {
      Value offset = add(packed[i], mul(step, rowBytes));
      // The same step of the strips that come next.
      memref::PrefetchOp::create(
          b, loc, operands.bytes,
          ValueRange{add(offset, getIndex(range.count * steps * rowBytes))},
          /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
      buildStep(offset, step, scratch, decoded[i], isEnd);
    }
  });
}

// Before there are accumulators: a call of memset would have them stored.
void TileProductBuilder::buildPadding(const StripRange &range, Value scratch) {
  int64_t missing = (depth * tileColumns - columns) / 4;
  if (missing == 0)
    return;
  int64_t begin = (depth - 1) * tileRows;
  forEach(getIndex(begin), getIndex(begin + missing), 1, [&](Value row) {
    for (int64_t i = 0; i < range.count; ++i) {
      Value offset = mul(add(range.inGroup, getIndex(i)), depth * tileBytes);
      vector::StoreOp::create(b, loc, buildSplat(b, loc, bytesType, 0), scratch,
                              ValueRange{add(offset, mul(row, rowBytes))});
    }
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

Tiles TileProductBuilder::buildZeros(int64_t count) {
  Tiles sums(count);
  for (Value &sum : sums)
    sum = callIntrinsic("llvm.x86.tilezero.internal",
                        LLVM::LLVMX86AMXType::get(b.getContext()),
                        {getI16(tileRows), getI16(rowBytes)});
  return sums;
}

// Each tile of tokens is loaded once: its rows may lie across cache lines. With
// three of them, and six accumulators, there is no register to keep the weights
// in, which are in the nearest cache.
Tiles TileProductBuilder::buildTile(ArrayRef<Value> tokens,
                                    const StripRange &range, Value index,
                                    ValueRange sums) {
  Value column = mul(index, tileColumns);
  if (columns % tileColumns != 0)
    column = min(column, getIndex(columns - tileColumns));
  Tiles trits(range.count), result(sums);
  bool areKept = tokens.size() <= blockTiles;
  for (size_t token = 0; token < tokens.size(); ++token) {
    Value activations = loadTile(x, getByte(x, tokens[token], column));
    for (int64_t strip = 0; strip < range.count; ++strip) {
      if (token == 0 || !areKept) {
        Value first =
            mul(add(range.inGroup, getIndex(strip)), depth * tileBytes);
        trits[strip] = loadTile(weights, add(first, mul(index, tileBytes)));
      }
      Value &sum = result[token * range.count + strip];
      sum = callIntrinsic("llvm.x86.tdpbssd.internal", sum.getType(),
                          {getI16(tileRows), getI16(rowBytes), getI16(rowBytes),
                           sum, activations, trits[strip]});
    }
  }
  return result;
}

Tiles TileProductBuilder::buildProducts(ArrayRef<Value> tokens,
                                        const StripRange &range, Value begin,
                                        Value end, ValueRange sums) {
  auto loop = scf::ForOp::create(
      b, loc, begin, end, getIndex(1), sums,
      [&](OpBuilder &, Location, Value index, ValueRange running) {
        scf::YieldOp::create(b, loc, buildTile(tokens, range, index, running));
      });
  return Tiles(loop.getResults());
}

void TileProductBuilder::storeSums(ArrayRef<Value> tokens,
                                   const StripRange &range, ValueRange sums) {
  for (size_t token = 0; token < tokens.size(); ++token)
    for (int64_t i = 0; i < range.count; ++i) {
      Value byte = mul(add(range.first, getIndex(i)), rowBytes);
      Value address = LLVM::GEPOp::create(
          b, loc, out.pointer.getType(), b.getI8Type(), out.pointer,
          ArrayRef<LLVM::GEPArg>{getI64(getByte(out, tokens[token], byte))});
      callIntrinsic("llvm.x86.tilestored64.internal", Type(),
                    {getI16(tileRows), getI16(rowBytes), address,
                     getI64(out.stride), sums[token * range.count + i]});
    }
}

void TileProductBuilder::buildBlock(ArrayRef<Value> tokens,
                                    const StripRange &range) {
  Tiles sums = buildProducts(tokens, range, getIndex(0), getIndex(depth),
                             buildZeros(tokens.size() * range.count));
  storeSums(tokens, range, sums);
}

void TileProductBuilder::buildDecodingBlock(ArrayRef<Value> tokens,
                                            const StripRange &range,
                                            Value scratch) {
  buildPadding(range, scratch);
  int64_t chunks = steps / chunkSteps;
  Tiles sums = buildZeros(tokens.size() * range.count);
  auto loop = scf::ForOp::create(
      b, loc, getIndex(0), getIndex(chunks), getIndex(1), sums,
      [&](OpBuilder &, Location, Value chunk, ValueRange running) {
        buildDecoding(range, scratch, mul(chunk, chunkSteps), chunkSteps,
                      /*isEnd=*/false);
        Value begin = mul(chunk, chunkTiles);
        scf::YieldOp::create(b, loc,
                             buildProducts(tokens, range, begin,
                                           add(begin, getIndex(chunkTiles)),
                                           running));
      });
  sums = Tiles(loop.getResults());
  if (int64_t rest = steps % chunkSteps) {
    buildDecoding(range, scratch, getIndex(chunks * chunkSteps), rest,
                  /*isEnd=*/true);
    sums = buildProducts(tokens, range, getIndex(chunks * chunkTiles),
                         getIndex(depth), sums);
  }
  storeSums(tokens, range, sums);
}

void TileProductBuilder::forEachStrips(
    Value first, Value count, function_ref<void(const StripRange &)> body) {
  Value odd = arith::RemUIOp::create(b, loc, count, getIndex(blockTiles));
  Value pairs = sub(count, odd);
  forEach(getIndex(0), pairs, blockTiles,
          [&](Value i) { body({add(first, i), i, blockTiles}); });
  if (strips % blockTiles != 0)
    forEach(pairs, count, 1, [&](Value i) { body({add(first, i), i, 1}); });
}

Value TileProductBuilder::buildFirstTiles(Value first, Value count,
                                          Value scratch, Value tiles) {
  auto buildTiles = [&](int64_t number) {
    SmallVector<Value> rows;
    for (int64_t i = 0; i < number; ++i)
      rows.push_back(min(getIndex(i * tileTokens), lastTile));
    forEachStrips(first, count, [&](const StripRange &range) {
      buildDecodingBlock(rows, range, scratch);
    });
  };
  Value isOne = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, tiles,
                                      getIndex(1));
  Value odd = arith::RemUIOp::create(b, loc, tiles, getIndex(blockTiles));
  Value several = add(odd, getIndex(blockTiles));
  Value number = arith::SelectOp::create(b, loc, isOne, getIndex(1), several);
  auto choice = scf::IndexSwitchOp::create(b, loc, TypeRange(), number,
                                           ArrayRef<int64_t>{1, 2}, 2);
  Region *regions[] = {&choice.getCaseRegions()[0], &choice.getCaseRegions()[1],
                       &choice.getDefaultRegion()};
  for (auto [i, region] : llvm::enumerate(regions)) {
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(region);
    buildTiles(i + 1);
    scf::YieldOp::create(b, loc);
  }
  return mul(number, tileTokens);
}

void TileProductBuilder::buildGroup(Value first, Value count, Value scratch) {
  x = getMemory(operands.x);
  out = getMemory(operands.out);
  weights = getMemory(scratch);
  weights.stride = getIndex(rowBytes);

  Value tokens = memref::DimOp::create(b, loc, operands.x, 0);
  lastTile = sub(tokens, getIndex(tileTokens));
  Value tiles =
      arith::CeilDivUIOp::create(b, loc, tokens, getIndex(tileTokens));
  Value done = buildFirstTiles(first, count, scratch, tiles);
  forEach(done, tokens, blockTiles * tileTokens, [&](Value token) {
    Value next = min(add(token, getIndex(tileTokens)), lastTile);
    forEachStrips(first, count, [&](const StripRange &range) {
      buildBlock({token, next}, range);
    });
  });
}

/// Strips that one thread decodes at a time. More of them read the activations
/// from the second-level cache less often; fewer can be shared out evenly.
static int64_t getGroupStrips(int64_t strips) { return strips < 128 ? 4 : 8; }

void TileProductBuilder::build() {
  int64_t groupStrips = std::min(strips, getGroupStrips(strips));
  scf::ParallelOp::create(
      b, loc, getIndex(0), getIndex(strips), getIndex(groupStrips),
      [&](OpBuilder &, Location, ValueRange first) {
        auto type =
            MemRefType::get(groupStrips * depth * tileBytes, b.getI8Type());
        Value scratch = memref::AllocOp::create(b, loc, type, ValueRange(),
                                                b.getI64IntegerAttr(rowBytes));
        Value rest = sub(getIndex(strips), first[0]);
        buildGroup(first[0], min(rest, getIndex(groupStrips)), scratch);
        memref::DeallocOp::create(b, loc, scratch);
      });
}

bool tern::ternary::canTile(MatrixType matrix) {
  return matrix.getPaddedCols() >= tileColumns;
}

void tern::ternary::buildTileProduct(OpBuilder &builder, Location loc,
                                     const VectorTarget &target,
                                     const ProductOperands &operands) {
  TileProductBuilder(builder, loc, target, operands).build();
}
