//===- GroupQueryAttention.cpp - onnxruntime's operator as ONNX's ---------===//

#include "InPlaceCaches.h"

#include "NodeBuilder.h"

#include "tern/Dialect/Onnx/IR/GroupQueryAttention.h"

using namespace mlir;
using namespace tern::onnx;

using Port = GroupQueryAttentionPort;

namespace {
/// [batch, sequence, heads * size] each.
struct Projections {
  Value query, key, value;
};
} // namespace

static Projections splitProjections(NodeBuilder &b, NodeOp node, int64_t heads,
                                    int64_t kvHeads) {
  Value query = node.getInput(Port::Query);
  if (node.getInput(Port::Key))
    return {query, node.getInput(Port::Key), node.getInput(Port::Values)};
  auto type = cast<RankedTensorType>(query.getType());
  int64_t size = type.getDimSize(2) / (heads + 2 * kvHeads);
  SmallVector<int64_t> parts = {heads * size, kvHeads * size, kvHeads * size};
  SmallVector<Type> types;
  for (int64_t part : parts)
    types.push_back(type.clone({type.getDimSize(0), type.getDimSize(1), part}));
  auto split = NodeOp::create(
      b, types, "Split", ValueRange{query, b.ints(parts)},
      b.getDictionaryAttr(b.getNamedAttr("axis", b.getI64IntegerAttr(-1))));
  return {split->getResult(0), split->getResult(1), split->getResult(2)};
}

static Value rotate(NodeBuilder &b, NodeOp node, Value tensor, int64_t heads,
                    Value positions) {
  return b.node("com.microsoft::RotaryEmbedding", tensor.getType(),
                {tensor, positions, node.getInput(Port::CosCache),
                 node.getInput(Port::SinCache)},
                {b.getNamedAttr("num_heads", b.getI64IntegerAttr(heads)),
                 b.getNamedAttr("interleaved", b.getI64IntegerAttr(node.getInt(
                                                   "rotary_interleaved", 0)))});
}

/// What joins the scores of each head: a learned sink, 0 for a smooth softmax,
/// or null.
static Value getSinks(NodeBuilder &b, NodeOp node, int64_t heads) {
  if (Value sinks = node.getInput(Port::HeadSink))
    return sinks;
  if (node.getInt("smooth_softmax", 0) <= 0)
    return {};
  auto type = RankedTensorType::get({heads}, b.getF32Type());
  return ConstantOp::create(b, DenseElementsAttr::get(type, 0.0f));
}

static DictionaryAttr getAttentionAttrs(NodeBuilder &b, NodeOp node,
                                        int64_t heads, int64_t kvHeads) {
  NamedAttrList attrs;
  attrs.set("is_causal", b.getI64IntegerAttr(1));
  attrs.set("q_num_heads", b.getI64IntegerAttr(heads));
  attrs.set("kv_num_heads", b.getI64IntegerAttr(kvHeads));
  // 0 means the usual one, as does no attribute of Attention's.
  if (float scale = node.getFloat("scale", 0))
    attrs.set("scale", b.getF32FloatAttr(scale));
  attrs.set("softcap", b.getF32FloatAttr(node.getFloat("softcap", 0)));
  // A window counts the query's own position.
  if (int64_t window = node.getInt("local_window_size", -1); window > 0)
    attrs.set("left_window_size", b.getI64IntegerAttr(window - 1));
  return attrs.getDictionary(b.getContext());
}

NodeOp tern::onnx::decomposeGroupQueryAttention(NodeOp node, Value positions) {
  NodeBuilder b(node);
  int64_t heads = node.getInt("num_heads", 0);
  int64_t kvHeads = node.getInt("kv_num_heads", 0);
  auto [query, key, value] = splitProjections(b, node, heads, kvHeads);
  if (Value own = node.getInput(Port::PositionIds))
    positions = own;
  if (node.getInt("do_rotary", 0) != 0) {
    query = rotate(b, node, query, heads, positions);
    key = rotate(b, node, key, kvHeads, positions);
  }
  Value none = b.none();
  auto orNone = [&](Value own) { return own ? own : none; };
  auto attention = NodeOp::create(
      b, node->getResultTypes(), "Attention",
      ValueRange{query, key, value, orNone(node.getInput(Port::AttentionBias)),
                 orNone(node.getInput(Port::PastKey)),
                 orNone(node.getInput(Port::PastValue)), none,
                 orNone(getSinks(b, node, heads))},
      getAttentionAttrs(b, node, heads, kvHeads));
  node->replaceAllUsesWith(attention);
  node->erase();
  return attention;
}
