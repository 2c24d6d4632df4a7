//===- Contraction.cpp - products of matrices -----------------------------===//

#include "Contraction.h"

#include "Broadcast.h"
#include "Quantization.h"
#include "Reduction.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tern::onnx;

using Sizes = SmallVector<OpFoldResult>;

//===----------------------------------------------------------------------===//
// NumPy's matmul
//===----------------------------------------------------------------------===//

namespace {
/// A factor's sizes, split into the leading ones and the matrix: `outer` is
/// the dimension that the result keeps (null in a factor of rank 1), `inner`
/// the one that is summed over.
struct FactorShape {
  FactorShape(LoweringContext &ctx, const Factor &factor, bool isLeft) {
    Sizes sizes = sizesOf(ctx.b, factor.tensor);
    if (sizes.size() == 1) {
      inner = sizes[0];
      return;
    }
    batch.assign(sizes.begin(), sizes.end() - 2);
    OpFoldResult row = sizes[sizes.size() - 2], column = sizes.back();
    innerIsLast = isLeft != factor.isTransposed;
    inner = innerIsLast ? column : row;
    outer = innerIsLast ? row : column;
  }

  Sizes batch;
  OpFoldResult outer, inner;
  bool innerIsLast = true;
};
} // namespace

// The sizes that are summed over must agree.
static LogicalResult checkInner(LoweringContext &ctx, OpFoldResult lhs,
                                OpFoldResult rhs) {
  if (areSameSize(lhs, rhs))
    return success();
  std::optional<int64_t> left = getConstantIntValue(lhs);
  std::optional<int64_t> right = getConstantIntValue(rhs);
  if (left && right)
    return ctx.error() << "found " << *left
                       << " elements to sum over in the left factor and "
                       << *right
                       << " in the right one; expected as many in both";
  auto asValue = [&](OpFoldResult size) {
    return getValueOrCreateConstantIndexOp(ctx.b, ctx.b.getLoc(), size);
  };
  ctx.check(arith::CmpIOp::create(ctx.b, arith::CmpIPredicate::eq, asValue(lhs),
                                  asValue(rhs)),
            "both factors must sum over equally many elements");
  return success();
}

// How a factor is read: leading dimensions broadcast, then its matrix.
static BroadcastOperand readFactor(LoweringContext &ctx, const Factor &factor,
                                   const FactorShape &shape,
                                   ArrayRef<OpFoldResult> batch,
                                   AffineExpr outer, AffineExpr sum,
                                   unsigned loopCount) {
  if (!shape.outer)
    return {factor.tensor,
            AffineMap::get(loopCount, 0, sum, ctx.b.getContext())};
  // The matrix dimensions equal themselves, so that they are read in place.
  Sizes sizes(batch);
  Sizes own = sizesOf(ctx.b, factor.tensor);
  sizes.append(own.end() - 2, own.end());
  BroadcastOperand operand = readBroadcast(ctx, factor.tensor, sizes);
  SmallVector<AffineExpr> exprs(operand.map.getResults());
  exprs[exprs.size() - 2] = shape.innerIsLast ? outer : sum;
  exprs[exprs.size() - 1] = shape.innerIsLast ? sum : outer;
  return {operand.tensor,
          AffineMap::get(loopCount, 0, exprs, ctx.b.getContext())};
}

static Value multiplyAdd(ImplicitLocOpBuilder &b, Value lhs, Value rhs,
                         Value acc) {
  if (isa<FloatType>(acc.getType()))
    return arith::AddFOp::create(b, acc, arith::MulFOp::create(b, lhs, rhs));
  return arith::AddIOp::create(b, acc, arith::MulIOp::create(b, lhs, rhs));
}

FailureOr<Value> tern::onnx::multiplyMatrices(LoweringContext &ctx, Factor lhs,
                                              Factor rhs, Type accumulator) {
  ImplicitLocOpBuilder &b = ctx.b;
  FactorShape left(ctx, lhs, /*isLeft=*/true);
  FactorShape right(ctx, rhs, /*isLeft=*/false);
  if (failed(checkInner(ctx, left.inner, right.inner)))
    return failure();
  FailureOr<Sizes> batch =
      broadcastSizes(ctx, ArrayRef<Sizes>{left.batch, right.batch});
  if (failed(batch))
    return failure();

  Sizes resultSizes = *batch;
  AffineExpr row, column;
  if (left.outer) {
    row = b.getAffineDimExpr(resultSizes.size());
    resultSizes.push_back(left.outer);
  }
  if (right.outer) {
    column = b.getAffineDimExpr(resultSizes.size());
    resultSizes.push_back(right.outer);
  }
  unsigned rank = resultSizes.size();
  AffineExpr sum = b.getAffineDimExpr(rank);
  SmallVector<utils::IteratorType> loops = parallelLoops(rank);
  loops.push_back(utils::IteratorType::reduction);

  BroadcastOperand leftRead =
      readFactor(ctx, lhs, left, *batch, row, sum, rank + 1);
  BroadcastOperand rightRead =
      readFactor(ctx, rhs, right, *batch, column, sum, rank + 1);
  Value init = filledTensor(b, resultSizes, scalarConstant(b, accumulator, 0));
  AffineMap resultMap = b.getMultiDimIdentityMap(rank + 1).dropResult(rank);
  auto body = [&](OpBuilder &nested, Location loc, ValueRange args) {
    ImplicitLocOpBuilder body(loc, nested);
    Value x = convertScalar(body, args[0], lhs.isUnsigned, accumulator, false);
    Value y = convertScalar(body, args[1], rhs.isUnsigned, accumulator, false);
    linalg::YieldOp::create(body, multiplyAdd(body, x, y, args[2]));
  };
  auto generic = linalg::GenericOp::create(
      b, init.getType(), ValueRange{leftRead.tensor, rightRead.tensor}, init,
      ArrayRef<AffineMap>{leftRead.map, rightRead.map, resultMap}, loops, body);
  return generic.getResult(0);
}

FailureOr<Value> tern::onnx::multiplyMatrices(LoweringContext &ctx, Factor lhs,
                                              Factor rhs) {
  Type type = getElementTypeOrSelf(lhs.tensor);
  Type accumulator = accumulatorType(ctx.b, type);
  FailureOr<Value> product = multiplyMatrices(ctx, lhs, rhs, accumulator);
  if (failed(product) || accumulator == type)
    return product;
  return elementwise(ctx, *product, type,
                     [&](ImplicitLocOpBuilder &b, ValueRange args) {
                       return convertFloat(b, args[0], type);
                     });
}

LogicalResult tern::onnx::checkFactor(LoweringContext &ctx, unsigned index) {
  if (ctx.type(index).getRank() > 0)
    return success();
  return ctx.error() << "input " << index << " has rank 0; expected at least 1";
}

static LoweringResult lowerMatMul(LoweringContext &ctx) {
  if (failed(checkFactor(ctx, 0)) || failed(checkFactor(ctx, 1)))
    return failure();
  return single(multiplyMatrices(ctx, {ctx.input(0), ctx.isUnsigned(0)},
                                 {ctx.input(1), ctx.isUnsigned(1)}));
}

//===----------------------------------------------------------------------===//
// Gemm
//===----------------------------------------------------------------------===//

static Value scaled(ImplicitLocOpBuilder &b, Value x, float factor) {
  if (factor == 1)
    return x;
  Value constant = scalarConstant(b, x.getType(), factor);
  if (isa<FloatType>(x.getType()))
    return arith::MulFOp::create(b, x, constant);
  return arith::MulIOp::create(b, x, constant);
}

static LoweringResult lowerGemm(LoweringContext &ctx) {
  for (unsigned index : {0, 1})
    if (ctx.type(index).getRank() != 2)
      return ctx.error() << "input " << index << " has rank "
                         << ctx.type(index).getRank() << "; expected 2";
  Type type = ctx.type(0).getElementType();
  Type accumulator = accumulatorType(ctx.b, type);
  float alpha = ctx.node.getFloat("alpha", 1);
  float beta = ctx.node.getFloat("beta", 1);
  Factor lhs{ctx.input(0), ctx.isUnsigned(0),
             ctx.node.getInt("transA", 0) != 0};
  Factor rhs{ctx.input(1), ctx.isUnsigned(1),
             ctx.node.getInt("transB", 0) != 0};
  FailureOr<Value> product = multiplyMatrices(ctx, lhs, rhs, accumulator);
  if (failed(product))
    return failure();

  SmallVector<Value> operands{*product};
  if (Value bias = ctx.input(2))
    operands.push_back(bias);
  if (operands.size() == 1 && alpha == 1 && accumulator == type)
    return single(product);
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    Value result = scaled(b, args[0], alpha);
    if (args.size() == 2) {
      Value bias = convertScalar(b, args[1], false, accumulator, false);
      bias = scaled(b, bias, beta);
      result = isa<FloatType>(accumulator)
                   ? arith::AddFOp::create(b, result, bias).getResult()
                   : arith::AddIOp::create(b, result, bias).getResult();
    }
    return convertScalar(b, result, false, type, false);
  };
  return single(elementwise(ctx, operands, type, body));
}

//===----------------------------------------------------------------------===//
// Products of integer codes
//===----------------------------------------------------------------------===//

// `perRow`, a zero point or a scale of the left factor, with a dimension of
// size 1 behind it if it holds one value for each row.
static Value alignWithRows(LoweringContext &ctx, Value perRow) {
  auto type = cast<RankedTensorType>(perRow.getType());
  if (type.getRank() != 1)
    return perRow;
  Sizes sizes{sizeOf(ctx.b, perRow, 0), ctx.b.getIndexAttr(1)};
  return tensor::ExpandShapeOp::create(
      ctx.b, typeWithSizes(sizes, type.getElementType()), perRow,
      ArrayRef<ReassociationIndices>{{0, 1}}, sizes);
}

// The codes of a factor less their zero point, in i32. Without a zero point
// they stay as they are, for the product to widen.
static FailureOr<Factor> centred(LoweringContext &ctx, unsigned codes,
                                 unsigned zeroPoint, bool isLeft) {
  Factor factor{ctx.input(codes), ctx.isUnsigned(codes)};
  Value offset = ctx.input(zeroPoint);
  if (!offset)
    return factor;
  if (isLeft && ctx.type(codes).getRank() > 1)
    offset = alignWithRows(ctx, offset);
  Type i32 = ctx.b.getI32Type();
  auto subtract = [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    Value code = convertScalar(b, args[0], ctx.isUnsigned(codes), i32, false);
    Value zero =
        convertScalar(b, args[1], ctx.isUnsigned(zeroPoint), i32, false);
    return arith::SubIOp::create(b, code, zero);
  };
  FailureOr<Value> difference =
      elementwise(ctx, {factor.tensor, offset}, i32, subtract);
  if (failed(difference))
    return failure();
  return Factor{*difference};
}

static FailureOr<Value> multiplyCodes(LoweringContext &ctx, unsigned lhs,
                                      unsigned lhsZero, unsigned rhs,
                                      unsigned rhsZero) {
  if (failed(checkFactor(ctx, lhs)) || failed(checkFactor(ctx, rhs)))
    return failure();
  FailureOr<Factor> left = centred(ctx, lhs, lhsZero, /*isLeft=*/true);
  FailureOr<Factor> right = centred(ctx, rhs, rhsZero, /*isLeft=*/false);
  if (failed(left) || failed(right))
    return failure();
  return multiplyMatrices(ctx, *left, *right, ctx.b.getI32Type());
}

static LoweringResult lowerMatMulInteger(LoweringContext &ctx) {
  return single(multiplyCodes(ctx, 0, 2, 1, 3));
}

// Inputs: a, its scale and zero point, b, its scale and zero point, and the
// result's scale and zero point.
static LoweringResult lowerQLinearMatMul(LoweringContext &ctx) {
  FailureOr<Value> sums = multiplyCodes(ctx, 0, 2, 3, 5);
  if (failed(sums))
    return failure();
  Value rowScale = ctx.type(0).getRank() > 1 ? alignWithRows(ctx, ctx.input(1))
                                             : ctx.input(1);
  Type f32 = ctx.b.getF32Type();
  auto requantize = [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    auto scale = [&](unsigned index) {
      return convertFloat(b, args[index], f32);
    };
    Value factor = arith::DivFOp::create(
        b, arith::MulFOp::create(b, scale(1), scale(2)), scale(3));
    Value sum = convertScalar(b, args[0], false, f32, false);
    return quantizeScalar(b, arith::MulFOp::create(b, sum, factor), args[4],
                          codeRange(ctx.inputTypes[7]));
  };
  return single(elementwise(
      ctx, {*sums, rowScale, ctx.input(4), ctx.input(6), ctx.input(7)},
      ctx.type(7).getElementType(), requantize));
}

void tern::onnx::addContractionLowerings(LoweringTable &table) {
  table["MatMul"] = lowerMatMul;
  table["Gemm"] = lowerGemm;
  table["MatMulInteger"] = lowerMatMulInteger;
  table["QLinearMatMul"] = lowerQLinearMatMul;
}
