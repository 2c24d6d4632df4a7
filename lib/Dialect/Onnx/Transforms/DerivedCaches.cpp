//===- DerivedCaches.cpp - caches for graphs that have none ---------------===//

#include "DerivedCaches.h"

#include "InPlaceCaches.h"
#include "NodeBuilder.h"

#include "tern/Dialect/Onnx/IR/Attention.h"
#include "tern/Dialect/Onnx/IR/GroupQueryAttention.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// What is looked at
//===----------------------------------------------------------------------===//

/// Gives an argument [batch, sequence] a batch of 1 and the name that the
/// sequence's length has at the token ids.
static void makeOneSequence(func::FuncOp copy, unsigned index, Attribute dims) {
  auto type = cast<RankedTensorType>(copy.getArgumentTypes()[index]);
  copy.getArgument(index).setType(type.clone({1, ShapedType::kDynamic}));
  if (dims)
    copy.setArgAttr(index, "onnx.dims", dims);
}

void tern::onnx::restrictToLogits(func::FuncOp copy,
                                  const LanguageModel &model) {
  Attribute dims = copy.getArgAttr(model.inputIds, "onnx.dims");
  for (std::optional<unsigned> index :
       {std::optional(model.inputIds), model.attentionMask, model.positionIds})
    if (index)
      makeOneSequence(copy, *index, dims);
  auto results = cast<func::ReturnOp>(copy.front().getTerminator());
  Value logits = results.getOperand(model.logits);
  results->setOperands(logits);
  copy.removeResAttrsAttr();
  copy.setFunctionType(FunctionType::get(copy.getContext(),
                                         copy.front().getArgumentTypes(),
                                         TypeRange{logits.getType()}));
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(copy.front())))
    if (isOpTriviallyDead(&op))
      op.erase();
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

/// The buffer of keys or values of a GroupQueryAttention, which may have all in
/// its first input; null where heads or head size are not known.
static RankedTensorType getBufferType(NodeOp attention, int64_t context) {
  int64_t heads = attention.getInt("kv_num_heads", 0);
  std::optional<int64_t> size = getHeadSize(attention);
  if (heads <= 0 || !size)
    return {};
  return RankedTensorType::get(
      {1, heads, context, *size},
      cast<ShapedType>(attention.getInputs()[0].getType()).getElementType());
}

/// The buffer of keys or values, which input `input` is one call's part of;
/// null where heads or head size are not known.
static RankedTensorType getBufferType(NodeOp attention, unsigned input,
                                      SymbolicEvaluator &evaluator,
                                      int64_t context) {
  if (!attention.is("Attention"))
    return getBufferType(attention, context);
  Value tensor = attention.getInputs()[input];
  auto type = cast<RankedTensorType>(tensor.getType());
  Polynomials sizes = *evaluator.getShape(tensor);
  std::optional<int64_t> heads = sizes[1].getConstant();
  std::optional<int64_t> size = sizes.back().getConstant();
  if (type.getRank() == 3) {
    heads = attention.getInt("kv_num_heads", 0);
    if (!size || *heads <= 0 || *size % *heads != 0)
      return {};
    size = *size / *heads;
  }
  if (!heads || !size || *heads < 0 || *size < 0)
    return {};
  return RankedTensorType::get({1, *heads, context, *size},
                               type.getElementType());
}

std::optional<Refusal>
tern::onnx::planDerivedCaches(const TokenwiseAnalysis &analysis,
                              SymbolicEvaluator &evaluator, int64_t context,
                              SmallVectorImpl<RankedTensorType> &types) {
  for (NodeOp attention : analysis.getAttentions()) {
    for (unsigned input : {AttentionPort::Key, AttentionPort::Value}) {
      types.push_back(getBufferType(attention, input, evaluator, context));
      if (!types.back())
        return Refusal{attention.getLoc(),
                       (attention.getKind() +
                        ": the number or the size of its heads is not known")
                           .str()};
    }
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

static void shiftPositions(StepFunction &step, const PositionTensor &found) {
  OpResult value = found.value;
  auto type = RankedTensorType::get(
      found.shape, cast<RankedTensorType>(value.getType()).getElementType());
  value.replaceAllUsesWith(
      step.createPositions(type, found.dim, found.scale, found.offset));
}

/// Rows [past, total) instead of [0, length).
static void shiftTableSlice(StepFunction &step, NodeOp slice, unsigned axis) {
  NodeBuilder b(slice);
  auto toTensor = [&](Value length) -> Value {
    Value element = arith::IndexCastOp::create(b, b.getI64Type(), length);
    return tensor::FromElementsOp::create(
        b, RankedTensorType::get({1}, b.getI64Type()), element);
  };
  slice->setOperands({slice.getInputs()[0], toTensor(step.getPast()),
                      toTensor(step.getTotal()), b.ints({axis})});
}

SmallVector<Value> tern::onnx::addCaches(StepFunction &step,
                                         const TokenwiseAnalysis &analysis,
                                         ArrayRef<RankedTensorType> types) {
  for (const PositionTensor &found : analysis.getPositions())
    shiftPositions(step, found);
  // Those that look rows up by position read the table itself.
  for (NodeOp gather : analysis.getTableGathers())
    gather->setOperand(
        0, gather->getOperand(0).getDefiningOp<NodeOp>().getInputs()[0]);
  for (auto [slice, axis] : analysis.getTableSlices())
    shiftTableSlice(step, slice, axis);

  SmallVector<KVTensor> buffers = step.addCaches(types);
  for (auto [index, found] : llvm::enumerate(analysis.getAttentions())) {
    NodeOp attention = found;
    if (!attention.is("Attention"))
      attention = decomposeGroupQueryAttention(attention, step.getPositions());
    attendInPlace(step, attention, buffers[2 * index], buffers[2 * index + 1]);
  }
  return getUpdated(buffers);
}
