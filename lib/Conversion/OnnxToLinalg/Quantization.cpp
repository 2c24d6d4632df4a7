//===- Quantization.cpp - between floats and integer codes ----------------===//

#include "Quantization.h"

#include "Broadcast.h"
#include "Contraction.h"
#include "Reduction.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

using Sizes = SmallVector<OpFoldResult>;

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

CodeRange tern::onnx::codeRange(Type tensorType) {
  auto type = cast<IntegerType>(getElementTypeOrSelf(tensorType));
  double half = std::ldexp(1.0, type.getWidth() - 1);
  if (type.isUnsigned())
    return {0, 2 * half - 1, true};
  return {-half, half - 1, false};
}

// Codes have 16 bits at most, so that f32 holds every sum that stays inside.
Value tern::onnx::quantizeScalar(ImplicitLocOpBuilder &b, Value ratio,
                                 Value zeroPoint, CodeRange range) {
  Type f32 = b.getF32Type(), code = zeroPoint.getType();
  Value offset = convertScalar(b, zeroPoint, range.isUnsigned, f32, false);
  Value rounded = math::RoundEvenOp::create(b, ratio);
  Value sum = arith::AddFOp::create(b, rounded, offset);
  Value low = scalarConstant(b, f32, range.least);
  Value high = scalarConstant(b, f32, range.greatest);
  Value inside = arith::MinimumFOp::create(
      b, arith::MaximumFOp::create(b, sum, low), high);
  return convertScalar(b, inside, false, code, range.isUnsigned);
}

//===----------------------------------------------------------------------===//
// Scales and zero points, one for a tensor, an axis or a block
//===----------------------------------------------------------------------===//

// `parameter` repeated over blocks of `blockSize` elements along `axis`.
static Value repeatBlocks(LoweringContext &ctx, Value parameter, Value data,
                          int64_t axis, int64_t blockSize) {
  Sizes sizes = sizesOf(ctx.b, data);
  auto type = cast<RankedTensorType>(parameter.getType());
  Value init = emptyTensor(ctx.b, sizes, type.getElementType());
  auto body = [&](OpBuilder &nested, Location loc, ValueRange) {
    ImplicitLocOpBuilder b(loc, nested);
    SmallVector<Value> indices;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      indices.push_back(linalg::IndexOp::create(b, dim));
    Value size = arith::ConstantIndexOp::create(b, blockSize);
    indices[axis] = arith::DivUIOp::create(b, indices[axis], size);
    linalg::YieldOp::create(
        b, tensor::ExtractOp::create(b, parameter, indices).getResult());
  };
  return linalg::GenericOp::create(ctx.b, init.getType(), ValueRange(), init,
                                   ctx.b.getMultiDimIdentityMap(sizes.size()),
                                   parallelLoops(sizes.size()), body)
      .getResult(0);
}

// `parameter` in a shape that broadcasts to the data (input 0), or null where
// it is omitted.
static FailureOr<Value> alignParameter(LoweringContext &ctx, unsigned index) {
  Value parameter = ctx.input(index);
  if (!parameter)
    return Value();
  int64_t rank = ctx.type(0).getRank(), own = ctx.type(index).getRank();
  bool isScalar =
      ctx.type(index).hasStaticShape() && ctx.type(index).getNumElements() == 1;
  if (own == 0 || (isScalar && own <= rank))
    return parameter;
  FailureOr<int64_t> axis =
      normalizeAxis(ctx, ctx.node.getInt("axis", 1), rank);
  if (failed(axis))
    return failure();
  if (int64_t blockSize = ctx.node.getInt("block_size", 0)) {
    if (blockSize < 0 || own != rank)
      return ctx.error() << "input " << index << " has rank " << own
                         << " and block_size is " << blockSize
                         << "; expected rank " << rank << " and a positive one";
    return repeatBlocks(ctx, parameter, ctx.input(0), *axis, blockSize);
  }
  if (own != 1)
    return ctx.error() << "input " << index << " has rank " << own
                       << "; expected 0 or 1 without block_size";
  Sizes sizes(rank - *axis, ctx.b.getIndexAttr(1));
  sizes.front() = sizeOf(ctx.b, parameter, 0);
  ReassociationIndices all =
      llvm::to_vector(llvm::seq<int64_t>(0, sizes.size()));
  return Value(tensor::ExpandShapeOp::create(
      ctx.b, typeWithSizes(sizes, ctx.type(index).getElementType()), parameter,
      ArrayRef<ReassociationIndices>{all}, sizes));
}

//===----------------------------------------------------------------------===//
// QuantizeLinear and DequantizeLinear
//===----------------------------------------------------------------------===//

// The tensor, its scale and, where there is one, its zero point.
static FailureOr<SmallVector<Value>> alignedOperands(LoweringContext &ctx) {
  FailureOr<Value> scale = alignParameter(ctx, 1);
  FailureOr<Value> zeroPoint = alignParameter(ctx, 2);
  if (failed(scale) || failed(zeroPoint))
    return failure();
  SmallVector<Value> operands{ctx.input(0), *scale};
  if (*zeroPoint)
    operands.push_back(*zeroPoint);
  return operands;
}

static LoweringResult lowerQuantizeLinear(LoweringContext &ctx) {
  Type declared = getElementTypeOrSelf(ctx.node.getOutputs()[0].getType());
  auto integer = dyn_cast<IntegerType>(declared);
  if (!integer || integer.getWidth() == 1 || integer.getWidth() > 16)
    return ctx.error() << "cannot quantize to " << declared
                       << "; expected integers of 2 to 16 bits";
  FailureOr<SmallVector<Value>> operands = alignedOperands(ctx);
  if (failed(operands))
    return failure();
  Type code = lowerElementType(declared);
  CodeRange range = codeRange(declared);
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) {
    Type f32 = b.getF32Type();
    Value x = convertScalar(b, args[0], ctx.isUnsigned(0), f32, false);
    Value ratio = arith::DivFOp::create(b, x, convertFloat(b, args[1], f32));
    Value offset = args.size() == 3 ? args[2] : scalarConstant(b, code, 0);
    return quantizeScalar(b, ratio, offset, range);
  };
  return single(elementwise(ctx, *operands, code, body));
}

static LoweringResult lowerDequantizeLinear(LoweringContext &ctx) {
  Type codes = ctx.type(0).getElementType();
  Type result = getElementTypeOrSelf(ctx.node.getOutputs()[0].getType());
  if (!isa<IntegerType>(codes) || !isa<FloatType>(result))
    return ctx.error() << "cannot dequantize " << codes << " to " << result
                       << "; expected integers and floats";
  FailureOr<SmallVector<Value>> operands = alignedOperands(ctx);
  if (failed(operands))
    return failure();
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) {
    Type i32 = b.getI32Type(), f32 = b.getF32Type();
    Value code = convertScalar(b, args[0], ctx.isUnsigned(0), i32, false);
    if (args.size() == 3) {
      Value zero = convertScalar(b, args[2], ctx.isUnsigned(2), i32, false);
      code = arith::SubIOp::create(b, code, zero);
    }
    Value value =
        arith::MulFOp::create(b, convertScalar(b, code, false, f32, false),
                              convertFloat(b, args[1], f32));
    return convertFloat(b, value, result);
  };
  return single(elementwise(ctx, *operands, result, body));
}

//===----------------------------------------------------------------------===//
// DynamicQuantizeLinear
//===----------------------------------------------------------------------===//

// The least (greatest) element of the f32 tensor, or 0 if that is less
// (greater).
template <typename Op>
static Value extremeOrZero(LoweringContext &ctx, Value tensor) {
  auto combine = [](ImplicitLocOpBuilder &b, Value x, Value acc) -> Value {
    return Op::create(b, acc, x);
  };
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  auto axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  Value zero = scalarConstant(ctx.b, ctx.b.getF32Type(), 0);
  Value reduced = reduceDims(ctx.b, tensor, axes, zero, combine);
  SmallVector<Value> first(rank, arith::ConstantIndexOp::create(ctx.b, 0));
  return tensor::ExtractOp::create(ctx.b, reduced, first);
}

static Value scalarTensor(LoweringContext &ctx, Value scalar) {
  return tensor::FromElementsOp::create(
      ctx.b, RankedTensorType::get({}, scalar.getType()), scalar);
}

// As onnxruntime does, a tensor of zeros gets the scale 1.
static LoweringResult lowerDynamicQuantizeLinear(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  Type f32 = b.getF32Type();
  Value least = extremeOrZero<arith::MinimumFOp>(ctx, ctx.input(0));
  Value greatest = extremeOrZero<arith::MaximumFOp>(ctx, ctx.input(0));
  Value span = arith::SubFOp::create(b, greatest, least);
  Value scale = arith::DivFOp::create(b, span, scalarConstant(b, f32, 255));
  Value isZero = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, scale,
                                       scalarConstant(b, f32, 0));
  scale = arith::SelectOp::create(b, isZero, scalarConstant(b, f32, 1), scale);
  CodeRange range = {0, 255, true};
  Value none = scalarConstant(b, b.getI8Type(), 0);
  Value negated = arith::SubFOp::create(b, scalarConstant(b, f32, 0),
                                        arith::DivFOp::create(b, least, scale));
  Value zeroPoint = quantizeScalar(b, negated, none, range);

  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) {
    Value ratio = arith::DivFOp::create(b, args[0], scale);
    return quantizeScalar(b, ratio, zeroPoint, range);
  };
  FailureOr<Value> codes = elementwise(ctx, ctx.input(0), b.getI8Type(), body);
  if (failed(codes))
    return failure();
  return SmallVector<Value>{*codes, scalarTensor(ctx, scale),
                            scalarTensor(ctx, zeroPoint)};
}

void tern::onnx::addQuantizationLowerings(LoweringTable &table) {
  table["QuantizeLinear"] = lowerQuantizeLinear;
  table["DequantizeLinear"] = lowerDequantizeLinear;
  table["DynamicQuantizeLinear"] = lowerDynamicQuantizeLinear;
}
