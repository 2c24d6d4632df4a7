//===- Broadcast.cpp - NumPy's broadcasting -------------------------------===//

#include "Broadcast.h"

#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tern::onnx;

using Sizes = SmallVector<OpFoldResult>;

static bool isOne(OpFoldResult size) { return getConstantIntValue(size) == 1; }

static Value asIndex(LoweringContext &ctx, OpFoldResult size) {
  return getValueOrCreateConstantIndexOp(ctx.b, ctx.b.getLoc(), size);
}

static Value isEqual(LoweringContext &ctx, OpFoldResult lhs, OpFoldResult rhs) {
  return ctx.b.createOrFold<arith::CmpIOp>(
      arith::CmpIPredicate::eq, asIndex(ctx, lhs), asIndex(ctx, rhs));
}

//===----------------------------------------------------------------------===//
// Sizes of the result
//===----------------------------------------------------------------------===//

// The sizes other than 1 that meet in a dimension, each once.
static Sizes distinctSizes(ArrayRef<OpFoldResult> sizes) {
  Sizes distinct;
  for (OpFoldResult size : sizes)
    if (!isOne(size) && llvm::none_of(distinct, [&](OpFoldResult other) {
          return areSameSize(size, other);
        }))
      distinct.push_back(size);
  return distinct;
}

// The one static size among `sizes`, null where there is none, or failure where
// there are several.
static FailureOr<OpFoldResult> staticSizeAmong(LoweringContext &ctx,
                                               ArrayRef<OpFoldResult> sizes) {
  OpFoldResult found;
  for (OpFoldResult size : sizes) {
    std::optional<int64_t> constant = getConstantIntValue(size);
    if (!constant)
      continue;
    if (found)
      return ctx.error() << "found sizes " << *getConstantIntValue(found)
                         << " and " << *constant
                         << " in one dimension; expected equal sizes or 1";
    found = size;
  }
  return found;
}

// One dimension of the result. A size that is not known to be 1 decides, and
// the others are checked against it.
static FailureOr<OpFoldResult> broadcastSize(LoweringContext &ctx,
                                             ArrayRef<OpFoldResult> sizes) {
  Sizes distinct = distinctSizes(sizes);
  if (distinct.empty())
    return OpFoldResult(ctx.b.getIndexAttr(1));
  FailureOr<OpFoldResult> known = staticSizeAmong(ctx, distinct);
  if (failed(known))
    return failure();
  if (distinct.size() == 1)
    return distinct.front();

  OpFoldResult result = *known;
  if (!result) {
    // Of sizes that are equal or 1, the result has one that is not 1, if any.
    Value chosen = asIndex(ctx, distinct.front());
    for (OpFoldResult size : llvm::drop_begin(distinct)) {
      Value repeated = isEqual(ctx, chosen, ctx.b.getIndexAttr(1));
      chosen =
          arith::SelectOp::create(ctx.b, repeated, asIndex(ctx, size), chosen);
    }
    result = chosen;
  }
  for (OpFoldResult size : distinct) {
    if (size == result)
      continue;
    Value fits =
        arith::OrIOp::create(ctx.b, isEqual(ctx, size, result),
                             isEqual(ctx, size, ctx.b.getIndexAttr(1)));
    ctx.check(fits, "sizes that broadcast must be equal or 1");
  }
  return result;
}

FailureOr<Sizes> tern::onnx::broadcastSizes(LoweringContext &ctx,
                                            ArrayRef<Sizes> shapes) {
  size_t rank = 0;
  for (const Sizes &shape : shapes)
    rank = std::max(rank, shape.size());
  Sizes result;
  for (size_t fromRight = rank; fromRight > 0; --fromRight) {
    Sizes meeting;
    for (const Sizes &shape : shapes)
      if (shape.size() >= fromRight)
        meeting.push_back(shape[shape.size() - fromRight]);
    FailureOr<OpFoldResult> size = broadcastSize(ctx, meeting);
    if (failed(size))
      return failure();
    result.push_back(*size);
  }
  return result;
}

FailureOr<Sizes> tern::onnx::broadcastSizes(LoweringContext &ctx,
                                            ValueRange tensors) {
  SmallVector<Sizes> shapes;
  for (Value tensor : tensors)
    shapes.push_back(sizesOf(ctx.b, tensor));
  return broadcastSizes(ctx, shapes);
}

//===----------------------------------------------------------------------===//
// Reading operands
//===----------------------------------------------------------------------===//

// Whether dimension `dim` of a tensor may or may not be repeated to `size`.
static bool isDecidedAtRunTime(OpFoldResult dim, OpFoldResult size) {
  return !isOne(dim) && !getConstantIntValue(dim) && !areSameSize(dim, size);
}

// `tensor` repeated to `sizes`: reads index 0 of dimensions that turn out to
// have size 1.
static Value repeatAtRunTime(LoweringContext &ctx, Value tensor,
                             const Sizes &own, ArrayRef<OpFoldResult> sizes) {
  size_t offset = sizes.size() - own.size();
  SmallVector<Value> repeated;
  for (OpFoldResult size : own)
    repeated.push_back(isEqual(ctx, size, ctx.b.getIndexAttr(1)));

  auto type = cast<RankedTensorType>(tensor.getType());
  Value init = emptyTensor(ctx.b, sizes, type.getElementType());
  auto body = [&](OpBuilder &nested, Location loc, ValueRange) {
    ImplicitLocOpBuilder b(loc, nested);
    Value zero = arith::ConstantIndexOp::create(b, 0);
    SmallVector<Value> indices;
    for (size_t dim = 0; dim < own.size(); ++dim) {
      Value index = linalg::IndexOp::create(b, dim + offset);
      indices.push_back(
          b.createOrFold<arith::SelectOp>(repeated[dim], zero, index));
    }
    Value element = tensor::ExtractOp::create(b, tensor, indices);
    linalg::YieldOp::create(b, element);
  };
  AffineMap identity = ctx.b.getMultiDimIdentityMap(sizes.size());
  return linalg::GenericOp::create(ctx.b, init.getType(), ValueRange(), init,
                                   identity, parallelLoops(sizes.size()), body)
      .getResult(0);
}

BroadcastOperand tern::onnx::readBroadcast(LoweringContext &ctx, Value tensor,
                                           ArrayRef<OpFoldResult> sizes) {
  Sizes own = sizesOf(ctx.b, tensor);
  size_t offset = sizes.size() - own.size();
  SmallVector<AffineExpr> exprs;
  for (auto [dim, size] : llvm::enumerate(own)) {
    if (isDecidedAtRunTime(size, sizes[dim + offset]))
      return {repeatAtRunTime(ctx, tensor, own, sizes),
              ctx.b.getMultiDimIdentityMap(sizes.size())};
    bool repeated = isOne(size) && !isOne(sizes[dim + offset]);
    exprs.push_back(repeated ? ctx.b.getAffineConstantExpr(0)
                             : ctx.b.getAffineDimExpr(dim + offset));
  }
  return {tensor, AffineMap::get(sizes.size(), 0, exprs, ctx.b.getContext())};
}

Value tern::onnx::broadcastTo(LoweringContext &ctx, Value tensor,
                              ArrayRef<OpFoldResult> sizes) {
  BroadcastOperand operand = readBroadcast(ctx, tensor, sizes);
  if (operand.map.isIdentity())
    return operand.tensor;
  auto type = cast<RankedTensorType>(tensor.getType());
  Value init = emptyTensor(ctx.b, sizes, type.getElementType());
  AffineMap identity = ctx.b.getMultiDimIdentityMap(sizes.size());
  auto body = [](OpBuilder &b, Location loc, ValueRange args) {
    linalg::YieldOp::create(b, loc, args.front());
  };
  return linalg::GenericOp::create(ctx.b, init.getType(), operand.tensor, init,
                                   ArrayRef<AffineMap>{operand.map, identity},
                                   parallelLoops(sizes.size()), body)
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// Elementwise operators
//===----------------------------------------------------------------------===//

// The element of `scalars`, a tensor of type `type` in row-major order, that is
// read for element `position` of a tensor of shape `shape`.
static Value scalarFor(ArrayRef<Value> scalars, RankedTensorType type,
                       ArrayRef<int64_t> shape, int64_t position) {
  int64_t index = 0, stride = 1;
  for (int64_t fromRight = 1; fromRight <= static_cast<int64_t>(shape.size());
       ++fromRight) {
    int64_t size = shape[shape.size() - fromRight];
    int64_t coordinate = position % size;
    position /= size;
    if (fromRight > type.getRank())
      continue;
    int64_t own = type.getDimSize(type.getRank() - fromRight);
    index += (own == 1 ? 0 : coordinate) * stride;
    stride *= own;
  }
  return scalars[index];
}

// The result where every operand's elements are known as scalars and it has few
// itself, else null. Constants alone are left to the constant folder.
static Value elementwiseOnScalars(LoweringContext &ctx, ValueRange operands,
                                  RankedTensorType type, ScalarFn fn) {
  SmallVector<SmallVector<Value>> scalars;
  for (Value operand : operands) {
    std::optional<SmallVector<Value>> known = knownScalars(ctx.b, operand);
    if (!known || !cast<RankedTensorType>(operand.getType()).hasStaticShape())
      return {};
    scalars.push_back(std::move(*known));
  }
  // Broadcasting multiplies what is few in each operand.
  if (type.getNumElements() > maxKnownScalars)
    return {};
  SmallVector<Value> results;
  for (int64_t position = 0; position < type.getNumElements(); ++position) {
    SmallVector<Value> args;
    for (auto [known, operand] : llvm::zip_equal(scalars, operands))
      args.push_back(scalarFor(known, cast<RankedTensorType>(operand.getType()),
                               type.getShape(), position));
    results.push_back(foldScalar(ctx.b, fn(ctx.b, args)));
  }
  return tensorOfScalars(ctx.b, type, results);
}

FailureOr<Value> tern::onnx::elementwise(LoweringContext &ctx,
                                         ValueRange operands, Type elementType,
                                         ScalarFn fn) {
  FailureOr<Sizes> sizes = broadcastSizes(ctx, operands);
  if (failed(sizes))
    return failure();
  RankedTensorType type = typeWithSizes(*sizes, elementType);
  if (type.hasStaticShape())
    if (Value result = elementwiseOnScalars(ctx, operands, type, fn))
      return result;

  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  for (Value operand : operands) {
    BroadcastOperand read = readBroadcast(ctx, operand, *sizes);
    tensors.push_back(read.tensor);
    maps.push_back(read.map);
  }
  maps.push_back(ctx.b.getMultiDimIdentityMap(sizes->size()));
  Value init = emptyTensor(ctx.b, *sizes, elementType);
  auto body = [&](OpBuilder &nested, Location loc, ValueRange args) {
    ImplicitLocOpBuilder b(loc, nested);
    linalg::YieldOp::create(b, fn(b, args.drop_back()));
  };
  auto generic =
      linalg::GenericOp::create(ctx.b, init.getType(), tensors, init, maps,
                                parallelLoops(sizes->size()), body);
  return generic.getResult(0);
}
