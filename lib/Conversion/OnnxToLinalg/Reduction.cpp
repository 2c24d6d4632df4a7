//===- Reduction.cpp - reductions along axes ------------------------------===//

#include "Reduction.h"

#include "Broadcast.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

using Sizes = SmallVector<OpFoldResult>;

//===----------------------------------------------------------------------===//
// Building reductions
//===----------------------------------------------------------------------===//

Type tern::onnx::accumulatorType(ImplicitLocOpBuilder &b, Type type) {
  return type.isF16() || type.isBF16() ? b.getF32Type() : type;
}

// Which dimension of the source each dimension that is kept comes from.
static SmallVector<int64_t> keptDims(int64_t rank, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> kept;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!llvm::is_contained(axes, dim))
      kept.push_back(dim);
  return kept;
}

// Groups the dimensions of a tensor with `rank` dimensions so that each group
// has one that is not in `axes`; no group where all are.
static SmallVector<ReassociationIndices>
groupsAroundAxes(int64_t rank, ArrayRef<int64_t> axes) {
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices leading;
  for (int64_t dim = 0; dim < rank; ++dim) {
    bool isReduced = llvm::is_contained(axes, dim);
    if (isReduced && groups.empty()) {
      leading.push_back(dim);
      continue;
    }
    if (!isReduced)
      groups.push_back(groups.empty() ? leading : ReassociationIndices());
    groups.back().push_back(dim);
  }
  return groups;
}

// Puts dimensions of size 1 back where `axes` were reduced.
static Value restoreDims(ImplicitLocOpBuilder &b, Value reduced,
                         ArrayRef<OpFoldResult> sourceSizes,
                         ArrayRef<int64_t> axes) {
  Sizes sizes(sourceSizes);
  for (int64_t axis : axes)
    sizes[axis] = b.getIndexAttr(1);
  Type elementType = cast<RankedTensorType>(reduced.getType()).getElementType();
  return tensor::ExpandShapeOp::create(
      b, typeWithSizes(sizes, elementType), reduced,
      groupsAroundAxes(sizes.size(), axes), sizes);
}

static Value dropDims(ImplicitLocOpBuilder &b, Value tensor,
                      ArrayRef<int64_t> axes) {
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  return tensor::CollapseShapeOp::create(b, tensor,
                                         groupsAroundAxes(rank, axes));
}

// The loops of a reduction and how it writes its result.
static SmallVector<utils::IteratorType> reductionLoops(int64_t rank,
                                                       ArrayRef<int64_t> axes) {
  SmallVector<utils::IteratorType> loops = parallelLoops(rank);
  for (int64_t axis : axes)
    loops[axis] = utils::IteratorType::reduction;
  return loops;
}

static AffineMap keptMap(ImplicitLocOpBuilder &b, int64_t rank,
                         ArrayRef<int64_t> axes) {
  SmallVector<AffineExpr> exprs;
  for (int64_t dim : keptDims(rank, axes))
    exprs.push_back(b.getAffineDimExpr(dim));
  return AffineMap::get(rank, 0, exprs, b.getContext());
}

static Sizes keptSizes(ArrayRef<OpFoldResult> sizes, ArrayRef<int64_t> axes) {
  Sizes kept;
  for (int64_t dim : keptDims(sizes.size(), axes))
    kept.push_back(sizes[dim]);
  return kept;
}

Value tern::onnx::reduceDims(ImplicitLocOpBuilder &b, Value tensor,
                             ArrayRef<int64_t> axes, Value init,
                             CombineFn combine) {
  Sizes sizes = sizesOf(b, tensor);
  int64_t rank = sizes.size();
  Value filled = filledTensor(b, keptSizes(sizes, axes), init);
  auto body = [&](OpBuilder &nested, Location loc, ValueRange args) {
    ImplicitLocOpBuilder body(loc, nested);
    linalg::YieldOp::create(body, combine(body, args[0], args[1]));
  };
  Value reduced = linalg::GenericOp::create(
                      b, filled.getType(), tensor, filled,
                      ArrayRef<AffineMap>{b.getMultiDimIdentityMap(rank),
                                          keptMap(b, rank, axes)},
                      reductionLoops(rank, axes), body)
                      .getResult(0);
  return restoreDims(b, reduced, sizes, axes);
}

Value tern::onnx::sumOfFloats(ImplicitLocOpBuilder &b, Value tensor,
                              ArrayRef<int64_t> axes) {
  Type type = cast<RankedTensorType>(tensor.getType()).getElementType();
  Type accType = accumulatorType(b, type);
  auto add = [&](ImplicitLocOpBuilder &b, Value element, Value acc) -> Value {
    return arith::AddFOp::create(b, acc, convertFloat(b, element, accType));
  };
  return reduceDims(b, tensor, axes, scalarConstant(b, accType, 0), add);
}

Value tern::onnx::maxOfFloats(ImplicitLocOpBuilder &b, Value tensor,
                              ArrayRef<int64_t> axes) {
  Type type = cast<RankedTensorType>(tensor.getType()).getElementType();
  auto larger = [](ImplicitLocOpBuilder &b, Value element, Value acc) -> Value {
    return arith::MaximumFOp::create(b, acc, element);
  };
  return reduceDims(b, tensor, axes, scalarConstant(b, type, -HUGE_VAL),
                    larger);
}

Value tern::onnx::countOf(ImplicitLocOpBuilder &b, Value tensor,
                          ArrayRef<int64_t> axes, Type type) {
  OpFoldResult count = b.getIndexAttr(1);
  for (int64_t axis : axes)
    count = multiplySizes(b, count, sizeOf(b, tensor, axis));
  Value integer = scalarFromSize(b, count, b.getI64Type());
  return foldScalar(b, convertScalar(b, integer, false, type, false));
}

//===----------------------------------------------------------------------===//
// Reduce operators
//===----------------------------------------------------------------------===//

namespace {
/// A Reduce operator: what happens to an element before, how elements combine,
/// and what happens to the result after.
struct Reduction {
  /// The neutral element of `type`.
  Value (*init)(ImplicitLocOpBuilder &, Type type, bool isUnsigned);
  Value (*combine)(ImplicitLocOpBuilder &, bool isUnsigned, Value, Value);
  Value (*before)(ImplicitLocOpBuilder &, Value) = nullptr;
  Value (*after)(ImplicitLocOpBuilder &, Value) = nullptr;
};
} // namespace

// The axes of a Reduce node, an attribute or an input by opset; an empty list
// means that nothing is reduced.
static FailureOr<SmallVector<int64_t>> reducedAxes(LoweringContext &ctx) {
  int64_t rank = ctx.type(0).getRank();
  std::optional<SmallVector<int64_t>> axes;
  if (std::optional<ArrayRef<int64_t>> attr = ctx.node.getInts("axes"))
    axes = SmallVector<int64_t>(*attr);
  else if (ctx.input(1)) {
    axes = ctx.constantInts(1);
    if (!axes)
      return ctx.error() << "the axes are computed; expected constants";
  }
  if (!axes || axes->empty()) {
    if (ctx.node.getInt("noop_with_empty_axes", 0))
      return SmallVector<int64_t>();
    return llvm::to_vector(llvm::seq<int64_t>(0, rank));
  }
  SmallVector<int64_t> normalized;
  for (int64_t axis : *axes) {
    FailureOr<int64_t> fromFront = normalizeAxis(ctx, axis, rank);
    if (failed(fromFront))
      return failure();
    normalized.push_back(*fromFront);
  }
  llvm::sort(normalized);
  normalized.erase(llvm::unique(normalized), normalized.end());
  return normalized;
}

// The reduction with its dimensions of size 1, in the accumulator's type.
static Value reduceWith(LoweringContext &ctx, const Reduction &reduction,
                        ArrayRef<int64_t> axes) {
  bool isUnsigned = ctx.isUnsigned(0);
  Type type = accumulatorType(ctx.b, ctx.type(0).getElementType());
  auto combine = [&](ImplicitLocOpBuilder &b, Value element, Value acc) {
    if (isa<FloatType>(type))
      element = convertFloat(b, element, type);
    if (reduction.before)
      element = reduction.before(b, element);
    return reduction.combine(b, isUnsigned, acc, element);
  };
  return reduceDims(ctx.b, ctx.input(0), axes,
                    reduction.init(ctx.b, type, isUnsigned), combine);
}

// Applies `finish` to every element and gives the result the node's type.
static FailureOr<Value> finishReduction(LoweringContext &ctx, Value reduced,
                                        ArrayRef<int64_t> axes,
                                        ScalarFn finish) {
  Type type = ctx.type(0).getElementType();
  if (!ctx.node.getInt("keepdims", 1))
    reduced = dropDims(ctx.b, reduced, axes);
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) {
    Value value = finish ? finish(b, args) : args[0];
    return isa<FloatType>(type) ? convertFloat(b, value, type) : value;
  };
  bool isDone = !finish && getElementTypeOrSelf(reduced) == type;
  return isDone ? reduced : elementwise(ctx, reduced, type, body);
}

static LoweringResult lowerReduction(LoweringContext &ctx,
                                     const Reduction &reduction) {
  FailureOr<SmallVector<int64_t>> axes = reducedAxes(ctx);
  if (failed(axes))
    return failure();
  Value reduced = reduceWith(ctx, reduction, *axes);
  if (!reduction.after)
    return single(finishReduction(ctx, reduced, *axes, {}));
  return single(finishReduction(ctx, reduced, *axes,
                                [&](ImplicitLocOpBuilder &b, ValueRange args) {
                                  return reduction.after(b, args[0]);
                                }));
}

static Value zero(ImplicitLocOpBuilder &b, Type type, bool) {
  return scalarConstant(b, type, 0);
}

static Value one(ImplicitLocOpBuilder &b, Type type, bool) {
  return scalarConstant(b, type, 1);
}

// The least or the greatest value of `type`.
static Value extreme(ImplicitLocOpBuilder &b, Type type, bool isUnsigned,
                     bool greatest) {
  if (isa<FloatType>(type))
    return scalarConstant(b, type, greatest ? HUGE_VAL : -HUGE_VAL);
  unsigned width = type.getIntOrFloatBitWidth();
  isUnsigned |= width == 1;
  APInt value = greatest ? (isUnsigned ? APInt::getMaxValue(width)
                                       : APInt::getSignedMaxValue(width))
                         : (isUnsigned ? APInt::getMinValue(width)
                                       : APInt::getSignedMinValue(width));
  return arith::ConstantOp::create(b, b.getIntegerAttr(type, value));
}

static Value least(ImplicitLocOpBuilder &b, Type type, bool isUnsigned) {
  return extreme(b, type, isUnsigned, /*greatest=*/false);
}

static Value greatest(ImplicitLocOpBuilder &b, Type type, bool isUnsigned) {
  return extreme(b, type, isUnsigned, /*greatest=*/true);
}

template <typename FloatOp, typename SignedOp, typename UnsignedOp = SignedOp>
static Value combineWith(ImplicitLocOpBuilder &b, bool isUnsigned, Value acc,
                         Value element) {
  if (isa<FloatType>(acc.getType()))
    return FloatOp::create(b, acc, element);
  if (isUnsigned || acc.getType().isInteger(1))
    return UnsignedOp::create(b, acc, element);
  return SignedOp::create(b, acc, element);
}

static Value absolute(ImplicitLocOpBuilder &b, Value x) {
  if (isa<FloatType>(x.getType()))
    return math::AbsFOp::create(b, x);
  return math::AbsIOp::create(b, x);
}

static Value square(ImplicitLocOpBuilder &b, Value x) {
  if (isa<FloatType>(x.getType()))
    return arith::MulFOp::create(b, x, x);
  return arith::MulIOp::create(b, x, x);
}

// Functions of floats, by way of f64 on integers.
template <typename Op>
static Value function(ImplicitLocOpBuilder &b, Value x) {
  Type type = x.getType();
  if (isa<FloatType>(type))
    return Op::create(b, x);
  Value wide = convertScalar(b, x, false, b.getF64Type(), false);
  return convertScalar(b, Op::create(b, wide), false, type, false);
}

static constexpr auto sum = combineWith<arith::AddFOp, arith::AddIOp>;

static LoweringResult lowerReduceSum(LoweringContext &ctx) {
  return lowerReduction(ctx, {zero, sum});
}

static LoweringResult lowerReduceProd(LoweringContext &ctx) {
  return lowerReduction(ctx, {one, combineWith<arith::MulFOp, arith::MulIOp>});
}

static LoweringResult lowerReduceMax(LoweringContext &ctx) {
  return lowerReduction(
      ctx,
      {least, combineWith<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>});
}

static LoweringResult lowerReduceMin(LoweringContext &ctx) {
  return lowerReduction(
      ctx, {greatest,
            combineWith<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>});
}

static LoweringResult lowerReduceL1(LoweringContext &ctx) {
  return lowerReduction(ctx, {zero, sum, absolute});
}

static LoweringResult lowerReduceL2(LoweringContext &ctx) {
  return lowerReduction(ctx, {zero, sum, square, function<math::SqrtOp>});
}

static LoweringResult lowerReduceSumSquare(LoweringContext &ctx) {
  return lowerReduction(ctx, {zero, sum, square});
}

static LoweringResult lowerReduceLogSum(LoweringContext &ctx) {
  return lowerReduction(ctx, {zero, sum, nullptr, function<math::LogOp>});
}

static LoweringResult lowerReduceMean(LoweringContext &ctx) {
  FailureOr<SmallVector<int64_t>> axes = reducedAxes(ctx);
  if (failed(axes))
    return failure();
  Value reduced = reduceWith(ctx, {zero, sum}, *axes);
  Type type = getElementTypeOrSelf(reduced);
  Value count = countOf(ctx.b, ctx.input(0), *axes, type);
  // The mean of no integers, which NumPy leaves undefined, must not trap.
  if (!isa<FloatType>(type))
    count = ctx.b.createOrFold<arith::MaxSIOp>(count,
                                               scalarConstant(ctx.b, type, 1));
  return single(finishReduction(
      ctx, reduced, *axes, [&](ImplicitLocOpBuilder &b, ValueRange args) {
        return combineWith<arith::DivFOp, arith::DivSIOp, arith::DivUIOp>(
            b, ctx.isUnsigned(0), args[0], count);
      }));
}

//===----------------------------------------------------------------------===//
// ArgMax and ArgMin
//===----------------------------------------------------------------------===//

// Whether `element` takes the place of the best one so far.
template <bool isMax>
static Value isBetter(LoweringContext &ctx, ImplicitLocOpBuilder &b,
                      Value element, Value best) {
  bool onTies = ctx.node.getInt("select_last_index", 0);
  if (isa<FloatType>(element.getType())) {
    using P = arith::CmpFPredicate;
    P predicate =
        isMax ? (onTies ? P::OGE : P::OGT) : (onTies ? P::OLE : P::OLT);
    return arith::CmpFOp::create(b, predicate, element, best);
  }
  using P = arith::CmpIPredicate;
  P predicate =
      ctx.isUnsigned(0)
          ? (isMax ? (onTies ? P::uge : P::ugt) : (onTies ? P::ule : P::ult))
          : (isMax ? (onTies ? P::sge : P::sgt) : (onTies ? P::sle : P::slt));
  return arith::CmpIOp::create(b, predicate, element, best);
}

template <bool isMax>
static LoweringResult lowerArgExtreme(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  Sizes sizes = sizesOf(b, ctx.input(0));
  int64_t rank = sizes.size();
  FailureOr<int64_t> axis =
      normalizeAxis(ctx, ctx.node.getInt("axis", 0), rank);
  if (failed(axis))
    return failure();
  Sizes kept = keptSizes(sizes, *axis);
  Value worst = extreme(b, ctx.type(0).getElementType(), ctx.isUnsigned(0),
                        /*greatest=*/!isMax);
  Value best = filledTensor(b, kept, worst);
  Value first = filledTensor(b, kept, scalarConstant(b, b.getI64Type(), 0));
  auto body = [&](OpBuilder &nested, Location loc, ValueRange args) {
    ImplicitLocOpBuilder body(loc, nested);
    Value better = isBetter<isMax>(ctx, body, args[0], args[1]);
    Value position = arith::IndexCastOp::create(
        body, body.getI64Type(), linalg::IndexOp::create(body, *axis));
    Value value = arith::SelectOp::create(body, better, args[0], args[1]);
    Value index = arith::SelectOp::create(body, better, position, args[2]);
    linalg::YieldOp::create(body, ValueRange{value, index});
  };
  AffineMap keep = keptMap(b, rank, *axis);
  auto generic = linalg::GenericOp::create(
      b, TypeRange{best.getType(), first.getType()}, ctx.input(0),
      ValueRange{best, first},
      ArrayRef<AffineMap>{b.getMultiDimIdentityMap(rank), keep, keep},
      reductionLoops(rank, *axis), body);
  Value index = generic.getResult(1);
  if (ctx.node.getInt("keepdims", 1))
    index = restoreDims(b, index, sizes, *axis);
  return single(index);
}

//===----------------------------------------------------------------------===//
// CumSum
//===----------------------------------------------------------------------===//

// `slice` added to `total`.
static Value addSlice(ImplicitLocOpBuilder &b, Value slice, Value total) {
  int64_t rank = cast<RankedTensorType>(total.getType()).getRank();
  AffineMap identity = b.getMultiDimIdentityMap(rank);
  auto body = [](OpBuilder &nested, Location loc, ValueRange args) {
    ImplicitLocOpBuilder b(loc, nested);
    bool isFloat = isa<FloatType>(args[0].getType());
    Value sum = isFloat
                    ? arith::AddFOp::create(b, args[1], args[0]).getResult()
                    : arith::AddIOp::create(b, args[1], args[0]).getResult();
    linalg::YieldOp::create(b, sum);
  };
  return linalg::GenericOp::create(b, total.getType(), slice, total,
                                   ArrayRef<AffineMap>{identity, identity},
                                   parallelLoops(rank), body)
      .getResult(0);
}

// One step of a running sum: `sums` takes the total before or after the slice
// at `position` is added. What is written before is read before the total
// changes, so that both stay in place.
static void accumulateSlice(LoweringContext &ctx, ImplicitLocOpBuilder &b,
                            int64_t axis, Value position, ValueRange state) {
  Value sums = state[0], total = state[1];
  Sizes sizes = sizesOf(b, total);
  Sizes offsets(sizes.size(), b.getIndexAttr(0));
  Sizes strides(sizes.size(), b.getIndexAttr(1));
  offsets[axis] = position;
  auto write = [&](Value slice) {
    sums =
        tensor::InsertSliceOp::create(b, slice, sums, offsets, sizes, strides);
  };
  bool isExclusive = ctx.node.getInt("exclusive", 0);
  if (isExclusive)
    write(total);
  Value slice =
      tensor::ExtractSliceOp::create(b, ctx.input(0), offsets, sizes, strides);
  Value next = addSlice(b, slice, total);
  if (!isExclusive)
    write(next);
  scf::YieldOp::create(b, ValueRange{sums, next});
}

static LoweringResult lowerCumSum(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  std::optional<SmallVector<int64_t>> axes = ctx.constantInts(1);
  if (!axes || axes->size() != 1)
    return ctx.error() << "the axis is computed; expected a constant";
  FailureOr<int64_t> axis =
      normalizeAxis(ctx, axes->front(), ctx.type(0).getRank());
  if (failed(axis))
    return failure();
  Sizes sizes = sizesOf(b, ctx.input(0)), sliceSizes = sizes;
  sliceSizes[*axis] = b.getIndexAttr(1);
  Type type = ctx.type(0).getElementType();
  Value sums = emptyTensor(b, sizes, type);
  if (isZeroInteger(sizes[*axis])) // no slice to take
    return single(sums);
  Value total = filledTensor(b, sliceSizes, scalarConstant(b, type, 0));
  Value size = getValueOrCreateConstantIndexOp(b, b.getLoc(), sizes[*axis]);
  Value none = arith::ConstantIndexOp::create(b, 0);
  Value step = arith::ConstantIndexOp::create(b, 1);
  bool isReverse = ctx.node.getInt("reverse", 0);
  auto body = [&](OpBuilder &nested, Location loc, Value index,
                  ValueRange state) {
    ImplicitLocOpBuilder body(loc, nested);
    if (isReverse) {
      Value last = arith::SubIOp::create(body, size, step);
      index = arith::SubIOp::create(body, last, index);
    }
    accumulateSlice(ctx, body, *axis, index, state);
  };
  auto loop =
      scf::ForOp::create(b, none, size, step, ValueRange{sums, total}, body);
  return single(loop.getResult(0));
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

void tern::onnx::addReductionLowerings(LoweringTable &table) {
  table["ReduceSum"] = lowerReduceSum;
  table["ReduceProd"] = lowerReduceProd;
  table["ReduceMax"] = lowerReduceMax;
  table["ReduceMin"] = lowerReduceMin;
  table["ReduceMean"] = lowerReduceMean;
  table["ReduceL1"] = lowerReduceL1;
  table["ReduceL2"] = lowerReduceL2;
  table["ReduceSumSquare"] = lowerReduceSumSquare;
  table["ReduceLogSum"] = lowerReduceLogSum;
  table["ArgMax"] = lowerArgExtreme</*isMax=*/true>;
  table["ArgMin"] = lowerArgExtreme</*isMax=*/false>;
  table["CumSum"] = lowerCumSum;
}
