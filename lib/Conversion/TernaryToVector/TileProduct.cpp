//===- TileProduct.cpp - a packed product in AMX's tiles ------------------===//
//
// A tile is up to 16 rows of 64 bytes. One step of a strip, plane by plane, is
// rows of a tile of weights as tdpbssd takes it: four consecutive columns of 16
// rows of the matrix. So a strip is decoded to K' / 4 rows, one behind the
// other, and a tile of activations is some tokens by 64 columns where they lie.
//
// The columns are cut into blocks. A block of two strips is decoded into memory
// that the first-level cache holds, and multiplied by all tokens; sums wait in
// memory for the next block.
//
// Tokens are cut into tiles of equal height, so that a few more than fill some
// tiles cost little. Nothing is read past a row of activations or their end:
// the last tile covers the last 64 columns, and its rows of weights for columns
// that the tile before it covers are 0. Likewise the last tile of tokens is the
// last ones, some computed twice.
//
//===----------------------------------------------------------------------===//

#include "TileProduct.h"

#include "Codes.h"
#include "Kernel.h"
#include "TileRegisters.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::ternary;

namespace {
constexpr int64_t rowBytes = TileRegisters::rowBytes;
constexpr int64_t tileRows = TileRegisters::rows;
constexpr int64_t tileBytes = TileRegisters::bytes;
/// Columns of the matrix that a tile covers.
constexpr int64_t tileColumns = 64;
/// Tiles of activations, and of weights, of a block of sums: four sums and
/// their operands are all registers there are.
constexpr int64_t blockTiles = 2;
/// Tiles of a block of columns: whole steps in each encoding. Two strips of
/// them, 20 KiB, leave the first-level cache room for activations.
constexpr int64_t blockDepth = 10;
/// Tiles of tokens whose sums are kept for the next block of columns.
constexpr int64_t pieceTiles = 32;

/// The registers of a block of sums.
constexpr int64_t getSum(int64_t token, int64_t strip) {
  return token * blockTiles + strip;
}
constexpr int64_t getWeights(int64_t strip) {
  return blockTiles * blockTiles + strip;
}
constexpr int64_t getActivations(int64_t token) {
  return blockTiles * (blockTiles + 1) + token;
}

/// Where the elements of a memref lie.
struct Memory {
  Value pointer;
  /// Bytes from row to row, or null.
  Value stride;
};

class TileProductBuilder {
public:
  TileProductBuilder(OpBuilder &builder, Location loc,
                     const VectorTarget &target,
                     const ProductOperands &operands)
      : b(builder), loc(loc), target(target), operands(operands),
        registers(builder, loc), layout(operands.matrix.getLayout()),
        planes(layout.getCodesPerByte()),
        columns(operands.matrix.getPaddedCols()),
        steps(columns / layout.getStepColumns()),
        strips(operands.matrix.getPaddedRows() / kernelTile),
        groupStrips(std::min(strips, getGroupStrips(strips))),
        blockSteps(blockDepth * tileColumns / layout.getStepColumns()),
        bytesType(VectorType::get(rowBytes, builder.getI8Type())) {}

  void build();

private:
  /// Strips of a group that are multiplied together.
  struct StripRange {
    Value first;   ///< of the matrix
    Value inGroup; ///< the same, of the group
    int64_t count;
  };

  /// A block of columns.
  struct Columns {
    Value firstStep;
    int64_t steps;
    Value areFirst, areLast; ///< whether sums begin, and are complete
    bool isEnd;              ///< whether the last column is among them
  };

  /// Strips that one thread decodes at a time. More of them read activations
  /// from the second-level cache less often; fewer can be shared out evenly.
  static int64_t getGroupStrips(int64_t strips) { return strips < 128 ? 4 : 8; }

  /// The strips from `first` on, `count` of them, for all tokens.
  void buildGroup(Value first, Value count);
  /// The same for the tiles of tokens from `firstTile` on, `tiles` of them.
  void buildPiece(Value first, Value count, Value firstTile, Value tiles);
  void buildColumns(const Columns &block, Value first, Value count,
                    Value firstTile, Value tiles);
  /// Calls `body` for all strips of a group, pairs of them first.
  void forEachStrips(Value first, Value count,
                     function_ref<void(const StripRange &)> body);
  /// Decodes a block of columns of some strips.
  void buildDecoding(const StripRange &range, const Columns &block);
  /// Stores the rows of the last tile that belong to no column of it.
  void buildPadding(const StripRange &range, const Columns &block);
  /// Stores the rows of one step of a strip, which is `inBlock` in its block,
  /// from the byte `offset` on.
  void buildStep(Value packedOffset, Value inBlock, Value offset,
                 const Columns &block);
  /// One or two tiles of tokens, `inPiece` and the next, by decoded strips.
  void buildBlock(Value firstTile, Value inPiece, int64_t tiles,
                  const StripRange &range, const Columns &block);
  /// The products of one tile's columns, added to the sums.
  void buildTile(ArrayRef<Value> tokens, const StripRange &range, Value index,
                 const Columns &block);
  /// Calls `body` for each sum of a block: its register and where it waits.
  void forEachSum(Value inPiece, int64_t tiles, const StripRange &range,
                  function_ref<void(int64_t token, int64_t strip, Value)> body);
  void buildIf(Value condition, function_ref<void()> then,
               function_ref<void()> otherwise);

  Memory getMemory(Value memref);
  /// The address of a byte of `memory`.
  Value getPointer(const Memory &memory, Value byte);
  /// The byte of `memory` at a row and a byte of it.
  Value getByte(const Memory &memory, Value row, Value byte);
  void forEach(Value begin, Value end, int64_t step,
               function_ref<void(Value)> body);
  /// Tiles that cover the columns of a block.
  int64_t getDepth(const Columns &block) {
    return llvm::divideCeil(block.steps * layout.getStepColumns(), tileColumns);
  }
  /// Rows of the last tile of a block that belong to none of its columns.
  int64_t getMissingRows(const Columns &block) {
    return getDepth(block) * tileRows - block.steps * planes;
  }

  Value getIndex(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
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
  Value isEqual(Value lhs, int64_t rhs) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, lhs,
                                 getIndex(rhs));
  }
  Value getBool(bool value) {
    return arith::ConstantIntOp::create(b, loc, value, 1);
  }

  OpBuilder &b;
  const Location loc;
  const VectorTarget &target;
  const ProductOperands operands;
  TileRegisters registers;
  const LayoutAttr layout;
  const int64_t planes;
  const int64_t columns;
  const int64_t steps;
  const int64_t strips;
  const int64_t groupStrips;
  const int64_t blockSteps;
  const VectorType bytesType;
  /// Inside an iteration of the loop over groups. The scratch memory begins
  /// with the trits of a block.
  static constexpr int64_t configurationBegin =
      blockTiles * blockDepth * tileBytes;
  static constexpr int64_t sumsBegin =
      configurationBegin + TileRegisters::configurationBytes;
  Value scratch;
  Memory x, out, trits;
  Value tokensOfTile; ///< the height of all tiles of tokens
  Value lastTile;     ///< the token from which on the last one is
};
} // namespace

//===----------------------------------------------------------------------===//
// Memory and loops
//===----------------------------------------------------------------------===//

Memory TileProductBuilder::getMemory(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  int64_t elementBytes = type.getElementTypeBitWidth() / 8;
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, memref);
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memref);
  base = add(base, mul(metadata.getOffset(), elementBytes));
  Value pointer = LLVM::IntToPtrOp::create(
      b, loc, LLVM::LLVMPointerType::get(b.getContext()), getI64(base));
  if (type.getRank() == 1)
    return {pointer, getIndex(rowBytes)};
  return {pointer, mul(metadata.getStrides()[0], elementBytes)};
}

Value TileProductBuilder::getPointer(const Memory &memory, Value byte) {
  return LLVM::GEPOp::create(b, loc, memory.pointer.getType(), b.getI8Type(),
                             memory.pointer,
                             ArrayRef<LLVM::GEPArg>{getI64(byte)});
}

Value TileProductBuilder::getByte(const Memory &memory, Value row, Value byte) {
  return add(mul(row, memory.stride), byte);
}

void TileProductBuilder::forEach(Value begin, Value end, int64_t step,
                                 function_ref<void(Value)> body) {
  scf::ForOp::create(b, loc, begin, end, getIndex(step), ValueRange(),
                     [&](OpBuilder &, Location, Value i, ValueRange) {
                       body(i);
                       scf::YieldOp::create(b, loc);
                     });
}

void TileProductBuilder::buildIf(Value condition, function_ref<void()> then,
                                 function_ref<void()> otherwise) {
  auto makeRegion = [&](function_ref<void()> build) {
    return [this, build](OpBuilder &, Location) {
      build();
      scf::YieldOp::create(b, loc);
    };
  };
  scf::IfOp::create(b, loc, condition, makeRegion(then), makeRegion(otherwise));
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

void TileProductBuilder::buildStep(Value packedOffset, Value inBlock,
                                   Value offset, const Columns &block) {
  Value packed = vector::LoadOp::create(b, loc, bytesType, operands.bytes,
                                        ValueRange{packedOffset});
  CodeDecoder decoder(target, layout.getEncoding(), /*inPlace=*/false, packed);
  int64_t missing = getMissingRows(block);
  for (int64_t plane = 0; plane < planes; ++plane) {
    Value trits = decoder.getTrits(b, loc, plane);
    Value row = add(mul(inBlock, planes), getIndex(plane));
    // The rows of the last tile end with it, behind those that are 0.
    if (missing != 0) {
      Value isInLastTile =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, row,
                                getIndex((getDepth(block) - 1) * tileRows));
      Value moved = add(row, getIndex(missing));
      row = arith::SelectOp::create(b, loc, isInLastTile, moved, row);
    }
    vector::StoreOp::create(b, loc, trits, scratch,
                            ValueRange{add(offset, mul(row, rowBytes))});
  }
}

void TileProductBuilder::buildDecoding(const StripRange &range,
                                       const Columns &block) {
  buildPadding(range, block);
  forEach(getIndex(0), getIndex(block.steps), 1, [&](Value inBlock) {
    for (int64_t i = 0; i < range.count; ++i) {
      Value strip = mul(add(range.first, getIndex(i)), steps * rowBytes);
      Value step = add(block.firstStep, inBlock);
      Value offset = add(strip, mul(step, rowBytes));
      // The same step of the strips that come next.
      memref::PrefetchOp::create(
          b, loc, operands.bytes,
          ValueRange{add(offset, getIndex(range.count * steps * rowBytes))},
          /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
      buildStep(offset, inBlock, getIndex(i * blockDepth * tileBytes), block);
    }
  });
}

void TileProductBuilder::buildPadding(const StripRange &range,
                                      const Columns &block) {
  int64_t missing = getMissingRows(block);
  if (missing == 0)
    return;
  int64_t begin = (getDepth(block) - 1) * tileRows;
  forEach(getIndex(begin), getIndex(begin + missing), 1, [&](Value row) {
    for (int64_t i = 0; i < range.count; ++i)
      vector::StoreOp::create(
          b, loc, buildSplat(b, loc, bytesType, 0), scratch,
          ValueRange{
              add(getIndex(i * blockDepth * tileBytes), mul(row, rowBytes))});
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

// Each tile of activations, whose rows may come from a farther cache, is loaded
// once, and so is each of weights.
void TileProductBuilder::buildTile(ArrayRef<Value> tokens,
                                   const StripRange &range, Value index,
                                   const Columns &block) {
  Value column = add(mul(block.firstStep, layout.getStepColumns()),
                     mul(index, tileColumns));
  if (block.isEnd && columns % tileColumns != 0)
    column = min(column, getIndex(columns - tileColumns));
  for (auto [token, row] : llvm::enumerate(tokens)) {
    registers.load(getActivations(token),
                   getPointer(x, getByte(x, row, column)), x.stride);
    for (int64_t strip = 0; strip < range.count; ++strip) {
      Value first = getIndex(strip * blockDepth * tileBytes);
      if (token == 0)
        registers.load(getWeights(strip),
                       getPointer(trits, add(first, mul(index, tileBytes))),
                       trits.stride);
      registers.multiply(getSum(token, strip), getActivations(token),
                         getWeights(strip));
    }
  }
}

void TileProductBuilder::forEachSum(
    Value inPiece, int64_t tiles, const StripRange &range,
    function_ref<void(int64_t, int64_t, Value)> body) {
  for (int64_t token = 0; token < tiles; ++token)
    for (int64_t strip = 0; strip < range.count; ++strip) {
      Value row = mul(add(range.inGroup, getIndex(strip)), pieceTiles);
      Value tile = add(row, add(inPiece, getIndex(token)));
      body(token, strip,
           getPointer(trits, add(mul(tile, tileBytes), getIndex(sumsBegin))));
    }
}

void TileProductBuilder::buildBlock(Value firstTile, Value inPiece,
                                    int64_t tiles, const StripRange &range,
                                    const Columns &block) {
  SmallVector<Value> tokens;
  for (int64_t i = 0; i < tiles; ++i) {
    Value tile = add(firstTile, add(inPiece, getIndex(i)));
    tokens.push_back(min(mul(tile, tokensOfTile), lastTile));
  }
  buildIf(
      block.areFirst,
      [&] {
        forEachSum(inPiece, tiles, range,
                   [&](int64_t token, int64_t strip, Value) {
                     registers.zero(getSum(token, strip));
                   });
      },
      [&] {
        forEachSum(inPiece, tiles, range,
                   [&](int64_t token, int64_t strip, Value waiting) {
                     registers.load(getSum(token, strip), waiting,
                                    trits.stride);
                   });
      });
  forEach(getIndex(0), getIndex(getDepth(block)), 1,
          [&](Value index) { buildTile(tokens, range, index, block); });
  buildIf(
      block.areLast,
      [&] {
        forEachSum(
            inPiece, tiles, range, [&](int64_t token, int64_t strip, Value) {
              Value byte = mul(add(range.first, getIndex(strip)), rowBytes);
              registers.store(
                  getSum(token, strip),
                  getPointer(out, getByte(out, tokens[token], byte)),
                  out.stride);
            });
      },
      [&] {
        forEachSum(inPiece, tiles, range,
                   [&](int64_t token, int64_t strip, Value waiting) {
                     registers.store(getSum(token, strip), waiting,
                                     trits.stride);
                   });
      });
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

void TileProductBuilder::buildColumns(const Columns &block, Value first,
                                      Value count, Value firstTile,
                                      Value tiles) {
  forEachStrips(first, count, [&](const StripRange &range) {
    buildDecoding(range, block);
    Value odd = arith::RemUIOp::create(b, loc, tiles, getIndex(blockTiles));
    Value pairs = sub(tiles, odd);
    forEach(getIndex(0), pairs, blockTiles, [&](Value inPiece) {
      buildBlock(firstTile, inPiece, blockTiles, range, block);
    });
    forEach(pairs, tiles, 1, [&](Value inPiece) {
      buildBlock(firstTile, inPiece, 1, range, block);
    });
  });
}

void TileProductBuilder::buildPiece(Value first, Value count, Value firstTile,
                                    Value tiles) {
  int64_t blocks = steps / blockSteps, rest = steps % blockSteps;
  if (blocks != 0)
    forEach(getIndex(0), getIndex(blocks), 1, [&](Value i) {
      Value areLast = rest == 0 ? isEqual(i, blocks - 1) : getBool(false);
      buildColumns({mul(i, blockSteps), blockSteps, isEqual(i, 0), areLast,
                    /*isEnd=*/false},
                   first, count, firstTile, tiles);
    });
  if (rest != 0)
    buildColumns({getIndex(blocks * blockSteps), rest, getBool(blocks == 0),
                  getBool(true), /*isEnd=*/true},
                 first, count, firstTile, tiles);
}

void TileProductBuilder::buildGroup(Value first, Value count) {
  x = getMemory(operands.x);
  out = getMemory(operands.out);
  trits = getMemory(scratch);

  Value tokens = memref::DimOp::create(b, loc, operands.x, 0);
  Value tiles = arith::CeilDivUIOp::create(b, loc, tokens, getIndex(tileRows));
  tokensOfTile = arith::CeilDivUIOp::create(b, loc, tokens, tiles);
  lastTile = sub(tokens, tokensOfTile);
  SmallVector<int64_t> registersOfTokens;
  for (int64_t token = 0; token < blockTiles; ++token) {
    registersOfTokens.push_back(getActivations(token));
    for (int64_t strip = 0; strip < blockTiles; ++strip)
      registersOfTokens.push_back(getSum(token, strip));
  }
  registers.configure(registersOfTokens, tokensOfTile, scratch,
                      getIndex(configurationBegin));
  forEach(getIndex(0), tiles, pieceTiles, [&](Value tile) {
    buildPiece(first, count, tile, min(sub(tiles, tile), getIndex(pieceTiles)));
  });
  registers.release();
}

void TileProductBuilder::build() {
  int64_t bytes = sumsBegin + groupStrips * pieceTiles * tileBytes;
  scf::ParallelOp::create(
      b, loc, getIndex(0), getIndex(strips), getIndex(groupStrips),
      [&](OpBuilder &, Location, ValueRange first) {
        scratch = memref::AllocOp::create(
            b, loc, MemRefType::get(bytes, b.getI8Type()), ValueRange(),
            b.getI64IntegerAttr(rowBytes));
        Value rest = sub(getIndex(strips), first[0]);
        buildGroup(first[0], min(rest, getIndex(groupStrips)));
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
