//===- StepFunction.cpp - the function that reads new tokens --------------===//

#include "StepFunction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

StepFunction::StepFunction(func::FuncOp func, const LanguageModel &model)
    : func(func), b(func.getLoc(), func.getContext()),
      numOldArguments(func.getNumArguments()), hasCache(!model.caches.empty()) {
  auto ids = RankedTensorType::get({1, ShapedType::kDynamic}, b.getI64Type());
  BlockArgument tokens = addArgument(ids);
  past = addArgument(b.getIndexType());
  numLogits = addArgument(b.getIndexType());

  b.setInsertionPointToStart(&func.front());
  count = tensor::DimOp::create(b, tokens, 1);
  total = arith::AddIOp::create(b, past, count);
  auto replace = [&](unsigned index, Value value) {
    func.getArgument(index).replaceAllUsesWith(value);
  };
  replace(model.inputIds, tokens);
  if (model.attentionMask)
    replace(*model.attentionMask, createMask(ids));
  if (model.positionIds) {
    positions = createPositions(/*rank=*/2, b.getI64Type());
    replace(*model.positionIds, positions);
  }
  for (auto [index, role] : model.sequenceArguments) {
    Type type = func.getArgument(index).getType();
    replace(index, createSequenceValue(role, cast<RankedTensorType>(type)));
  }
  anchor = &*std::prev(b.getInsertionPoint());
}

func::ReturnOp StepFunction::getReturn() {
  return cast<func::ReturnOp>(func.front().getTerminator());
}

BlockArgument StepFunction::addArgument(Type type) {
  return func.front().addArgument(type, func.getLoc());
}

Value StepFunction::createMask(RankedTensorType type) {
  // A graph without a cache sees a mask of the tokens that it sees.
  Value empty =
      tensor::EmptyOp::create(b, type, ValueRange{hasCache ? total : count});
  Value one = arith::ConstantIntOp::create(b, 1, 64);
  return linalg::FillOp::create(b, one, empty).getResult(0);
}

/// `scale * position + offset` as an element of `type`.
static Value createElement(OpBuilder &b, Location loc, Value position,
                           int64_t scale, int64_t offset, Type type) {
  Value value = arith::IndexCastOp::create(b, loc, b.getI64Type(), position);
  auto constant = [&](int64_t number) -> Value {
    return arith::ConstantIntOp::create(b, loc, number, 64);
  };
  if (scale != 1)
    value = arith::MulIOp::create(b, loc, value, constant(scale));
  if (offset != 0)
    value = arith::AddIOp::create(b, loc, value, constant(offset));
  if (isa<FloatType>(type))
    return arith::SIToFPOp::create(b, loc, type, value);
  return type.getIntOrFloatBitWidth() == 64
             ? value
             : Value(arith::TruncIOp::create(b, loc, type, value));
}

Value StepFunction::buildPositions(RankedTensorType type, unsigned dim,
                                   int64_t scale, int64_t offset) {
  int64_t rank = type.getRank();
  Value empty = tensor::EmptyOp::create(b, type, ValueRange{count});
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  auto body = [&](OpBuilder &nested, Location loc, ValueRange) {
    Value index = linalg::IndexOp::create(nested, loc, dim);
    Value position = arith::AddIOp::create(nested, loc, index, past);
    linalg::YieldOp::create(nested, loc,
                            createElement(nested, loc, position, scale, offset,
                                          type.getElementType()));
  };
  return linalg::GenericOp::create(
             b, type, ValueRange{}, ValueRange{empty},
             ArrayRef<AffineMap>{b.getMultiDimIdentityMap(rank)}, loops, body)
      .getResult(0);
}

Value StepFunction::createPositions(RankedTensorType type, unsigned dim,
                                    int64_t scale, int64_t offset) {
  b.setInsertionPointAfter(anchor);
  return buildPositions(type, dim, scale, offset);
}

Value StepFunction::createPositions(int64_t rank, Type elementType) {
  SmallVector<int64_t> shape(rank, 1);
  shape.back() = ShapedType::kDynamic;
  return buildPositions(RankedTensorType::get(shape, elementType), rank - 1,
                        /*scale=*/1, /*offset=*/0);
}

Value StepFunction::createScalar(Value length, int64_t rank, Type elementType) {
  Value element = arith::IndexCastOp::create(b, elementType, length);
  auto type = RankedTensorType::get(SmallVector<int64_t>(rank, 1), elementType);
  return tensor::FromElementsOp::create(b, type, element);
}

Value StepFunction::createSequenceValue(SequenceRole role,
                                        RankedTensorType type) {
  int64_t rank = type.getRank();
  switch (role) {
  case SequenceRole::Positions:
    return createPositions(rank, type.getElementType());
  case SequenceRole::PastLength:
    return createScalar(past, rank, type.getElementType());
  case SequenceRole::TotalLength:
    return createScalar(total, rank, type.getElementType());
  case SequenceRole::LastPosition: {
    Value one = arith::ConstantIndexOp::create(b, 1);
    return createScalar(arith::SubIOp::create(b, total, one), rank,
                        type.getElementType());
  }
  }
  llvm_unreachable("covered switch");
}

Value StepFunction::getPositions() {
  b.setInsertionPointAfter(anchor);
  if (!positions)
    positions = createPositions(/*rank=*/2, b.getI64Type());
  return positions;
}

Value StepFunction::getKeyCounts() {
  b.setInsertionPointAfter(anchor);
  if (!keyCounts)
    keyCounts = createScalar(total, /*rank=*/1, b.getI64Type());
  return keyCounts;
}

//===----------------------------------------------------------------------===//
// Caches
//===----------------------------------------------------------------------===//

BlockArgument StepFunction::addCache(RankedTensorType type) {
  caches.push_back(addArgument(type));
  return caches.back();
}

SmallVector<KVTensor>
StepFunction::addCaches(ArrayRef<RankedTensorType> types) {
  SmallVector<KVTensor> buffers;
  for (RankedTensorType type : types)
    buffers.push_back({addCache(type), nullptr});
  for (auto [type, buffer] : llvm::zip_equal(types, buffers))
    if (RankedTensorType scales = getScalesType(type))
      buffer.scales = addCache(scales);
  return buffers;
}

namespace {
/// The part [offset, offset + count) of a cache along one axis.
struct CacheSlice {
  SmallVector<OpFoldResult> offsets, sizes, strides;

  CacheSlice(OpBuilder &b, Value cache, int64_t axis, OpFoldResult offset,
             OpFoldResult count) {
    for (int64_t size : cast<RankedTensorType>(cache.getType()).getShape()) {
      offsets.push_back(b.getIndexAttr(0));
      sizes.push_back(b.getIndexAttr(size));
      strides.push_back(b.getIndexAttr(1));
    }
    offsets[axis] = offset;
    sizes[axis] = count;
  }
};
} // namespace

Value StepFunction::getPastOf(Value cache, int64_t axis) {
  b.setInsertionPointAfter(anchor);
  CacheSlice slice(b, cache, axis, attr(0), Value(past));
  return tensor::ExtractSliceOp::create(b, cache, slice.offsets, slice.sizes,
                                        slice.strides);
}

Value StepFunction::append(ImplicitLocOpBuilder &at, Value added, Value cache,
                           int64_t axis) {
  auto type = cast<RankedTensorType>(cache.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[axis] = ShapedType::kDynamic;
  Value rows = tensor::CastOp::create(
      at, RankedTensorType::get(shape, type.getElementType()), added);
  CacheSlice slice(at, cache, axis, Value(past), count);
  return tensor::InsertSliceOp::create(at, rows, cache, slice.offsets,
                                       slice.sizes, slice.strides);
}

Value StepFunction::getValid(ImplicitLocOpBuilder &at, Value updated,
                             int64_t axis) {
  CacheSlice slice(at, updated, axis, attr(0), total);
  return tensor::ExtractSliceOp::create(at, updated, slice.offsets, slice.sizes,
                                        slice.strides);
}

//===----------------------------------------------------------------------===//
// The end
//===----------------------------------------------------------------------===//

void StepFunction::finish(Value logits, ValueRange updated) {
  SmallVector<Value> results = {logits};
  llvm::append_range(results, updated);
  func::ReturnOp oldReturn = getReturn();
  b.setInsertionPoint(oldReturn);
  auto newReturn = func::ReturnOp::create(b, results);
  oldReturn.erase();
  // Who still reads an argument of the graph is not needed by these results.
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(func.front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  func.front().eraseArguments(0, numOldArguments);
  func.setFunctionType(b.getFunctionType(func.front().getArgumentTypes(),
                                         newReturn.getOperandTypes()));
  DictionaryAttr none = b.getDictionaryAttr({});
  func.setAllArgAttrs(
      SmallVector<DictionaryAttr>(func.getNumArguments(), none));
  func.setAllResultAttrs(
      SmallVector<DictionaryAttr>(func.getNumResults(), none));
  for (BlockArgument cache : caches)
    func.setArgAttr(cache.getArgNumber(),
                    bufferization::BufferizationDialect::kWritableAttrName,
                    b.getBoolAttr(true));
}
