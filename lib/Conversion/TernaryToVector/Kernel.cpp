//===- Kernel.cpp - the body of a packed product --------------------------===//
//
// Codes are trits plus one, so a sum of products of codes exceeds the sum of
// products of trits by the sum of the token's activations, which is computed
// once for a call and subtracted at the end of each row. Padding holds code 1:
// its activations, whatever they are, are in both sums.
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

#include "Codes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tern::ternary;

void VectorTarget::buildTiledProduct(OpBuilder &, Location,
                                     const ProductOperands &) const {
  llvm_unreachable("the target builds no tiled products");
}

Value tern::ternary::buildSplat(OpBuilder &b, Location loc, VectorType type,
                                int64_t value) {
  APInt bits(type.getElementTypeBitWidth(), value, /*isSigned=*/false,
             /*implicitTrunc=*/true);
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, bits));
}

Value tern::ternary::buildBitcast(OpBuilder &b, Location loc, Value vector,
                                  unsigned width) {
  auto type = cast<VectorType>(vector.getType());
  int64_t size = type.getNumElements() * type.getElementTypeBitWidth() / width;
  return vector::BitCastOp::create(
      b, loc, VectorType::get(size, b.getIntegerType(width)), vector);
}

namespace {
/// A block: the tokens from `firstToken` on, the strips from `firstStrip` on.
struct Block {
  Value firstToken;
  int64_t tokens;
  Value firstStrip;
  int64_t strips;
};

class KernelBuilder {
public:
  KernelBuilder(OpBuilder &builder, Location loc, const VectorTarget &target,
                MatrixType matrix, Value x, Value bytes, Value out)
      : b(builder), loc(loc), target(target), matrix(matrix), x(x),
        bytes(bytes), out(out), layout(matrix.getLayout()),
        planes(layout.getCodesPerByte()), stepColumns(layout.getStepColumns()),
        steps(matrix.getPaddedCols() / stepColumns),
        stripsPerTile(kernelTile / target.lanes),
        strips(matrix.getPaddedRows() / target.lanes),
        accType(VectorType::get(target.lanes, b.getI32Type())) {}

  void build();

private:
  friend class BlockStep;

  void buildVectorProduct();
  void buildMatrixProduct(Value tokens);
  /// The product of more than one token, in tiles where there are enough.
  void buildManyTokens(Value tokens);
  /// The blocks of some strips for all tokens.
  void buildTokenLoop(Value tokens, Value rowSums, Value firstStrip,
                      int64_t blockStrips);
  /// A block, summed over all steps. `rowSumOf` gives a token's sum.
  void buildBlock(const Block &block, bool forOneToken,
                  function_ref<Value(int64_t token)> rowSumOf);
  Value buildRowSum(Value token);
  Value buildPlaneSum(Accumulators &accumulators, int64_t token, int64_t strip,
                      bool inPlace);
  /// The offset in the storage of the first step of a strip.
  Value getStripOffset(Value strip);

  Value getIndex(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value add(Value lhs, Value rhs) {
    return arith::AddIOp::create(b, loc, lhs, rhs);
  }
  Value mul(Value lhs, int64_t rhs) {
    return arith::MulIOp::create(b, loc, lhs, getIndex(rhs));
  }

  OpBuilder &b;
  const Location loc;
  const VectorTarget &target;
  const MatrixType matrix;
  const Value x, bytes, out;
  const LayoutAttr layout;
  const int64_t planes;
  const int64_t stepColumns;
  const int64_t steps;
  const int64_t stripsPerTile;
  const int64_t strips;
  const VectorType accType;
};

/// Reads the operands of one step of a block.
class BlockStep : public StepOperands {
public:
  BlockStep(KernelBuilder &kernel, const Block &block,
            ArrayRef<Value> stripOffsets, Value step, bool inPlace)
      : kernel(kernel), block(block),
        firstColumn(kernel.mul(step, kernel.stepColumns)),
        activations(block.tokens * kernel.planes) {
    tokens = block.tokens;
    strips = block.strips;
    planes = kernel.planes;
    OpBuilder &b = kernel.b;
    auto type = VectorType::get(4 * kernel.target.lanes, b.getI8Type());
    Value stepOffset = kernel.mul(step, 4 * kernelTile);
    for (Value stripOffset : stripOffsets) {
      Value offset = kernel.add(stripOffset, stepOffset);
      Value packed = vector::LoadOp::create(b, kernel.loc, type, kernel.bytes,
                                            ValueRange{offset});
      decoders.emplace_back(kernel.target, kernel.layout.getEncoding(), inPlace,
                            packed);
    }
  }

  Value getCodes(int64_t strip, int64_t plane) override {
    return decoders[strip].getCodes(kernel.b, kernel.loc, plane);
  }

  Value getActivations(int64_t token, int64_t plane) override {
    Value &result = activations[token * planes + plane];
    if (result)
      return result;
    OpBuilder &b = kernel.b;
    Location loc = kernel.loc;
    Value row = kernel.add(block.firstToken, kernel.getIndex(token));
    Value column = kernel.add(firstColumn, kernel.getIndex(4 * plane));
    Value four =
        vector::LoadOp::create(b, loc, VectorType::get(4, b.getI8Type()),
                               kernel.x, ValueRange{row, column});
    Value word = vector::ExtractOp::create(
        b, loc, buildBitcast(b, loc, four, 32), ArrayRef<int64_t>{0});
    Value lanes = vector::BroadcastOp::create(b, loc, kernel.accType, word);
    return result = buildBitcast(b, loc, lanes, 8);
  }

private:
  KernelBuilder &kernel;
  const Block &block;
  Value firstColumn;
  SmallVector<CodeDecoder> decoders;
  SmallVector<Value> activations;
};
} // namespace

Value KernelBuilder::getStripOffset(Value strip) {
  int64_t stripBytes = 4 * target.lanes;
  int64_t tileBytes = steps * 4 * kernelTile;
  Value perTile = getIndex(stripsPerTile);
  Value tile = arith::DivUIOp::create(b, loc, strip, perTile);
  Value inTile = arith::RemUIOp::create(b, loc, strip, perTile);
  return add(mul(tile, tileBytes), mul(inTile, stripBytes));
}

Value KernelBuilder::buildRowSum(Value token) {
  auto wide = VectorType::get(stepColumns, b.getI32Type());
  auto narrow = VectorType::get(stepColumns, b.getI8Type());
  auto loop = scf::ForOp::create(
      b, loc, getIndex(0), getIndex(steps), getIndex(1),
      buildSplat(b, loc, wide, 0),
      [&](OpBuilder &, Location, Value step, ValueRange sums) {
        Value part = vector::LoadOp::create(
            b, loc, narrow, x, ValueRange{token, mul(step, stepColumns)});
        part = arith::ExtSIOp::create(b, loc, wide, part);
        scf::YieldOp::create(b, loc, add(sums[0], part));
      });
  return vector::ReductionOp::create(b, loc, vector::CombiningKind::ADD,
                                     loop.getResult(0));
}

Value KernelBuilder::buildPlaneSum(Accumulators &accumulators, int64_t token,
                                   int64_t strip, bool inPlace) {
  Value sum = accumulators.get(token, strip, 0);
  for (int64_t plane = 1; plane < accumulators.planes; ++plane) {
    Value part = accumulators.get(token, strip, plane);
    // Every term is a multiple of 4^plane: the shift is exact.
    if (inPlace)
      part = arith::ShRSIOp::create(b, loc, part,
                                    buildSplat(b, loc, accType, 2 * plane));
    sum = add(sum, part);
  }
  return sum;
}

void KernelBuilder::buildBlock(const Block &block, bool forOneToken,
                               function_ref<Value(int64_t)> rowSumOf) {
  // One token has few accumulators: give each plane its own, so that they do
  // not wait for each other. Codes may then stay in place, as long as
  // K / 4 * 128 * 2 * 64 fits i32.
  bool splitPlanes = forOneToken && target.hasWideDot();
  bool inPlace = splitPlanes && layout.getEncoding() == Encoding::I2 &&
                 matrix.getPaddedCols() < (int64_t(1) << 19);
  Accumulators accumulators;
  accumulators.strips = block.strips;
  accumulators.planes = splitPlanes ? planes : 1;
  accumulators.values.assign(block.tokens * block.strips * accumulators.planes,
                             buildSplat(b, loc, accType, 0));

  SmallVector<Value> stripOffsets;
  for (int64_t strip = 0; strip < block.strips; ++strip)
    stripOffsets.push_back(
        getStripOffset(add(block.firstStrip, getIndex(strip))));
  auto loop = scf::ForOp::create(
      b, loc, getIndex(0), getIndex(steps), getIndex(1), accumulators.values,
      [&](OpBuilder &, Location, Value step, ValueRange sums) {
        accumulators.values.assign(sums.begin(), sums.end());
        BlockStep operands(*this, block, stripOffsets, step, inPlace);
        if (forOneToken) {
          // Weights are read once: fetch them from memory ahead of use.
          constexpr int64_t prefetchBytes = 4096;
          Value ahead = add(add(stripOffsets[0], mul(step, 4 * kernelTile)),
                            getIndex(prefetchBytes));
          memref::PrefetchOp::create(b, loc, bytes, ValueRange{ahead},
                                     /*isWrite=*/false, /*localityHint=*/3,
                                     /*isDataCache=*/true);
        }
        target.buildStep(b, loc, operands, accumulators);
        scf::YieldOp::create(b, loc, accumulators.values);
      });
  accumulators.values.assign(loop->result_begin(), loop->result_end());

  for (int64_t token = 0; token < block.tokens; ++token) {
    Value rowSum =
        vector::BroadcastOp::create(b, loc, accType, rowSumOf(token));
    Value row = add(block.firstToken, getIndex(token));
    for (int64_t strip = 0; strip < block.strips; ++strip) {
      Value sum = buildPlaneSum(accumulators, token, strip, inPlace);
      sum = arith::SubIOp::create(b, loc, sum, rowSum);
      Value column = mul(add(block.firstStrip, getIndex(strip)), target.lanes);
      vector::StoreOp::create(b, loc, sum, out, ValueRange{row, column});
    }
  }
}

void KernelBuilder::buildVectorProduct() {
  Value zero = getIndex(0);
  Value rowSum = buildRowSum(zero);
  scf::ParallelOp::create(
      b, loc, zero, getIndex(strips), getIndex(stripsPerTile),
      [&](OpBuilder &, Location, ValueRange strip) {
        buildBlock({zero, 1, strip[0], stripsPerTile}, /*forOneToken=*/true,
                   [&](int64_t) { return rowSum; });
      });
}

void KernelBuilder::buildTokenLoop(Value tokens, Value rowSums,
                                   Value firstStrip, int64_t blockStrips) {
  auto buildTokens = [&](Value firstToken, int64_t count) {
    buildBlock({firstToken, count, firstStrip, blockStrips},
               /*forOneToken=*/false, [&](int64_t token) -> Value {
                 return memref::LoadOp::create(
                     b, loc, rowSums,
                     ValueRange{add(firstToken, getIndex(token))});
               });
  };
  Value size = getIndex(target.blockTokens);
  Value rest = arith::RemUIOp::create(b, loc, tokens, size);
  Value whole = arith::SubIOp::create(b, loc, tokens, rest);
  scf::ForOp::create(b, loc, getIndex(0), whole, size, ValueRange(),
                     [&](OpBuilder &, Location, Value token, ValueRange) {
                       buildTokens(token, target.blockTokens);
                       scf::YieldOp::create(b, loc);
                     });
  // The rest, in blocks of halving size: at most one of each.
  for (int64_t count = target.blockTokens / 2; count > 0; count /= 2) {
    Value bit = arith::AndIOp::create(b, loc, tokens, getIndex(count));
    Value isNeeded = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                           bit, getIndex(0));
    scf::IfOp::create(b, loc, isNeeded, [&](OpBuilder &, Location) {
      buildTokens(whole, count);
      scf::YieldOp::create(b, loc);
    });
    whole = add(whole, bit);
  }
}

void KernelBuilder::buildMatrixProduct(Value tokens) {
  Value zero = getIndex(0), one = getIndex(1);
  Value rowSums = memref::AllocOp::create(
      b, loc, MemRefType::get(ShapedType::kDynamic, b.getI32Type()), tokens);
  scf::ForOp::create(b, loc, zero, tokens, one, ValueRange(),
                     [&](OpBuilder &, Location, Value token, ValueRange) {
                       memref::StoreOp::create(b, loc, buildRowSum(token),
                                               rowSums, token);
                       scf::YieldOp::create(b, loc);
                     });

  // Whole tiles go to one thread, which reads their weights once for all
  // tokens while they stay in its cache.
  int64_t groupStrips = std::max(target.blockStrips, stripsPerTile);
  int64_t wholeStrips = strips - strips % groupStrips;
  auto buildGroup = [&](Value firstStrip) {
    Value end = add(firstStrip, getIndex(groupStrips));
    scf::ForOp::create(
        b, loc, firstStrip, end, getIndex(target.blockStrips), ValueRange(),
        [&](OpBuilder &, Location, Value strip, ValueRange) {
          buildTokenLoop(tokens, rowSums, strip, target.blockStrips);
          scf::YieldOp::create(b, loc);
        });
  };
  scf::ParallelOp::create(
      b, loc, zero, getIndex(strips), getIndex(groupStrips),
      [&](OpBuilder &, Location, ValueRange strip) {
        if (wholeStrips == strips)
          return buildGroup(strip[0]);
        Value isWhole = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                              strip[0], getIndex(wholeStrips));
        scf::IfOp::create(
            b, loc, isWhole,
            [&](OpBuilder &, Location) {
              buildGroup(strip[0]);
              scf::YieldOp::create(b, loc);
            },
            [&](OpBuilder &, Location) {
              buildTokenLoop(tokens, rowSums, strip[0], strips - wholeStrips);
              scf::YieldOp::create(b, loc);
            });
      });
  memref::DeallocOp::create(b, loc, rowSums);
}

void KernelBuilder::buildManyTokens(Value tokens) {
  int64_t least = target.getLeastTiledTokens(matrix);
  if (least == 0)
    return buildMatrixProduct(tokens);
  Value areEnough = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge,
                                          tokens, getIndex(least));
  scf::IfOp::create(
      b, loc, areEnough,
      [&](OpBuilder &, Location) {
        target.buildTiledProduct(b, loc, {matrix, x, bytes, out});
        scf::YieldOp::create(b, loc);
      },
      [&](OpBuilder &, Location) {
        buildMatrixProduct(tokens);
        scf::YieldOp::create(b, loc);
      });
}

void KernelBuilder::build() {
  Value tokens = memref::DimOp::create(b, loc, x, 0);
  Value isOne = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, tokens,
                                      getIndex(1));
  scf::IfOp::create(
      b, loc, isOne,
      [&](OpBuilder &, Location) {
        buildVectorProduct();
        scf::YieldOp::create(b, loc);
      },
      [&](OpBuilder &, Location) {
        buildManyTokens(tokens);
        scf::YieldOp::create(b, loc);
      });
}

void tern::ternary::buildKernel(OpBuilder &builder, Location loc,
                                const VectorTarget &target, MatrixType matrix,
                                Value x, Value bytes, Value out) {
  KernelBuilder(builder, loc, target, matrix, x, bytes, out).build();
}
