//===- Slice.cpp - parts of a tensor --------------------------------------===//

#include "Movement.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tern::onnx;

namespace {
/// What is taken along one axis: `size` elements from `offset` on.
struct Extent {
  OpFoldResult offset, size;
  int64_t step = 1;
};
} // namespace

// A bound counted from the front, clamped to [low, high]. Needs high >= -1.
static OpFoldResult clampBound(ImplicitLocOpBuilder &b, OpFoldResult bound,
                               OpFoldResult size, OpFoldResult low,
                               OpFoldResult high) {
  if (std::optional<int64_t> constant = getConstantIntValue(bound)) {
    if (*constant < 0)
      return maxIndex(b, addSizes(b, size, bound), low);
    if (*constant == std::numeric_limits<int64_t>::max())
      return high;
    return minIndex(b, bound, high);
  }
  if (isNonNegative(bound))
    return minIndex(b, bound, high);
  Value isNegative = b.createOrFold<arith::CmpIOp>(
      arith::CmpIPredicate::slt, indexValue(b, bound),
      indexValue(b, b.getIndexAttr(0)));
  OpFoldResult wrapped = getAsOpFoldResult(b.createOrFold<arith::SelectOp>(
      isNegative, indexValue(b, addSizes(b, bound, size)),
      indexValue(b, bound)));
  return minIndex(b, maxIndex(b, wrapped, low), high);
}

static Extent forwardExtent(ImplicitLocOpBuilder &b, OpFoldResult start,
                            OpFoldResult end, int64_t step, OpFoldResult size) {
  OpFoldResult zero = b.getIndexAttr(0);
  start = clampBound(b, start, size, zero, size);
  // No offset of a slice may be the end, not even where it takes nothing.
  if (areSameSize(start, size))
    return {zero, zero, step};
  end = clampBound(b, end, size, zero, size);
  OpFoldResult length = subtractSizes(b, end, start);
  // A start is at most `size`, so nothing is negative where that is the end.
  if (!areSameSize(end, size) && !isConstantIntValue(start, 0))
    length = maxIndex(b, length, zero);
  return {start, ceilDivide(b, length, b.getIndexAttr(step)), step};
}

// As the specification clamps: starts to [0, size - 1], ends to [-1, size - 1].
static Extent backwardExtent(ImplicitLocOpBuilder &b, OpFoldResult start,
                             OpFoldResult end, int64_t step,
                             OpFoldResult size) {
  OpFoldResult zero = b.getIndexAttr(0), none = b.getIndexAttr(-1);
  OpFoldResult last = subtractSizes(b, size, b.getIndexAttr(1));
  // The last is -1 where there is no element: clamped to it after the zero.
  start = minIndex(b, clampBound(b, start, size, zero, last), last);
  end = clampBound(b, end, size, none, last);
  OpFoldResult length = maxIndex(b, subtractSizes(b, start, end), zero);
  return {start, ceilDivide(b, length, b.getIndexAttr(-step)), step};
}

static Value takeBackwards(LoweringContext &ctx, Value tensor, int64_t axis,
                           const Extent &extent) {
  ImplicitLocOpBuilder &b = ctx.b;
  SmallVector<OpFoldResult> sizes = sizesOf(b, tensor);
  sizes[axis] = extent.size;
  Value offset = indexValue(b, extent.offset);
  Value step = indexValue(b, b.getIndexAttr(extent.step));
  return generate(
      b, sizes, cast<RankedTensorType>(tensor.getType()).getElementType(), {},
      [&](ImplicitLocOpBuilder &body, ValueRange indices, ValueRange) {
        SmallVector<Value> source(indices);
        source[axis] = arith::AddIOp::create(
            body, offset, arith::MulIOp::create(body, indices[axis], step));
        return tensor::ExtractOp::create(body, tensor, source).getResult();
      });
}

// A slice of scalars, where they and the extent are known.
static Value takeScalars(ImplicitLocOpBuilder &b, Value tensor,
                         const Extent &extent) {
  auto type = cast<RankedTensorType>(tensor.getType());
  std::optional<int64_t> offset = getConstantIntValue(extent.offset);
  std::optional<int64_t> size = getConstantIntValue(extent.size);
  if (type.getRank() != 1 || !offset || !size)
    return {};
  std::optional<SmallVector<Value>> scalars = knownScalars(b, tensor);
  if (!scalars)
    return {};
  SmallVector<Value> taken;
  for (int64_t i = 0; i < *size; ++i)
    taken.push_back((*scalars)[*offset + i * extent.step]);
  return tensorOfScalars(b, type.clone({*size}), taken);
}

static Value take(LoweringContext &ctx, Value tensor, int64_t axis,
                  const Extent &extent) {
  if (Value scalars = takeScalars(ctx.b, tensor, extent))
    return scalars;
  if (extent.step < 0)
    return takeBackwards(ctx, tensor, axis, extent);
  return sliceAlong(ctx.b, tensor, axis, extent.offset, extent.size,
                    extent.step);
}

// The bounds that attribute `name` (opset 9 and older) or input `index` holds.
static FailureOr<Sizes> boundsOf(LoweringContext &ctx, StringRef name,
                                 unsigned index) {
  std::optional<ArrayRef<int64_t>> attr = ctx.node.getInts(name);
  if (!attr)
    return indicesFromInput(ctx, index);
  Sizes bounds;
  for (int64_t bound : *attr)
    bounds.push_back(ctx.b.getIndexAttr(bound));
  return bounds;
}

// The constants of attribute `name` or input `index`; `fallback` where neither
// is there.
static FailureOr<SmallVector<int64_t>> constantsOf(LoweringContext &ctx,
                                                   StringRef name,
                                                   unsigned index,
                                                   ArrayRef<int64_t> fallback) {
  SmallVector<int64_t> constants(fallback);
  if (std::optional<ArrayRef<int64_t>> attr = ctx.node.getInts(name)) {
    constants.assign(attr->begin(), attr->end());
  } else if (ctx.input(index)) {
    std::optional<SmallVector<int64_t>> ints = ctx.constantInts(index);
    if (!ints)
      return ctx.error() << "found " << name
                         << " that are computed; expected constants";
    constants = *ints;
  }
  if (constants.size() != fallback.size())
    return ctx.error() << "found " << constants.size() << " " << name << " for "
                       << fallback.size() << " starts";
  return constants;
}

static LoweringResult lowerSlice(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  FailureOr<Sizes> starts = boundsOf(ctx, "starts", 1);
  FailureOr<Sizes> ends = boundsOf(ctx, "ends", 2);
  if (failed(starts) || failed(ends))
    return failure();
  if (starts->size() != ends->size())
    return ctx.error() << "found " << starts->size() << " starts and "
                       << ends->size() << " ends";
  FailureOr<SmallVector<int64_t>> axes = constantsOf(
      ctx, "axes", 3, llvm::to_vector(llvm::seq<int64_t>(0, starts->size())));
  FailureOr<SmallVector<int64_t>> steps =
      constantsOf(ctx, "steps", 4, SmallVector<int64_t>(starts->size(), 1));
  if (failed(axes) || failed(steps))
    return failure();

  Value tensor = ctx.input(0);
  for (auto [start, end, axisInput, step] :
       llvm::zip_equal(*starts, *ends, *axes, *steps)) {
    FailureOr<int64_t> axis =
        normalizeAxis(ctx, axisInput, ctx.type(0).getRank());
    if (failed(axis))
      return failure();
    if (step == 0 || step == std::numeric_limits<int64_t>::min())
      return ctx.error() << "found the step " << step;
    OpFoldResult size = sizeOf(b, tensor, *axis);
    Extent extent = step > 0 ? forwardExtent(b, start, end, step, size)
                             : backwardExtent(b, start, end, step, size);
    tensor = take(ctx, tensor, *axis, extent);
  }
  return SmallVector<Value>{tensor};
}

void tern::onnx::addSliceLowerings(LoweringTable &table) {
  table["Slice"] = lowerSlice;
}
