//===- InPlaceCaches.cpp - caches appended to in place --------------------===//

#include "InPlaceCaches.h"

#include "NodeBuilder.h"

#include "tern/Dialect/Onnx/IR/Attention.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Keys or values as [batch, heads, sequence, size].
static Value getHeadsFirst(NodeBuilder &b, Value tensor, int64_t heads) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getRank() == 4)
    return tensor;
  int64_t hidden = type.getDimSize(2);
  int64_t size = ShapedType::isDynamic(hidden) ? hidden : hidden / heads;
  int64_t batch = type.getDimSize(0), sequence = type.getDimSize(1);
  Value split = b.node("Reshape", type.clone({batch, sequence, heads, size}),
                       {tensor, b.ints({0, 0, heads, -1})});
  return b.node("Transpose", type.clone({batch, heads, sequence, size}), split,
                b.getNamedAttr("perm", b.getDenseI64ArrayAttr({0, 2, 1, 3})));
}

/// Appends `rows` to `cache`, and returns what is valid of it then.
static KVTensor appendRows(StepFunction &step, NodeBuilder &b, Value rows,
                           KVTensor &cache) {
  constexpr int64_t kAxis = 2;
  KVTensor stored =
      storeRows(b, rows, cast<RankedTensorType>(cache.data.getType()));
  auto append = [&](Value added, Value &buffer) {
    buffer = step.append(b, added, buffer, kAxis);
    return step.getValid(b, buffer, kAxis);
  };
  KVTensor valid{append(stored.data, cache.data), nullptr};
  if (stored.scales)
    valid.scales = append(stored.scales, cache.scales);
  return valid;
}

void tern::onnx::attendInPlace(StepFunction &step, NodeOp attention,
                               KVTensor &keys, KVTensor &values) {
  NodeBuilder b(attention);
  int64_t heads = attention.getInt("kv_num_heads", 1);
  auto update = [&](unsigned rows, unsigned present, KVTensor &cache) {
    Value added = getHeadsFirst(b, attention.getInputs()[rows], heads);
    KVTensor valid = appendRows(step, b, added, cache);
    if (attention.getOutputs().size() > present)
      attention.getOutputs()[present].replaceAllUsesWith(valid.data);
    return valid;
  };
  using Port = AttentionPort;
  KVTensor key = update(Port::Key, Port::PresentKey, keys);
  KVTensor value = update(Port::Value, Port::PresentValue, values);
  Value none = b.none();
  auto orNone = [&](Value value) { return value ? value : none; };
  SmallVector<Value> inputs = {attention.getInputs()[Port::Query],
                               key.data,
                               value.data,
                               orNone(attention.getInput(Port::Mask)),
                               none,
                               none,
                               step.getKeyCounts(),
                               orNone(attention.getInput(Port::Sinks)),
                               orNone(key.scales),
                               orNone(value.scales)};
  while (inputs.back() == none)
    inputs.pop_back();
  auto replacement =
      NodeOp::create(b, attention->getResultTypes(), attention.getKind(),
                     inputs, attention.getAttrs());
  attention->replaceAllUsesWith(replacement);
  attention->erase();
}

SmallVector<Value> tern::onnx::getUpdated(ArrayRef<KVTensor> buffers) {
  SmallVector<Value> updated;
  for (const KVTensor &buffer : buffers) {
    updated.push_back(buffer.data);
    if (buffer.scales)
      updated.push_back(buffer.scales);
  }
  return updated;
}

//===----------------------------------------------------------------------===//
// All forms
//===----------------------------------------------------------------------===//

namespace {
/// Puts the caches of one graph in place.
class CacheRewriter {
public:
  CacheRewriter(StepFunction &step, const LanguageModel &model)
      : step(step), model(model) {}

  SmallVector<Value> run(ArrayRef<RankedTensorType> types);

private:
  void rewriteConcat(NodeOp concat, unsigned index);
  void rewriteScatter(NodeOp scatter, unsigned index);
  void rewriteAttention(NodeOp attention, ArrayRef<unsigned> indices);

  /// What a cache leaves the graph as.
  Value getPresent(unsigned index) {
    return lookThroughCopies(
        step.getReturn().getOperand(model.caches[index].present));
  }

  StepFunction &step;
  const LanguageModel &model;
  /// What each cache was so far updated to.
  SmallVector<KVTensor> buffers;
};
} // namespace

void CacheRewriter::rewriteConcat(NodeOp concat, unsigned index) {
  int64_t axis = model.caches[index].axis;
  NodeBuilder b(concat);
  Value &cache = buffers[index].data;
  cache = step.append(b, concat.getInputs()[1], cache, axis);
  concat.getOutputs()[0].replaceAllUsesWith(step.getValid(b, cache, axis));
  concat.erase();
}

/// Its readers see the whole buffer, as they did.
void CacheRewriter::rewriteScatter(NodeOp scatter, unsigned index) {
  NodeBuilder b(scatter);
  Value &cache = buffers[index].data;
  cache =
      step.append(b, scatter.getInputs()[1], cache, model.caches[index].axis);
  scatter.getOutputs()[0].replaceAllUsesWith(cache);
  scatter.erase();
}

void CacheRewriter::rewriteAttention(NodeOp attention,
                                     ArrayRef<unsigned> indices) {
  // Keys leave by the output before the values'.
  unsigned keys = indices[0], values = indices[1];
  if (cast<OpResult>(getPresent(keys)).getResultNumber() !=
      AttentionPort::PresentKey)
    std::swap(keys, values);
  if (!attention.is("Attention"))
    attention = decomposeGroupQueryAttention(attention, step.getPositions());
  attendInPlace(step, attention, buffers[keys], buffers[values]);
}

SmallVector<Value> CacheRewriter::run(ArrayRef<RankedTensorType> types) {
  func::FuncOp func = step.getFunc();
  llvm::MapVector<Operation *, SmallVector<unsigned>> nodes;
  buffers = step.addCaches(types);
  for (unsigned index : llvm::seq<unsigned>(0, model.caches.size()))
    nodes[getPresent(index).getDefiningOp()].push_back(index);
  // Who else asks for the past sees what was there before.
  for (auto [kv, buffer] : llvm::zip_equal(model.caches, buffers)) {
    Value before = kv.form == CacheForm::TensorScatter
                       ? buffer.data
                       : step.getPastOf(buffer.data, kv.axis);
    func.getArgument(kv.past).replaceAllUsesWith(before);
  }
  for (auto &[node, indices] : nodes) {
    switch (model.caches[indices.front()].form) {
    case CacheForm::Concat:
      rewriteConcat(cast<NodeOp>(node), indices.front());
      break;
    case CacheForm::TensorScatter:
      rewriteScatter(cast<NodeOp>(node), indices.front());
      break;
    case CacheForm::Attention:
    case CacheForm::GroupQueryAttention:
      rewriteAttention(cast<NodeOp>(node), indices);
      break;
    }
  }
  return getUpdated(buffers);
}

SmallVector<Value>
tern::onnx::putCachesInPlace(StepFunction &step, const LanguageModel &model,
                             ArrayRef<RankedTensorType> types) {
  return CacheRewriter(step, model).run(types);
}
