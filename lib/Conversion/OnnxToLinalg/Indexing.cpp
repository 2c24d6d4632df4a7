//===- Indexing.cpp - operators whose indices are data --------------------===//
//
// Indices from data are checked before anything is read: one outside its
// dimension ends the program with a message that names the node. So the reads
// themselves need no check and have no side effect.
//
//===----------------------------------------------------------------------===//

#include "Movement.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tern::onnx;

static RankedTensorType typeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

// Checks constant indices now; nullopt where something is not constant.
static std::optional<LogicalResult>
checkConstantIndices(LoweringContext &ctx, Value indices,
                     ArrayRef<OpFoldResult> limits) {
  std::optional<SmallVector<Value>> scalars = knownScalars(ctx.b, indices);
  std::optional<SmallVector<int64_t>> sizes = getConstantIntValues(limits);
  if (!scalars || !sizes)
    return std::nullopt;
  for (auto [position, scalar] : llvm::enumerate(*scalars)) {
    APInt index;
    if (!matchPattern(scalar, m_ConstantInt(&index)))
      return std::nullopt;
    int64_t limit = (*sizes)[position % sizes->size()];
    if (index.sge(limit) || index.slt(-limit))
      return LogicalResult(ctx.error()
                           << "found the index " << index.getSExtValue()
                           << "; expected one in [" << -limit << ", " << limit
                           << ")");
  }
  return success();
}

// The limit of the component `position` of a tuple, as a scalar of `type`.
static Value selectLimit(ImplicitLocOpBuilder &b, ArrayRef<Value> limits,
                         int64_t lastDim) {
  Value limit = limits[0];
  if (limits.size() == 1)
    return limit;
  Value position = linalg::IndexOp::create(b, lastDim);
  for (auto [component, other] : llvm::enumerate(limits.drop_front())) {
    Value here =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, position,
                              arith::ConstantIndexOp::create(b, component + 1));
    limit = arith::SelectOp::create(b, here, other, limit);
  }
  return limit;
}

LogicalResult tern::onnx::checkIndices(LoweringContext &ctx, Value indices,
                                       ArrayRef<OpFoldResult> limits) {
  ImplicitLocOpBuilder &b = ctx.b;
  if (std::optional<LogicalResult> known =
          checkConstantIndices(ctx, indices, limits))
    return *known;
  SmallVector<Value> sizes = indexValues(b, limits);
  int64_t rank = typeOf(indices).getRank();
  Value init = filledTensor(b, {}, arith::ConstantIntOp::create(b, 1, 1));
  AffineMap scalarMap = AffineMap::get(rank, 0, b.getContext());
  auto buildBody = [&](OpBuilder &builder, Location loc, ValueRange args) {
    ImplicitLocOpBuilder body(loc, builder);
    Value index =
        arith::IndexCastOp::create(body, body.getIndexType(), args[0]);
    Value limit = selectLimit(body, sizes, rank - 1);
    Value low = arith::SubIOp::create(
        body, arith::ConstantIndexOp::create(body, 0), limit);
    Value fits = arith::AndIOp::create(
        body,
        arith::CmpIOp::create(body, arith::CmpIPredicate::sge, index, low),
        arith::CmpIOp::create(body, arith::CmpIPredicate::slt, index, limit));
    linalg::YieldOp::create(
        body, arith::AndIOp::create(body, args[1], fits).getResult());
  };
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::reduction);
  Value fit =
      linalg::GenericOp::create(
          b, init.getType(), indices, init,
          ArrayRef<AffineMap>{b.getMultiDimIdentityMap(rank), scalarMap}, loops,
          buildBody)
          .getResult(0);
  ctx.check(tensor::ExtractOp::create(b, fit, ValueRange()),
            "an index is outside its dimension");
  return success();
}

Value tern::onnx::wrapIndex(ImplicitLocOpBuilder &b, Value index,
                            OpFoldResult limit) {
  if (!index.getType().isIndex())
    index = b.createOrFold<arith::IndexCastOp>(b.getIndexType(), index);
  Value isNegative = b.createOrFold<arith::CmpIOp>(
      arith::CmpIPredicate::slt, index, indexValue(b, b.getIndexAttr(0)));
  Value wrapped = b.createOrFold<arith::AddIOp>(index, indexValue(b, limit));
  return b.createOrFold<arith::SelectOp>(isNegative, wrapped, index);
}

static LogicalResult expectIntegers(LoweringContext &ctx, unsigned index) {
  if (ctx.input(index) && ctx.type(index).getElementType().isIntOrIndex())
    return success();
  return ctx.error() << "input " << index << " holds no integer indices";
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

// Elements of a shape, picked while compiling.
static Value gatherScalars(ImplicitLocOpBuilder &b, Value data, Value indices) {
  if (typeOf(data).getRank() != 1 || !typeOf(indices).hasStaticShape())
    return {};
  std::optional<SmallVector<Value>> scalars = knownScalars(b, data);
  std::optional<SmallVector<Value>> positions = knownScalars(b, indices);
  if (!scalars || !positions)
    return {};
  SmallVector<Value> picked;
  for (Value position : *positions) {
    APInt index;
    if (!matchPattern(position, m_ConstantInt(&index)))
      return {};
    int64_t at = index.getSExtValue();
    picked.push_back((*scalars)[at < 0 ? at + scalars->size() : at]);
  }
  return tensorOfScalars(
      b, typeOf(indices).clone(typeOf(data).getElementType()), picked);
}

// One constant index is a slice.
static FailureOr<Value> gatherSlice(LoweringContext &ctx, Value data,
                                    Value indices, int64_t axis,
                                    ArrayRef<OpFoldResult> sizes) {
  ImplicitLocOpBuilder &b = ctx.b;
  if (!typeOf(indices).hasStaticShape() ||
      typeOf(indices).getNumElements() != 1)
    return Value();
  std::optional<SmallVector<Value>> scalars = knownScalars(b, indices);
  APInt index;
  if (!scalars || !matchPattern(scalars->front(), m_ConstantInt(&index)))
    return Value();
  Value position = arith::ConstantIndexOp::create(b, index.getSExtValue());
  OpFoldResult offset =
      getAsOpFoldResult(wrapIndex(b, position, sizeOf(b, data, axis)));
  Value slice = sliceAlong(b, data, axis, offset, b.getIndexAttr(1));
  return reshapeTo(ctx, slice, sizes);
}

FailureOr<Value> tern::onnx::gather(LoweringContext &ctx, Value data,
                                    Value indices, int64_t axis) {
  ImplicitLocOpBuilder &b = ctx.b;
  SmallVector<OpFoldResult> dataSizes = sizesOf(b, data);
  SmallVector<OpFoldResult> indexSizes = sizesOf(b, indices);
  OpFoldResult limit = dataSizes[axis];
  if (failed(checkIndices(ctx, indices, limit)))
    return failure();
  if (Value scalars = gatherScalars(b, data, indices))
    return scalars;
  int64_t indexRank = indexSizes.size();
  Sizes sizes(dataSizes);
  sizes.erase(sizes.begin() + axis);
  sizes.insert(sizes.begin() + axis, indexSizes.begin(), indexSizes.end());
  FailureOr<Value> slice = gatherSlice(ctx, data, indices, axis, sizes);
  if (failed(slice) || *slice)
    return slice;

  int64_t rank = sizes.size();
  AffineMap map = b.getMultiDimIdentityMap(rank).getSliceMap(axis, indexRank);
  return generate(
      b, sizes, typeOf(data).getElementType(),
      BroadcastOperand{castToSizes(b, indices, indexSizes), map},
      [&](ImplicitLocOpBuilder &body, ValueRange outer, ValueRange scalars) {
        SmallVector<Value> source(outer.take_front(axis));
        source.push_back(wrapIndex(body, scalars[0], limit));
        llvm::append_range(source, outer.drop_front(axis + indexRank));
        return tensor::ExtractOp::create(body, data, source).getResult();
      });
}

static LoweringResult lowerGather(LoweringContext &ctx) {
  if (failed(expectIntegers(ctx, 1)))
    return failure();
  FailureOr<int64_t> axis =
      normalizeAxis(ctx, ctx.node.getInt("axis", 0), ctx.type(0).getRank());
  if (failed(axis))
    return failure();
  FailureOr<Value> result = gather(ctx, ctx.input(0), ctx.input(1), *axis);
  if (failed(result))
    return failure();
  return SmallVector<Value>{*result};
}

//===----------------------------------------------------------------------===//
// GatherElements, GatherND
//===----------------------------------------------------------------------===//

static LoweringResult lowerGatherElements(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  Value data = ctx.input(0);
  int64_t rank = ctx.type(0).getRank();
  FailureOr<int64_t> axis =
      normalizeAxis(ctx, ctx.node.getInt("axis", 0), rank);
  if (failed(expectIntegers(ctx, 1)) || failed(axis))
    return failure();
  if (ctx.type(1).getRank() != rank)
    return ctx.error() << "the indices have rank " << ctx.type(1).getRank()
                       << "; expected " << rank;
  SmallVector<OpFoldResult> dataSizes = sizesOf(b, data);
  SmallVector<OpFoldResult> sizes = sizesOf(b, ctx.input(1));
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != *axis)
      checkAtMost(ctx, sizes[dim], dataSizes[dim],
                  "the indices are larger than the data");
  OpFoldResult limit = dataSizes[*axis];
  if (failed(checkIndices(ctx, ctx.input(1), limit)))
    return failure();
  BroadcastOperand operand{castToSizes(b, ctx.input(1), sizes),
                           b.getMultiDimIdentityMap(rank)};
  return SmallVector<Value>{generate(
      b, sizes, ctx.type(0).getElementType(), operand,
      [&](ImplicitLocOpBuilder &body, ValueRange indices, ValueRange scalars) {
        SmallVector<Value> source(indices);
        source[*axis] = wrapIndex(body, scalars[0], limit);
        return tensor::ExtractOp::create(body, data, source).getResult();
      })};
}

static LoweringResult lowerGatherND(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  Value data = ctx.input(0), indices = ctx.input(1);
  if (failed(expectIntegers(ctx, 1)))
    return failure();
  int64_t dataRank = ctx.type(0).getRank();
  int64_t tupleRank = ctx.type(1).getRank();
  int64_t batchDims = ctx.node.getInt("batch_dims", 0);
  if (tupleRank < 1 || ctx.type(1).isDynamicDim(tupleRank - 1))
    return ctx.error() << "the indices have type " << ctx.type(1)
                       << "; expected tuples of static length";
  int64_t length = ctx.type(1).getShape().back();
  if (batchDims < 0 || batchDims >= tupleRank || length > dataRank - batchDims)
    return ctx.error() << "found " << batchDims << " batch dimensions and "
                       << "tuples of " << length << " indices for data of rank "
                       << dataRank;
  SmallVector<OpFoldResult> dataSizes = sizesOf(b, data);
  SmallVector<OpFoldResult> sizes = sizesOf(b, indices);
  sizes.pop_back();
  for (int64_t dim = 0; dim < batchDims; ++dim)
    if (failed(checkSameSize(ctx, dataSizes[dim], sizes[dim],
                             "the batch dimensions differ")))
      return failure();
  auto limits = ArrayRef(dataSizes).slice(batchDims, length);
  if (length != 0 && failed(checkIndices(ctx, indices, limits)))
    return failure();
  llvm::append_range(sizes, ArrayRef(dataSizes).drop_front(batchDims + length));
  return SmallVector<Value>{generate(
      b, sizes, ctx.type(0).getElementType(), {},
      [&](ImplicitLocOpBuilder &body, ValueRange outer, ValueRange) {
        SmallVector<Value> source(outer.take_front(batchDims));
        SmallVector<Value> tuple(outer.take_front(tupleRank - 1));
        for (int64_t component = 0; component < length; ++component) {
          tuple.push_back(arith::ConstantIndexOp::create(body, component));
          Value index = tensor::ExtractOp::create(body, indices, tuple);
          source.push_back(wrapIndex(body, index, limits[component]));
          tuple.pop_back();
        }
        llvm::append_range(source, outer.drop_front(tupleRank - 1));
        return tensor::ExtractOp::create(body, data, source).getResult();
      })};
}

//===----------------------------------------------------------------------===//
// OneHot
//===----------------------------------------------------------------------===//

// An index outside [-depth, depth) sets nothing, so none is checked.
static LoweringResult lowerOneHot(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  if (failed(expectIntegers(ctx, 0)))
    return failure();
  FailureOr<Sizes> depth = indicesFromInput(ctx, 1);
  if (failed(depth))
    return failure();
  if (depth->size() != 1 || !ctx.input(2) || ctx.type(2).getRank() != 1 ||
      ctx.type(2).getShape()[0] != 2)
    return ctx.error() << "expected one depth and two values";
  checkAtMost(ctx, b.getIndexAttr(0), depth->front(), "the depth is negative");
  int64_t rank = ctx.type(0).getRank() + 1;
  FailureOr<int64_t> axis =
      normalizeAxis(ctx, ctx.node.getInt("axis", -1), rank);
  if (failed(axis))
    return failure();
  SmallVector<OpFoldResult> sizes = sizesOf(b, ctx.input(0));
  BroadcastOperand operand{castToSizes(b, ctx.input(0), sizes),
                           b.getMultiDimIdentityMap(rank).dropResult(*axis)};
  sizes.insert(sizes.begin() + *axis, depth->front());
  SmallVector<Value> values = scalarsOf(b, ctx.input(2));
  return SmallVector<Value>{generate(
      b, sizes, ctx.type(2).getElementType(), operand,
      [&](ImplicitLocOpBuilder &body, ValueRange indices, ValueRange scalars) {
        Value index = wrapIndex(body, scalars[0], depth->front());
        Value isHot = arith::CmpIOp::create(body, arith::CmpIPredicate::eq,
                                            index, indices[*axis]);
        return arith::SelectOp::create(body, isHot, values[1], values[0])
            .getResult();
      })};
}

void tern::onnx::addIndexingLowerings(LoweringTable &table) {
  table["Gather"] = lowerGather;
  table["GatherElements"] = lowerGatherElements;
  table["GatherND"] = lowerGatherND;
  table["OneHot"] = lowerOneHot;
  addScatterLowerings(table);
}
