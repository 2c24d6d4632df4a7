//===- Scatter.cpp - writes at indices that are data ----------------------===//
//
// Updates are applied one after the other, as indices may repeat. The loops
// carry the tensor, so that bufferization writes in place. Indices are checked
// before the loops.
//
//===----------------------------------------------------------------------===//

#include "Movement.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

namespace {
enum class Reduction { None, Add, Mul, Max, Min };
} // namespace

static FailureOr<Reduction> reductionOf(LoweringContext &ctx) {
  StringRef name = ctx.node.getString("reduction", "none");
  if (name == "none")
    return Reduction::None;
  if (name == "add")
    return Reduction::Add;
  if (name == "mul")
    return Reduction::Mul;
  if (name == "max")
    return Reduction::Max;
  if (name == "min")
    return Reduction::Min;
  return ctx.error() << "found reduction '" << name
                     << "'; expected none, add, mul, max or min";
}

static Value reduceScalars(ImplicitLocOpBuilder &b, Reduction reduction,
                           bool isUnsigned, Value old, Value update) {
  bool isFloat = isa<FloatType>(old.getType());
  switch (reduction) {
  case Reduction::None:
    return update;
  case Reduction::Add:
    return isFloat ? arith::AddFOp::create(b, old, update).getResult()
                   : arith::AddIOp::create(b, old, update).getResult();
  case Reduction::Mul:
    return isFloat ? arith::MulFOp::create(b, old, update).getResult()
                   : arith::MulIOp::create(b, old, update).getResult();
  case Reduction::Max:
    if (isFloat)
      return arith::MaximumFOp::create(b, old, update);
    return isUnsigned ? arith::MaxUIOp::create(b, old, update).getResult()
                      : arith::MaxSIOp::create(b, old, update).getResult();
  case Reduction::Min:
    if (isFloat)
      return arith::MinimumFOp::create(b, old, update);
    return isUnsigned ? arith::MinUIOp::create(b, old, update).getResult()
                      : arith::MinSIOp::create(b, old, update).getResult();
  }
  llvm_unreachable("a reduction has no case");
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

using StepFn = llvm::function_ref<Value(ImplicitLocOpBuilder &, Value index,
                                        Value carried)>;

// Applies `step` to `init` and the indices below `count`, in order.
static Value repeat(ImplicitLocOpBuilder &b, OpFoldResult count, Value init,
                    StepFn step) {
  Value zero = indexValue(b, b.getIndexAttr(0));
  Value one = indexValue(b, b.getIndexAttr(1));
  auto loop = scf::ForOp::create(
      b, zero, indexValue(b, count), one, init,
      [&](OpBuilder &builder, Location loc, Value index, ValueRange carried) {
        ImplicitLocOpBuilder body(loc, builder);
        scf::YieldOp::create(body, step(body, index, carried[0]));
      });
  return loop.getResult(0);
}

using NestFn = llvm::function_ref<Value(ImplicitLocOpBuilder &,
                                        ValueRange indices, Value carried)>;

// Applies `step` to `init` and all indices below `sizes`, row by row.
static Value repeatNested(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> sizes,
                          Value init, NestFn step) {
  SmallVector<Value> indices;
  std::function<Value(ImplicitLocOpBuilder &, Value)> descend =
      [&](ImplicitLocOpBuilder &body, Value carried) -> Value {
    if (indices.size() == sizes.size())
      return step(body, indices, carried);
    return repeat(body, sizes[indices.size()], carried,
                  [&](ImplicitLocOpBuilder &inner, Value index, Value value) {
                    indices.push_back(index);
                    Value result = descend(inner, value);
                    indices.pop_back();
                    return result;
                  });
  };
  return descend(b, init);
}

//===----------------------------------------------------------------------===//
// ScatterElements, ScatterND
//===----------------------------------------------------------------------===//

static LogicalResult checkUpdates(LoweringContext &ctx,
                                  ArrayRef<OpFoldResult> expected) {
  SmallVector<OpFoldResult> found = sizesOf(ctx.b, ctx.input(2));
  if (found.size() != expected.size())
    return ctx.error() << "the updates have rank " << found.size()
                       << "; expected " << expected.size();
  for (auto [lhs, rhs] : llvm::zip_equal(found, expected))
    if (failed(
            checkSameSize(ctx, lhs, rhs, "the updates do not fit the indices")))
      return failure();
  return success();
}

static LogicalResult checkInputs(LoweringContext &ctx) {
  if (!ctx.input(0) || !ctx.input(1) || !ctx.input(2))
    return ctx.error() << "expected data, indices and updates";
  if (!ctx.type(1).getElementType().isIntOrIndex())
    return ctx.error() << "input 1 holds no integer indices";
  return success();
}

static LoweringResult lowerScatterElements(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  FailureOr<Reduction> reduction = reductionOf(ctx);
  if (failed(checkInputs(ctx)) || failed(reduction))
    return failure();
  int64_t rank = ctx.type(0).getRank();
  FailureOr<int64_t> axis =
      normalizeAxis(ctx, ctx.node.getInt("axis", 0), rank);
  if (failed(axis))
    return failure();
  SmallVector<OpFoldResult> sizes = sizesOf(b, ctx.input(1));
  SmallVector<OpFoldResult> dataSizes = sizesOf(b, ctx.input(0));
  if (static_cast<int64_t>(sizes.size()) != rank)
    return ctx.error() << "the indices have rank " << sizes.size()
                       << "; expected " << rank;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != *axis)
      checkAtMost(ctx, sizes[dim], dataSizes[dim],
                  "the indices are larger than the data");
  OpFoldResult limit = dataSizes[*axis];
  if (failed(checkUpdates(ctx, sizes)) ||
      failed(checkIndices(ctx, ctx.input(1), limit)))
    return failure();
  bool isUnsigned = ctx.isUnsigned(0);
  return SmallVector<Value>{repeatNested(
      b, sizes, ctx.input(0),
      [&](ImplicitLocOpBuilder &body, ValueRange indices, Value carried) {
        Value index = tensor::ExtractOp::create(body, ctx.input(1), indices);
        Value update = tensor::ExtractOp::create(body, ctx.input(2), indices);
        SmallVector<Value> target(indices);
        target[*axis] = wrapIndex(body, index, limit);
        Value old =
            *reduction == Reduction::None
                ? update
                : tensor::ExtractOp::create(body, carried, target).getResult();
        Value merged = reduceScalars(body, *reduction, isUnsigned, old, update);
        return tensor::InsertOp::create(body, merged, carried, target)
            .getResult();
      })};
}

static Value reduceSlices(ImplicitLocOpBuilder &b, Reduction reduction,
                          bool isUnsigned, Value old, Value update) {
  if (reduction == Reduction::None)
    return update;
  auto type = cast<RankedTensorType>(update.getType());
  AffineMap map = b.getMultiDimIdentityMap(type.getRank());
  return generate(
      b, sizesOf(b, update), type.getElementType(),
      {BroadcastOperand{old, map}, BroadcastOperand{update, map}},
      [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) {
        return reduceScalars(body, reduction, isUnsigned, scalars[0],
                             scalars[1]);
      });
}

namespace {
/// ScatterND as a list of tuples and a list of slices to write there.
struct SliceUpdates {
  Value tuples; // [count, length]
  Value slices; // [count, sliceSizes...]
  OpFoldResult count;
  int64_t length;
  Sizes sliceSizes;
};
} // namespace

static FailureOr<SliceUpdates>
flattenUpdates(LoweringContext &ctx, ArrayRef<OpFoldResult> dataSizes) {
  ImplicitLocOpBuilder &b = ctx.b;
  RankedTensorType indexType = ctx.type(1);
  int64_t tupleRank = indexType.getRank();
  if (tupleRank < 1 || indexType.isDynamicDim(tupleRank - 1) ||
      indexType.getShape().back() > static_cast<int64_t>(dataSizes.size()))
    return ctx.error() << "the indices have type " << indexType
                       << "; expected tuples of static length, at most "
                       << dataSizes.size();
  SliceUpdates updates;
  updates.length = indexType.getShape().back();
  updates.sliceSizes.assign(dataSizes.begin() + updates.length,
                            dataSizes.end());
  SmallVector<OpFoldResult> outer = sizesOf(b, ctx.input(1));
  outer.pop_back();
  updates.count = productOf(b, outer);
  Sizes expected(outer);
  llvm::append_range(expected, updates.sliceSizes);
  if (failed(checkUpdates(ctx, expected)))
    return failure();
  Sizes flat{updates.count};
  llvm::append_range(flat, updates.sliceSizes);
  FailureOr<Value> tuples = reshapeTo(
      ctx, ctx.input(1), {updates.count, b.getIndexAttr(updates.length)});
  FailureOr<Value> slices =
      reshapeTo(ctx, castToSizes(b, ctx.input(2), expected), flat);
  if (failed(tuples) || failed(slices))
    return failure();
  updates.tuples = *tuples;
  updates.slices = *slices;
  return updates;
}

// Offsets and sizes of the slice at `indices`, whose leading dimensions have
// size 1.
static std::pair<Sizes, Sizes> sliceAt(ImplicitLocOpBuilder &b,
                                       ArrayRef<Value> indices,
                                       ArrayRef<OpFoldResult> sliceSizes) {
  Sizes offsets(indices.begin(), indices.end());
  offsets.append(sliceSizes.size(), b.getIndexAttr(0));
  Sizes sizes(indices.size(), b.getIndexAttr(1));
  llvm::append_range(sizes, sliceSizes);
  return {offsets, sizes};
}

static Value writeSlice(ImplicitLocOpBuilder &b, const SliceUpdates &updates,
                        ArrayRef<OpFoldResult> dataSizes, Reduction reduction,
                        bool isUnsigned, Value position, Value data) {
  SmallVector<Value> target;
  for (int64_t component = 0; component < updates.length; ++component) {
    Value index = tensor::ExtractOp::create(
        b, updates.tuples,
        ValueRange{position, indexValue(b, b.getIndexAttr(component))});
    target.push_back(wrapIndex(b, index, dataSizes[component]));
  }
  Type elementType =
      cast<RankedTensorType>(updates.slices.getType()).getElementType();
  RankedTensorType sliceType = typeWithSizes(updates.sliceSizes, elementType);
  auto extract = [&](Value tensor, ArrayRef<Value> indices) -> Value {
    auto [offsets, sizes] = sliceAt(b, indices, updates.sliceSizes);
    Sizes strides(sizes.size(), b.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(b, sliceType, tensor, offsets, sizes,
                                          strides);
  };
  Value update = extract(updates.slices, position);
  if (reduction != Reduction::None)
    update =
        reduceSlices(b, reduction, isUnsigned, extract(data, target), update);
  auto [offsets, sizes] = sliceAt(b, target, updates.sliceSizes);
  Sizes strides(sizes.size(), b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(b, update, data, offsets, sizes,
                                       strides);
}

static LoweringResult lowerScatterND(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  FailureOr<Reduction> reduction = reductionOf(ctx);
  if (failed(checkInputs(ctx)) || failed(reduction))
    return failure();
  SmallVector<OpFoldResult> dataSizes = sizesOf(b, ctx.input(0));
  FailureOr<SliceUpdates> updates = flattenUpdates(ctx, dataSizes);
  if (failed(updates))
    return failure();
  if (updates->length != 0 &&
      failed(checkIndices(ctx, updates->tuples,
                          ArrayRef(dataSizes).take_front(updates->length))))
    return failure();
  return SmallVector<Value>{
      repeat(b, updates->count, castToSizes(b, ctx.input(0), dataSizes),
             [&](ImplicitLocOpBuilder &body, Value position, Value data) {
               return writeSlice(body, *updates, dataSizes, *reduction,
                                 ctx.isUnsigned(0), position, data);
             })};
}

//===----------------------------------------------------------------------===//
// TensorScatter
//===----------------------------------------------------------------------===//

// Writes `count` rows of `update` from `from` on to `cache` from `to` on, along
// `axis`, for one index of dimension 0.
static Value copyRows(ImplicitLocOpBuilder &b, Value update, Value cache,
                      int64_t axis, Value batch, OpFoldResult from,
                      OpFoldResult to, OpFoldResult count) {
  SmallVector<OpFoldResult> sizes = sizesOf(b, update);
  Sizes source(sizes.size(), b.getIndexAttr(0)), target(source);
  sizes[0] = b.getIndexAttr(1);
  sizes[axis] = count;
  source[0] = target[0] = batch;
  source[axis] = from;
  target[axis] = to;
  return insertInto(b, sliceOf(b, update, source, sizes), cache, target);
}

// The rows of one batch; those behind the end of the cache go to its start.
static Value copyCircularly(ImplicitLocOpBuilder &b, Value update, Value cache,
                            int64_t axis, Value batch, OpFoldResult length,
                            OpFoldResult capacity, Value start) {
  OpFoldResult zero = b.getIndexAttr(0);
  // A cache without rows gets none; its modulus only has to be defined.
  Value modulus = indexValue(b, maxIndex(b, capacity, b.getIndexAttr(1)));
  OpFoldResult first = b.createOrFold<arith::RemSIOp>(start, modulus);
  OpFoldResult head = minIndex(b, length, subtractSizes(b, capacity, first));
  cache = copyRows(b, update, cache, axis, batch, zero, first, head);
  return copyRows(b, update, cache, axis, batch, head, zero,
                  subtractSizes(b, length, head));
}

static LogicalResult checkCache(LoweringContext &ctx, int64_t axis,
                                ArrayRef<OpFoldResult> cacheSizes,
                                ArrayRef<OpFoldResult> sizes) {
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    if (static_cast<int64_t>(dim) == axis)
      checkAtMost(ctx, size, cacheSizes[dim], "the update exceeds the cache");
    else if (failed(checkSameSize(ctx, cacheSizes[dim], size,
                                  "cache and update differ")))
      return failure();
  }
  return success();
}

static LoweringResult lowerTensorScatter(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  int64_t rank = ctx.type(0).getRank();
  FailureOr<int64_t> axis =
      normalizeAxis(ctx, ctx.node.getInt("axis", -2), rank);
  if (failed(axis))
    return failure();
  StringRef mode = ctx.node.getString("mode", "linear");
  if (mode != "linear" && mode != "circular")
    return ctx.error() << "found mode '" << mode
                       << "'; expected linear or circular";
  if (!ctx.input(1) || ctx.type(1).getRank() != rank || *axis == 0)
    return ctx.error() << "expected an update of rank " << rank
                       << " and an axis other than the batch's";
  SmallVector<OpFoldResult> cacheSizes = sizesOf(b, ctx.input(0));
  SmallVector<OpFoldResult> sizes = sizesOf(b, ctx.input(1));
  if (failed(checkCache(ctx, *axis, cacheSizes, sizes)))
    return failure();
  OpFoldResult length = sizes[*axis], capacity = cacheSizes[*axis];
  sizes = cacheSizes;
  sizes[*axis] = length;
  Value cache = castToSizes(b, ctx.input(0), cacheSizes);
  Value update = castToSizes(b, ctx.input(1), sizes);
  if (!ctx.input(2))
    return SmallVector<Value>{
        insertAlong(b, update, cache, *axis, b.getIndexAttr(0))};
  if (ctx.type(2).getRank() != 1 ||
      failed(checkSameSize(ctx, sizeOf(b, ctx.input(2), 0), sizes[0],
                           "expected one write index for each batch")))
    return ctx.error() << "the write indices have type " << ctx.type(2);
  bool isCircular = mode == "circular";
  return SmallVector<Value>{repeat(
      b, sizes[0], cache,
      [&](ImplicitLocOpBuilder &body, Value batch, Value carried) {
        LoweringContext inner{ctx.node, ctx.inputs, ctx.inputTypes, body};
        Value index = tensor::ExtractOp::create(body, ctx.input(2), batch);
        Value start = indexValue(body, sizeFromScalar(body, index));
        checkAtMost(inner, body.getIndexAttr(0), start,
                    "a write index is negative");
        if (isCircular)
          return copyCircularly(body, update, carried, *axis, batch, length,
                                capacity, start);
        checkAtMost(inner, start, subtractSizes(body, capacity, length),
                    "a write index is too large for the cache");
        return copyRows(body, update, carried, *axis, batch,
                        body.getIndexAttr(0), start, length);
      })};
}

void tern::onnx::addScatterLowerings(LoweringTable &table) {
  table["ScatterElements"] = lowerScatterElements;
  table["ScatterND"] = lowerScatterND;
  table["TensorScatter"] = lowerTensorScatter;
}
