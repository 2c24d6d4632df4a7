//===- Normalization.cpp - softmax and norms ------------------------------===//

#include "Broadcast.h"
#include "Reduction.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace tern::onnx;

// `tensor` in another float type; itself where it has that type.
static Value convertTensor(LoweringContext &ctx, Value tensor, Type type) {
  if (getElementTypeOrSelf(tensor) == type)
    return tensor;
  // One operand always broadcasts to itself.
  return *elementwise(ctx, tensor, type,
                      [&](ImplicitLocOpBuilder &b, ValueRange args) {
                        return convertFloat(b, args[0], type);
                      });
}

static SmallVector<int64_t> axesFrom(int64_t axis, int64_t rank) {
  return llvm::to_vector(llvm::seq<int64_t>(axis, rank));
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

// Up to opset 12 softmax runs over all dimensions from `axis` on.
static FailureOr<SmallVector<int64_t>> softmaxAxes(LoweringContext &ctx) {
  bool flattens = ctx.node.getOpset() != 0 && ctx.node.getOpset() < 13;
  int64_t rank = ctx.type(0).getRank();
  FailureOr<int64_t> axis =
      normalizeAxis(ctx, ctx.node.getInt("axis", flattens ? 1 : -1), rank);
  if (failed(axis))
    return failure();
  return flattens ? axesFrom(*axis, rank) : SmallVector<int64_t>{*axis};
}

// exp(x - max) / sum, and its logarithm x - max - log(sum).
template <bool isLogarithm>
static LoweringResult lowerSoftmax(LoweringContext &ctx) {
  Type type = ctx.type(0).getElementType();
  Type wide = accumulatorType(ctx.b, type);
  FailureOr<SmallVector<int64_t>> axes = softmaxAxes(ctx);
  if (failed(axes))
    return failure();
  Value x = convertTensor(ctx, ctx.input(0), wide);
  Value greatest = maxOfFloats(ctx.b, x, *axes);
  FailureOr<Value> shifted =
      elementwise(ctx, {x, greatest}, wide,
                  [](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
                    return arith::SubFOp::create(b, args[0], args[1]);
                  });
  if (failed(shifted))
    return failure();
  FailureOr<Value> powers =
      elementwise(ctx, *shifted, wide,
                  [](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
                    return math::ExpOp::create(b, args[0]);
                  });
  if (failed(powers))
    return failure();
  Value sum = sumOfFloats(ctx.b, *powers, *axes);
  auto finish = [&](ImplicitLocOpBuilder &b, ValueRange args) {
    Value value =
        isLogarithm
            ? arith::SubFOp::create(b, args[0], math::LogOp::create(b, args[1]))
                  .getResult()
            : arith::DivFOp::create(b, args[0], args[1]).getResult();
    return convertFloat(b, value, type);
  };
  return single(
      elementwise(ctx, {isLogarithm ? *shifted : *powers, sum}, type, finish));
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

namespace {
/// What the norms have in common: x is normalised over `axes` in `wide`, then
/// multiplied by `scale`, and `bias`, if any, is added, in x's type.
struct Norm {
  Value x, scale, bias;
  SmallVector<int64_t> axes;
  float epsilon;
  Type wide;
  /// Subtracts the mean first.
  bool centres;
};

struct NormResult {
  Value y;
  /// The mean (null unless centred) and 1 / sqrt(variance + epsilon), with
  /// dimensions of size 1.
  Value mean, inverse;
};
} // namespace

static FailureOr<Value> meanOf(LoweringContext &ctx, Value x,
                               ArrayRef<int64_t> axes) {
  Type type = getElementTypeOrSelf(x);
  Value count = countOf(ctx.b, x, axes, type);
  return elementwise(ctx, sumOfFloats(ctx.b, x, axes), type,
                     [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
                       return arith::DivFOp::create(b, args[0], count);
                     });
}

template <typename Op>
static FailureOr<Value> combine(LoweringContext &ctx, Value lhs, Value rhs) {
  return elementwise(ctx, {lhs, rhs}, getElementTypeOrSelf(lhs),
                     [](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
                       return Op::create(b, args[0], args[1]);
                     });
}

// 1 / sqrt(mean(x^2) + epsilon)
static FailureOr<Value> inverseRoot(LoweringContext &ctx, Value x,
                                    const Norm &norm) {
  FailureOr<Value> squares = combine<arith::MulFOp>(ctx, x, x);
  if (failed(squares))
    return failure();
  FailureOr<Value> mean = meanOf(ctx, *squares, norm.axes);
  if (failed(mean))
    return failure();
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    Type type = args[0].getType();
    Value sum = arith::AddFOp::create(b, args[0],
                                      scalarConstant(b, type, norm.epsilon));
    return arith::DivFOp::create(b, scalarConstant(b, type, 1),
                                 math::SqrtOp::create(b, sum));
  };
  return elementwise(ctx, *mean, norm.wide, body);
}

static FailureOr<NormResult> normalize(LoweringContext &ctx, const Norm &norm) {
  NormResult result;
  Value x = convertTensor(ctx, norm.x, norm.wide);
  if (norm.centres) {
    FailureOr<Value> mean = meanOf(ctx, x, norm.axes);
    if (failed(mean))
      return failure();
    FailureOr<Value> centred = combine<arith::SubFOp>(ctx, x, *mean);
    if (failed(centred))
      return failure();
    result.mean = *mean;
    x = *centred;
  }
  FailureOr<Value> inverse = inverseRoot(ctx, x, norm);
  if (failed(inverse))
    return failure();
  result.inverse = *inverse;

  Type type = getElementTypeOrSelf(norm.scale);
  SmallVector<Value> operands{x, *inverse, norm.scale};
  if (norm.bias)
    operands.push_back(norm.bias);
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    Value unit = arith::MulFOp::create(b, args[0], args[1]);
    Value y = arith::MulFOp::create(b, convertFloat(b, unit, type), args[2]);
    return norm.bias ? arith::AddFOp::create(b, y, args[3]).getResult() : y;
  };
  FailureOr<Value> y = elementwise(ctx, operands, type, body);
  if (failed(y))
    return failure();
  result.y = *y;
  return result;
}

// A norm over the dimensions from `axis` on; scale is input `first`, a bias the
// one after it.
static FailureOr<NormResult> normalizeNode(LoweringContext &ctx, Value x,
                                           unsigned scale, Value bias,
                                           float epsilon, bool centres) {
  int64_t rank = cast<RankedTensorType>(x.getType()).getRank();
  FailureOr<int64_t> axis =
      normalizeAxis(ctx, ctx.node.getInt("axis", -1), rank);
  if (failed(axis))
    return failure();
  Type type = getElementTypeOrSelf(x);
  // stash_type 1 is FLOAT; no other is in use.
  Norm norm{x,
            ctx.input(scale),
            bias,
            axesFrom(*axis, rank),
            ctx.node.getFloat("epsilon", epsilon),
            accumulatorType(ctx.b, type),
            centres};
  return normalize(ctx, norm);
}

// Outputs: Y and, of onnxruntime's operator, 1 / RMS.
static LoweringResult lowerRmsNorm(LoweringContext &ctx) {
  FailureOr<NormResult> result =
      normalizeNode(ctx, ctx.input(0), 1, {}, 1e-5f, /*centres=*/false);
  if (failed(result))
    return failure();
  return SmallVector<Value>{result->y, result->inverse};
}

static LoweringResult lowerLayerNorm(LoweringContext &ctx) {
  FailureOr<NormResult> result = normalizeNode(
      ctx, ctx.input(0), 1, ctx.input(2), 1e-5f, /*centres=*/true);
  if (failed(result))
    return failure();
  return SmallVector<Value>{result->y, result->mean, result->inverse};
}

// Adds input, skip and a bias, if any, and normalises the sum, which is output
// 3. Inputs after gamma are beta, if the norm is centred, and the bias.
template <bool centres>
static LoweringResult lowerSkipNorm(LoweringContext &ctx) {
  FailureOr<Value> sum =
      combine<arith::AddFOp>(ctx, ctx.input(0), ctx.input(1));
  if (Value bias = ctx.input(centres ? 4 : 3); bias && succeeded(sum))
    sum = combine<arith::AddFOp>(ctx, *sum, bias);
  if (failed(sum))
    return failure();
  FailureOr<NormResult> result = normalizeNode(
      ctx, *sum, 2, centres ? ctx.input(3) : Value(), 1e-12f, centres);
  if (failed(result))
    return failure();
  return SmallVector<Value>{result->y, result->mean, result->inverse, *sum};
}

void tern::onnx::addNormalizationLowerings(LoweringTable &table) {
  table["Softmax"] = lowerSoftmax</*isLogarithm=*/false>;
  table["LogSoftmax"] = lowerSoftmax</*isLogarithm=*/true>;
  table["RMSNormalization"] = lowerRmsNorm;
  table["SimplifiedLayerNormalization"] = lowerRmsNorm;
  table["com.microsoft::SimplifiedLayerNormalization"] = lowerRmsNorm;
  table["LayerNormalization"] = lowerLayerNorm;
  table["com.microsoft::SkipSimplifiedLayerNormalization"] =
      lowerSkipNorm</*centres=*/false>;
  table["com.microsoft::SkipLayerNormalization"] =
      lowerSkipNorm</*centres=*/true>;
}
