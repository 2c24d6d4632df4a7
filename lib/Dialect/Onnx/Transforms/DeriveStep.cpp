//===- DeriveStep.cpp - generation with the KV cache in place -------------===//

#include "tern/Dialect/Onnx/Transforms/Passes.h"

#include "tern/Dialect/Onnx/Analysis/LanguageModel.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern::onnx {
#define GEN_PASS_DEF_DERIVESTEP
#include "tern/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace tern::onnx

using namespace mlir;
using namespace tern::onnx;

namespace {

/// Builds `step` from a copy of the graph.
class StepBuilder {
public:
  StepBuilder(func::FuncOp step, const LanguageModel &model, int64_t context)
      : b(step.getLoc(), step.getContext()), step(step), model(model),
        context(context) {}

  void build();

private:
  /// Appends an argument of the new signature.
  BlockArgument addArgument(Type type) {
    return step.front().addArgument(type, b.getLoc());
  }
  /// `[1, past + count]` ones, or `[1, count]` positions from `past` on.
  Value createMask();
  Value createPositions();
  /// Makes `cache`, new positions being appended, stand for `kv`.
  Value appendInPlace(const KVCache &kv, BlockArgument cache);
  /// Restricts the computation of the logits to the last tokens.
  Value sliceLogits();
  /// `logits` in f32, which the C interface has.
  Value convertToF32(Value logits);
  RankedTensorType getCacheType(const KVCache &kv);
  OpFoldResult attr(int64_t value) { return b.getIndexAttr(value); }

  ImplicitLocOpBuilder b;
  func::FuncOp step;
  const LanguageModel &model;
  int64_t context;
  BlockArgument tokens, past, numLogits;
  Value count; ///< tokens of this call
  Value total; ///< past + count
};

RankedTensorType StepBuilder::getCacheType(const KVCache &kv) {
  auto type = cast<RankedTensorType>(step.getArgument(kv.past).getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[0] = 1;
  shape[kv.axis] = context;
  return RankedTensorType::get(shape, type.getElementType());
}

Value StepBuilder::createMask() {
  auto type = RankedTensorType::get({1, ShapedType::kDynamic}, b.getI64Type());
  Value empty = tensor::EmptyOp::create(b, type, ValueRange{total});
  Value one = arith::ConstantIntOp::create(b, 1, 64);
  return linalg::FillOp::create(b, one, empty).getResult(0);
}

Value StepBuilder::createPositions() {
  auto type = RankedTensorType::get({1, ShapedType::kDynamic}, b.getI64Type());
  Value empty = tensor::EmptyOp::create(b, type, ValueRange{count});
  auto loops =
      SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel);
  auto body = [&](OpBuilder &nested, Location loc, ValueRange) {
    Value index = linalg::IndexOp::create(nested, loc, 1);
    Value position = arith::AddIOp::create(nested, loc, index, past);
    Value value =
        arith::IndexCastOp::create(nested, loc, nested.getI64Type(), position);
    linalg::YieldOp::create(nested, loc, value);
  };
  return linalg::GenericOp::create(
             b, type, ValueRange{}, ValueRange{empty},
             ArrayRef<AffineMap>{b.getMultiDimIdentityMap(2)}, loops, body)
      .getResult(0);
}

Value StepBuilder::appendInPlace(const KVCache &kv, BlockArgument cache) {
  auto type = cast<RankedTensorType>(cache.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), attr(0)), sizes,
      strides(type.getRank(), attr(1));
  for (int64_t size : type.getShape())
    sizes.push_back(attr(size));

  // Before anything is appended: the past, for those who ask for its shape.
  sizes[kv.axis] = past;
  b.setInsertionPointAfter(total.getDefiningOp());
  Value before =
      tensor::ExtractSliceOp::create(b, cache, offsets, sizes, strides);
  auto results = cast<func::ReturnOp>(step.front().getTerminator());
  auto concat = results.getOperand(kv.present).getDefiningOp<NodeOp>();
  step.getArgument(kv.past).replaceAllUsesWith(before);

  b.setInsertionPoint(concat);
  SmallVector<int64_t> newShape(type.getShape());
  newShape[kv.axis] = ShapedType::kDynamic;
  Value added = tensor::CastOp::create(
      b, RankedTensorType::get(newShape, type.getElementType()),
      concat.getInputs()[1]);
  offsets[kv.axis] = past;
  sizes[kv.axis] = count;
  Value updated =
      tensor::InsertSliceOp::create(b, added, cache, offsets, sizes, strides);
  offsets[kv.axis] = attr(0);
  sizes[kv.axis] = total;
  Value present =
      tensor::ExtractSliceOp::create(b, updated, offsets, sizes, strides);
  concat.getOutputs()[0].replaceAllUsesWith(present);
  concat.erase();
  return updated;
}

/// The operand through which `node` maps each token by itself, its other inputs
/// being constant; null if it does not.
OpOperand *getRowwiseInput(Operation *op) {
  auto node = dyn_cast<NodeOp>(op);
  if (!node || !node->hasOneUse() ||
      !(node.is("MatMul") || node.is("Cast") || node.is("Mul") ||
        node.is("Div") || node.is("Identity")))
    return nullptr;
  OpOperand *found = nullptr;
  for (OpOperand &operand : node->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type)
      return nullptr;
    // Constants, and what a constant is turned into, have static shapes; the
    // sequence's dimension is dynamic.
    if (type.hasStaticShape()) {
      // One with a row for each token would have to be sliced too.
      int64_t rank = type.getRank();
      if (!node.is("MatMul") && rank > 1 && type.getDimSize(rank - 2) != 1)
        return nullptr;
      continue;
    }
    if (found || type.getRank() != 3)
      return nullptr;
    found = &operand;
  }
  if (node.is("MatMul") && found && found->getOperandNumber() != 0)
    return nullptr;
  return found;
}

Value StepBuilder::sliceLogits() {
  auto results = cast<func::ReturnOp>(step.front().getTerminator());
  OpOperand *target = &results->getOpOperand(model.logits);
  bool throughHead = false;
  while (!throughHead) {
    Operation *producer = target->get().getDefiningOp();
    OpOperand *input = producer ? getRowwiseInput(producer) : nullptr;
    if (!input)
      break;
    throughHead = cast<NodeOp>(producer).is("MatMul");
    target = input;
  }
  if (!throughHead)
    target = &results->getOpOperand(model.logits);

  b.setInsertionPoint(target->getOwner());
  auto type = cast<RankedTensorType>(target->get().getType());
  auto fullType = RankedTensorType::get(
      {1, ShapedType::kDynamic, type.getDimSize(2)}, type.getElementType());
  Value full = tensor::CastOp::create(b, fullType, target->get());
  Value first = arith::SubIOp::create(b, count, numLogits);
  Value slice = tensor::ExtractSliceOp::create(
      b, full, ArrayRef<OpFoldResult>{attr(0), first, attr(0)},
      ArrayRef<OpFoldResult>{attr(1), numLogits, attr(type.getDimSize(2))},
      ArrayRef<OpFoldResult>{attr(1), attr(1), attr(1)});
  target->set(slice);
  auto logits =
      cast<RankedTensorType>(results.getOperand(model.logits).getType());
  b.setInsertionPoint(results);
  return convertToF32(tensor::CastOp::create(
      b,
      RankedTensorType::get({1, ShapedType::kDynamic, model.vocab},
                            logits.getElementType()),
      results.getOperand(model.logits)));
}

Value StepBuilder::convertToF32(Value logits) {
  auto type = cast<RankedTensorType>(logits.getType());
  unsigned width = type.getElementTypeBitWidth();
  if (type.getElementType().isF32())
    return logits;
  auto result = type.clone(b.getF32Type());
  Value empty = tensor::EmptyOp::create(b, result, ValueRange{numLogits});
  auto loops =
      SmallVector<utils::IteratorType>(3, utils::IteratorType::parallel);
  auto body = [&](OpBuilder &nested, Location loc, ValueRange args) {
    Type f32 = nested.getF32Type();
    Value value =
        width < 32
            ? arith::ExtFOp::create(nested, loc, f32, args[0]).getResult()
            : arith::TruncFOp::create(nested, loc, f32, args[0]);
    linalg::YieldOp::create(nested, loc, value);
  };
  return linalg::GenericOp::create(
             b, result, logits, empty,
             SmallVector<AffineMap>(2, b.getMultiDimIdentityMap(3)), loops,
             body)
      .getResult(0);
}

void StepBuilder::build() {
  unsigned numOld = step.getNumArguments();
  auto ids = RankedTensorType::get({1, ShapedType::kDynamic}, b.getI64Type());
  tokens = addArgument(ids);
  past = addArgument(b.getIndexType());
  numLogits = addArgument(b.getIndexType());
  SmallVector<BlockArgument> caches;
  for (const KVCache &kv : model.caches)
    caches.push_back(addArgument(getCacheType(kv)));

  b.setInsertionPointToStart(&step.front());
  count = tensor::DimOp::create(b, tokens, 1);
  total = arith::AddIOp::create(b, past, count);
  step.getArgument(model.inputIds).replaceAllUsesWith(tokens);
  if (model.attentionMask)
    step.getArgument(*model.attentionMask).replaceAllUsesWith(createMask());
  if (model.positionIds)
    step.getArgument(*model.positionIds).replaceAllUsesWith(createPositions());
  SmallVector<Value> results = {sliceLogits()};
  for (auto [kv, cache] : llvm::zip(model.caches, caches))
    results.push_back(appendInPlace(kv, cache));

  step.front().eraseArguments(0, numOld);
  auto oldReturn = cast<func::ReturnOp>(step.front().getTerminator());
  b.setInsertionPoint(oldReturn);
  auto newReturn = func::ReturnOp::create(b, results);
  oldReturn.erase();
  step.setFunctionType(b.getFunctionType(step.front().getArgumentTypes(),
                                         newReturn.getOperandTypes()));
  step.setAllArgAttrs(SmallVector<DictionaryAttr>(step.getNumArguments(),
                                                  b.getDictionaryAttr({})));
  step.setAllResultAttrs(SmallVector<DictionaryAttr>(step.getNumResults(),
                                                     b.getDictionaryAttr({})));
  for (BlockArgument cache : caches)
    step.setArgAttr(cache.getArgNumber(),
                    bufferization::BufferizationDialect::kWritableAttrName,
                    b.getBoolAttr(true));
}

/// True if `type` may hold one sequence, of as many positions along `axis` as a
/// call has.
bool holdsOneSequence(Type type, int64_t axis) {
  auto tensor = cast<RankedTensorType>(type);
  return (tensor.isDynamicDim(0) || tensor.getDimSize(0) == 1) &&
         tensor.isDynamicDim(axis);
}

/// True if every cache has a known number of heads and head size, nothing but
/// token ids, mask and positions has to be supplied, and all of them take a
/// sequence of any length.
bool canDerive(func::FuncOp graph, const LanguageModel &model) {
  if (model.caches.empty() || !model.unknown.empty())
    return false;
  SmallVector<Type> sequences = {graph.getArgumentTypes()[model.inputIds],
                                 graph.getResultTypes()[model.logits]};
  for (std::optional<unsigned> index : {model.attentionMask, model.positionIds})
    if (index)
      sequences.push_back(graph.getArgumentTypes()[*index]);
  if (!llvm::all_of(sequences,
                    [](Type type) { return holdsOneSequence(type, 1); }))
    return false;
  return llvm::all_of(model.caches, [&](const KVCache &kv) {
    auto type = cast<RankedTensorType>(graph.getArgumentTypes()[kv.past]);
    if (kv.axis == 0 || !holdsOneSequence(type, kv.axis))
      return false;
    for (int64_t dim = 1; dim < type.getRank(); ++dim)
      if (dim != kv.axis && type.isDynamicDim(dim))
        return false;
    return true;
  });
}

struct DeriveStepPass : tern::onnx::impl::DeriveStepBase<DeriveStepPass> {
  using Base::Base;

  void runOnOperation() override {
    auto graph = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!graph || getOperation().lookupSymbol("step"))
      return;
    std::optional<LanguageModel> model = findLanguageModel(graph);
    if (!model || !canDerive(graph, *model))
      return;
    func::FuncOp step = graph.clone();
    step.setSymName("step");
    // So that results which only say "the cache was updated" may be dropped.
    step.setPrivate();
    getOperation().push_back(step);
    StepBuilder(step, *model, getContextLength(getOperation(), context))
        .build();
  }
};
} // namespace
