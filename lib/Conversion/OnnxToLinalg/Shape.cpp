//===- Shape.cpp - shapes as values, and tensors made from them -----------===//

#include "Movement.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tern::onnx;

static LoweringResult lowerIdentity(LoweringContext &ctx) {
  return SmallVector<Value>{ctx.input(0)};
}

//===----------------------------------------------------------------------===//
// Shape, Size
//===----------------------------------------------------------------------===//

// Bounds beyond the rank are clamped to it (opset 15).
static int64_t clampToRank(int64_t bound, int64_t rank) {
  return std::clamp<int64_t>(bound < 0 ? bound + rank : bound, 0, rank);
}

static LoweringResult lowerShape(LoweringContext &ctx) {
  int64_t rank = ctx.type(0).getRank();
  int64_t start = clampToRank(ctx.node.getInt("start", 0), rank);
  int64_t end = clampToRank(ctx.node.getInt("end", rank), rank);
  SmallVector<Value> scalars;
  for (int64_t dim = start; dim < end; ++dim)
    scalars.push_back(scalarFromSize(ctx.b, sizeOf(ctx.b, ctx.input(0), dim),
                                     ctx.b.getI64Type()));
  int64_t count = scalars.size();
  auto type = RankedTensorType::get({count}, ctx.b.getI64Type());
  return SmallVector<Value>{tensorOfScalars(ctx.b, type, scalars)};
}

static LoweringResult lowerSize(LoweringContext &ctx) {
  OpFoldResult count = productOf(ctx.b, sizesOf(ctx.b, ctx.input(0)));
  Type i64 = ctx.b.getI64Type();
  return SmallVector<Value>{tensorOfScalars(ctx.b,
                                            RankedTensorType::get({}, i64),
                                            scalarFromSize(ctx.b, count, i64))};
}

//===----------------------------------------------------------------------===//
// Expand, ConstantOfShape
//===----------------------------------------------------------------------===//

// The sizes that input `index` holds; negative ones are errors.
static FailureOr<Sizes> sizesFromInput(LoweringContext &ctx, unsigned index) {
  FailureOr<Sizes> sizes = indicesFromInput(ctx, index);
  if (failed(sizes))
    return failure();
  for (OpFoldResult size : *sizes) {
    std::optional<int64_t> constant = getConstantIntValue(size);
    if (constant && *constant < 0)
      return ctx.error() << "found the size " << *constant
                         << "; expected at least 0";
    if (!isNonNegative(size))
      checkAtMost(ctx, ctx.b.getIndexAttr(0), size, "a size is negative");
  }
  return sizes;
}

static LoweringResult lowerExpand(LoweringContext &ctx) {
  FailureOr<Sizes> target = sizesFromInput(ctx, 1);
  if (failed(target))
    return failure();
  SmallVector<OpFoldResult> source = sizesOf(ctx.b, ctx.input(0));
  FailureOr<SmallVector<OpFoldResult>> sizes =
      broadcastSizes(ctx, {source, *target});
  if (failed(sizes))
    return failure();
  return SmallVector<Value>{broadcastTo(ctx, ctx.input(0), *sizes)};
}

// The element that attribute `value` holds; a float zero where it is absent.
static FailureOr<TypedAttr> fillValue(LoweringContext &ctx) {
  Attribute value = ctx.node.getNodeAttr("value");
  if (!value)
    return TypedAttr(ctx.b.getF32FloatAttr(0));
  auto elements = dyn_cast<DenseElementsAttr>(value);
  if (!elements || elements.getNumElements() != 1)
    return ctx.error() << "attribute 'value' is " << value
                       << "; expected a tensor of one element";
  auto element = *elements.value_begin<Attribute>();
  Type type = lowerElementType(elements.getElementType());
  if (auto integer = dyn_cast<IntegerAttr>(element)) {
    unsigned width = type.getIntOrFloatBitWidth();
    bool isUnsigned = elements.getElementType().isUnsignedInteger();
    return TypedAttr(ctx.b.getIntegerAttr(
        type, isUnsigned ? integer.getValue().zextOrTrunc(width)
                         : integer.getValue().sextOrTrunc(width)));
  }
  return cast<TypedAttr>(element);
}

static LoweringResult lowerConstantOfShape(LoweringContext &ctx) {
  FailureOr<Sizes> sizes = sizesFromInput(ctx, 0);
  FailureOr<TypedAttr> value = fillValue(ctx);
  if (failed(sizes) || failed(value))
    return failure();
  RankedTensorType type = typeWithSizes(*sizes, value->getType());
  if (type.hasStaticShape())
    return SmallVector<Value>{arith::ConstantOp::create(
        ctx.b, DenseElementsAttr::get(type, Attribute(*value)))};
  Value scalar = arith::ConstantOp::create(ctx.b, *value);
  return SmallVector<Value>{filledTensor(ctx.b, *sizes, scalar)};
}

//===----------------------------------------------------------------------===//
// Range
//===----------------------------------------------------------------------===//

// ceil((limit - start) / delta) elements, none where that is negative.
static OpFoldResult countIntegers(LoweringContext &ctx, Value start,
                                  Value limit, Value delta) {
  ImplicitLocOpBuilder &b = ctx.b;
  OpFoldResult step = sizeFromScalar(b, delta);
  if (!getConstantIntValue(step))
    ctx.check(b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ne,
                                            indexValue(b, step),
                                            indexValue(b, b.getIndexAttr(0))),
              "delta is 0");
  OpFoldResult extent =
      subtractSizes(b, sizeFromScalar(b, limit), sizeFromScalar(b, start));
  return maxIndex(b, ceilDivide(b, extent, step), b.getIndexAttr(0));
}

// The same, as onnxruntime computes it: the difference in the type of the
// range, the quotient in double. NaN gives no elements.
static OpFoldResult countFloats(ImplicitLocOpBuilder &b, Value start,
                                Value limit, Value delta) {
  Type f64 = b.getF64Type();
  auto widen = [&](Value value) -> Value {
    if (value.getType() == f64)
      return value;
    return b.createOrFold<arith::ExtFOp>(f64, value);
  };
  Value extent = b.createOrFold<arith::SubFOp>(limit, start);
  Value count = b.createOrFold<math::CeilOp>(
      b.createOrFold<arith::DivFOp>(widen(extent), widen(delta)));
  // Keeps the conversion defined: 2^53 elements fit no memory.
  count = b.createOrFold<arith::MaxNumFOp>(count, scalarConstant(b, f64, 0));
  count = b.createOrFold<arith::MinNumFOp>(
      count, scalarConstant(b, f64, 9007199254740992.0));
  return sizeFromScalar(b,
                        b.createOrFold<arith::FPToSIOp>(b.getI64Type(), count));
}

static Value elementOfRange(ImplicitLocOpBuilder &b, Value index, Value start,
                            Value delta) {
  Type type = start.getType();
  if (isa<FloatType>(type)) {
    Value i = arith::IndexCastOp::create(b, b.getI64Type(), index);
    i = arith::SIToFPOp::create(b, type, i);
    return arith::AddFOp::create(b, start, arith::MulFOp::create(b, i, delta));
  }
  Value i = b.createOrFold<arith::IndexCastOp>(type, index);
  return b.createOrFold<arith::AddIOp>(start,
                                       b.createOrFold<arith::MulIOp>(i, delta));
}

// A short range of constants, as the constant it is.
static std::optional<Value> constantRange(LoweringContext &ctx, Value start,
                                          Value delta, OpFoldResult size) {
  constexpr int64_t maxFolded = 64;
  APInt first, step;
  std::optional<int64_t> count = getConstantIntValue(size);
  if (!count || *count > maxFolded ||
      !matchPattern(start, m_ConstantInt(&first)) ||
      !matchPattern(delta, m_ConstantInt(&step)))
    return std::nullopt;
  SmallVector<APInt> values;
  for (int64_t i = 0; i < *count; ++i, first += step)
    values.push_back(first);
  auto type = RankedTensorType::get({*count}, start.getType());
  return arith::ConstantOp::create(ctx.b, DenseElementsAttr::get(type, values))
      .getResult();
}

static LoweringResult lowerRange(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  SmallVector<Value, 3> scalars;
  for (unsigned index = 0; index < 3; ++index) {
    if (!ctx.input(index) || !ctx.type(index).hasStaticShape() ||
        ctx.type(index).getNumElements() != 1 || ctx.type(index).getRank() > 1)
      return ctx.error() << "input " << index
                         << " is no scalar; expected start, limit and delta";
    scalars.push_back(scalarsOf(b, ctx.input(index)).front());
  }
  Value start = scalars[0], limit = scalars[1], delta = scalars[2];
  if (matchPattern(delta, m_Zero()) || matchPattern(delta, m_AnyZeroFloat()))
    return ctx.error() << "delta is 0";
  Type type = start.getType();
  OpFoldResult size = isa<FloatType>(type)
                          ? countFloats(b, start, limit, delta)
                          : countIntegers(ctx, start, limit, delta);
  if (std::optional<Value> constant = constantRange(ctx, start, delta, size))
    return SmallVector<Value>{*constant};
  return SmallVector<Value>{
      generate(b, size, type, {},
               [&](ImplicitLocOpBuilder &body, ValueRange indices, ValueRange) {
                 return elementOfRange(body, indices[0], start, delta);
               })};
}

void tern::onnx::addShapeLowerings(LoweringTable &table) {
  table["Identity"] = lowerIdentity;
  table["Shape"] = lowerShape;
  table["Size"] = lowerSize;
  table["Expand"] = lowerExpand;
  table["ConstantOfShape"] = lowerConstantOfShape;
  table["Range"] = lowerRange;
  addReshapeLowerings(table);
}
