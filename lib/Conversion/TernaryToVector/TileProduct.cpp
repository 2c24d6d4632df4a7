//===- TileProduct.cpp - a packed product in AMX's tiles ------------------===//
//
// A tile is 16 rows of 64 bytes. One step of a strip, plane by plane, is rows
// of a tile of weights as tdpbssd takes it: four consecutive columns of 16 rows
// of the matrix. So a strip is decoded to K' / 4 rows, one behind the other,
// and a tile of activations is 16 tokens by 64 columns where they lie.
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
/// and four operands are all tiles there are.
constexpr int64_t blockTiles = 2;

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
        bytesType(VectorType::get(rowBytes, builder.getI8Type())) {}

  void build();

private:
  /// The strips from `first` on, `count` of them, for all tokens.
  void buildGroup(Value first, Value count, Value scratch);
  /// Decodes a strip to the rows of `depth` tiles, from `offset` on.
  void buildDecoding(Value strip, Value scratch, Value offset);
  /// Stores the rows of one step.
  void buildStep(Value strip, Value step, Value scratch, Value offset);
  /// One or two tiles of tokens, from the rows `tokens` on, by `width` strips.
  void buildBlock(ArrayRef<Value> tokens, Value strip, Value inGroup,
                  int64_t width);
  /// The products of one tile's columns, added to the accumulators.
  Tiles buildProducts(ArrayRef<Value> tokens, Value inGroup, int64_t width,
                      Value index, ValueRange sums);

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
  const VectorType bytesType;
  /// Inside an iteration of the loop over groups.
  Memory x, out, weights;
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

void TileProductBuilder::buildStep(Value strip, Value step, Value scratch,
                                   Value offset) {
  Value packed = vector::LoadOp::create(
      b, loc, bytesType, operands.bytes,
      ValueRange{add(mul(strip, steps * rowBytes), mul(step, rowBytes))});
  CodeDecoder decoder(target, layout.getEncoding(), /*inPlace=*/false, packed);
  Value ones = buildSplat(b, loc, bytesType, 1);
  for (int64_t plane = 0; plane < planes; ++plane) {
    Value trits = sub(decoder.getCodes(b, loc, plane), ones);
    Value row = add(mul(step, planes), getIndex(plane));
    // The rows of the last tile end with it, behind those that are 0.
    if (int64_t missing = depth * tileColumns - columns) {
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

void TileProductBuilder::buildDecoding(Value strip, Value scratch,
                                       Value offset) {
  forEach(getIndex(0), getIndex(steps), 1,
          [&](Value step) { buildStep(strip, step, scratch, offset); });
  int64_t first = (depth - 1) * tileRows;
  int64_t missing = (depth * tileColumns - columns) / 4;
  if (missing == 0)
    return;
  forEach(getIndex(first), getIndex(first + missing), 1, [&](Value row) {
    vector::StoreOp::create(b, loc, buildSplat(b, loc, bytesType, 0), scratch,
                            ValueRange{add(offset, mul(row, rowBytes))});
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

Tiles TileProductBuilder::buildProducts(ArrayRef<Value> tokens, Value inGroup,
                                        int64_t width, Value index,
                                        ValueRange sums) {
  Value column = mul(index, tileColumns);
  if (columns % tileColumns != 0)
    column = min(column, getIndex(columns - tileColumns));
  Tiles trits(width), result(sums);
  for (size_t token = 0; token < tokens.size(); ++token) {
    Value activations = loadTile(x, getByte(x, tokens[token], column));
    for (int64_t strip = 0; strip < width; ++strip) {
      if (token == 0) {
        Value first = mul(add(inGroup, getIndex(strip)), depth * tileBytes);
        trits[strip] = loadTile(weights, add(first, mul(index, tileBytes)));
      }
      Value &sum = result[token * width + strip];
      sum = callIntrinsic("llvm.x86.tdpbssd.internal", sum.getType(),
                          {getI16(tileRows), getI16(rowBytes), getI16(rowBytes),
                           sum, activations, trits[strip]});
    }
  }
  return result;
}

void TileProductBuilder::buildBlock(ArrayRef<Value> tokens, Value strip,
                                    Value inGroup, int64_t width) {
  Tiles sums(tokens.size() * width);
  for (Value &sum : sums)
    sum = callIntrinsic("llvm.x86.tilezero.internal",
                        LLVM::LLVMX86AMXType::get(b.getContext()),
                        {getI16(tileRows), getI16(rowBytes)});
  auto loop = scf::ForOp::create(
      b, loc, getIndex(0), getIndex(depth), getIndex(1), sums,
      [&](OpBuilder &, Location, Value index, ValueRange running) {
        scf::YieldOp::create(
            b, loc, buildProducts(tokens, inGroup, width, index, running));
      });
  for (size_t token = 0; token < tokens.size(); ++token)
    for (int64_t i = 0; i < width; ++i) {
      Value byte = mul(add(strip, getIndex(i)), rowBytes);
      Value address = LLVM::GEPOp::create(
          b, loc, out.pointer.getType(), b.getI8Type(), out.pointer,
          ArrayRef<LLVM::GEPArg>{getI64(getByte(out, tokens[token], byte))});
      callIntrinsic("llvm.x86.tilestored64.internal", Type(),
                    {getI16(tileRows), getI16(rowBytes), address,
                     getI64(out.stride), loop.getResult(token * width + i)});
    }
}

void TileProductBuilder::buildGroup(Value first, Value count, Value scratch) {
  Value zero = getIndex(0);
  forEach(zero, count, 1, [&](Value i) {
    buildDecoding(add(first, i), scratch, mul(i, depth * tileBytes));
  });
  x = getMemory(operands.x);
  out = getMemory(operands.out);
  weights = getMemory(scratch);
  weights.stride = getIndex(rowBytes);

  Value tokens = memref::DimOp::create(b, loc, operands.x, 0);
  Value lastTile = sub(tokens, getIndex(tileTokens));
  Value odd = arith::RemUIOp::create(b, loc, count, getIndex(blockTiles));
  Value pairs = sub(count, odd);
  auto buildStrips = [&](ArrayRef<Value> rows) {
    forEach(zero, pairs, blockTiles,
            [&](Value i) { buildBlock(rows, add(first, i), i, blockTiles); });
    if (strips % blockTiles != 0)
      forEach(pairs, count, 1,
              [&](Value i) { buildBlock(rows, add(first, i), i, 1); });
  };
  // Of what is left behind the pairs of tiles, more than a tile is a pair too.
  Value rest =
      arith::RemUIOp::create(b, loc, tokens, getIndex(blockTiles * tileTokens));
  auto compareRest = [&](arith::CmpIPredicate predicate,
                         int64_t limit) -> Value {
    return arith::CmpIOp::create(b, loc, predicate, rest, getIndex(limit));
  };
  Value isPair = compareRest(arith::CmpIPredicate::ugt, tileTokens);
  Value end =
      arith::SelectOp::create(b, loc, isPair, tokens, sub(tokens, rest));
  forEach(zero, end, blockTiles * tileTokens, [&](Value token) {
    buildStrips({token, min(add(token, getIndex(tileTokens)), lastTile)});
  });
  Value isOne =
      arith::AndIOp::create(b, loc, compareRest(arith::CmpIPredicate::ugt, 0),
                            compareRest(arith::CmpIPredicate::ule, tileTokens));
  scf::IfOp::create(b, loc, isOne, [&](OpBuilder &, Location) {
    buildStrips(lastTile);
    scf::YieldOp::create(b, loc);
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
