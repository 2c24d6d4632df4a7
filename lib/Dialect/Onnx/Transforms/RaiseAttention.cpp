//===- RaiseAttention.cpp - attention as one node -------------------------===//

#include "tern/Dialect/Onnx/Transforms/RaiseAttention.h"

#include "AttentionMatching.h"
#include "AttentionNode.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <limits>

namespace tern::onnx {
#define GEN_PASS_DEF_RAISEATTENTION
#include "tern/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace tern::onnx

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

static constexpr llvm::StringLiteral kCategory = "tern-raise";

static void reportMissed(NodeOp node, const Twine &reason) {
  std::string text = (node.getKind() + ": " + reason).str();
  remark::missed(node.getLoc(),
                 remark::RemarkOpts::name("attention").category(kCategory))
      << remark::reason("{0}", text);
}

/// Says what became of an Attention, and what of its mask.
static void reportAttention(NodeOp node, bool isRaised) {
  Value mask = node.getInput(AttentionPort::Mask);
  bool isCausal = node.getInt("is_causal", 0) != 0;
  auto type = mask ? dyn_cast<RankedTensorType>(mask.getType()) : nullptr;
  // A mask with one row needs no n^2 elements.
  bool isFull =
      type && type.getRank() > 1 && type.getDimSize(type.getRank() - 2) != 1;
  if (isRaised)
    remark::passed(node.getLoc(),
                   remark::RemarkOpts::name("raised").category(kCategory))
        << "onnx.Attention"
        << remark::metric("mask", isFull ? "kept"
                                  : isCausal
                                      ? (mask ? "causal, keys" : "causal")
                                      : (mask ? "keys" : "none"));
  if (isFull)
    reportMissed(node, "its mask is not proven to be causal");
}

//===----------------------------------------------------------------------===//
// Raising
//===----------------------------------------------------------------------===//

/// `term` as a boolean that is true where keys are read, or a float to be
/// added.
static Value buildTerm(NodeBuilder &b, const MaskTerm &term) {
  if (term.kind != MaskTerm::Kind::Deselected)
    return term.mask;
  return b.node("Not", term.mask.getType(), term.mask);
}

/// A float to be added in place of the boolean `mask`.
static Value buildAddend(NodeBuilder &b, Value mask, Type type) {
  auto shape = cast<RankedTensorType>(mask.getType());
  if (isa<FloatType>(shape.getElementType()))
    return mask;
  auto scalar = RankedTensorType::get({}, type);
  auto build = [&](double number) -> Value {
    Attribute value = b.getFloatAttr(type, number);
    return ConstantOp::create(
        b, DenseElementsAttr::get(scalar, ArrayRef<Attribute>(value)));
  };
  return b.node(
      "Where", shape.clone(type),
      {mask, build(0), build(-std::numeric_limits<double>::infinity())});
}

/// The masks as one operand of Attention, for scores of `type`; null where
/// there are none.
static Value buildMask(NodeBuilder &b, ArrayRef<MaskTerm> terms, Type type) {
  Value mask;
  for (const MaskTerm &term : terms) {
    Value next = buildTerm(b, term);
    if (!mask) {
      mask = next;
      continue;
    }
    bool areBooleans = getElementTypeOrSelf(mask.getType()).isInteger(1) &&
                       getElementTypeOrSelf(next.getType()).isInteger(1);
    SmallVector<int64_t> shape(4, ShapedType::kDynamic);
    if (areBooleans)
      mask = b.node("And", RankedTensorType::get(shape, b.getI1Type()),
                    {mask, next});
    else
      mask = b.node("Add", RankedTensorType::get(shape, type),
                    {buildAddend(b, mask, type), buildAddend(b, next, type)});
  }
  return mask;
}

/// `mask` with a column for each of `keys`, [b, h, keys, size]: Attention takes
/// keys without one to be masked.
static Value buildColumns(NodeBuilder &b, Value mask, Value keys) {
  Value count =
      b.node("Shape", RankedTensorType::get({1}, b.getI64Type()), keys,
             {b.getNamedAttr("start", b.getI64IntegerAttr(2)),
              b.getNamedAttr("end", b.getI64IntegerAttr(3))});
  auto type = cast<RankedTensorType>(mask.getType());
  SmallVector<int64_t> shape(type.getShape());
  if (shape.empty())
    shape.push_back(0);
  shape.back() = cast<RankedTensorType>(keys.getType()).getDimSize(2);
  return b.node("Expand", type.clone(shape), {mask, count});
}

/// `tensor` [b, h, x, y] as [b, h, y, x].
static Value buildTransposed(NodeBuilder &b, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> shape(type.getShape());
  std::swap(shape[2], shape[3]);
  return b.node("Transpose", type.clone(shape), tensor,
                b.getNamedAttr("perm", b.getDenseI64ArrayAttr({0, 1, 3, 2})));
}

/// Whether the last dimension of `mask` may be 1 where there are more keys.
static bool mayBroadcastColumns(SymbolicEvaluator &evaluator, Value mask,
                                Value keys) {
  std::optional<Polynomials> own = evaluator.getShape(mask);
  const Polynomial count = (*evaluator.getShape(keys))[2];
  return !own || own->empty() ||
         (!evaluator.covers(own->back(), count) &&
          !evaluator.isNonNegative(own->back() - Polynomial(2)));
}

static NodeOp buildAttention(SymbolicEvaluator &evaluator,
                             const AttentionMatch &match) {
  NodeOp product = match.product;
  Type type = getElementTypeOrSelf(product->getResult(0).getType());
  NodeBuilder b(product);
  Value key = match.isKeyTransposed ? buildTransposed(b, match.key) : match.key;
  SmallVector<Value> inputs = {match.query, key, match.value};
  if (Value mask = buildMask(b, match.masks, type)) {
    bool isWide = llvm::any_of(match.masks, [&](const MaskTerm &term) {
      return !mayBroadcastColumns(evaluator, term.mask, key);
    });
    inputs.push_back(isWide ? mask : buildColumns(b, mask, key));
  }
  NamedAttrList attrs;
  attrs.set("is_causal", b.getI64IntegerAttr(0));
  attrs.set("scale", b.getF32FloatAttr(match.scale));
  if (match.softcap != 0)
    attrs.set("softcap", b.getF32FloatAttr(match.softcap));
  auto attention =
      NodeOp::create(b, TypeRange{product->getResult(0).getType()}, "Attention",
                     inputs, attrs.getDictionary(b.getContext()));
  product->getResult(0).replaceAllUsesWith(attention->getResult(0));
  return attention;
}

/// Makes attention around each Softmax one node.
static void raiseSoftmaxes(func::FuncOp graph,
                           const GraphAssumptions &assumptions,
                           SmallVectorImpl<Operation *> &raised) {
  SymbolicEvaluator evaluator(graph, assumptions);
  AttentionMatcher matcher(evaluator);
  SmallVector<NodeOp> softmaxes;
  graph.walk([&](NodeOp node) {
    if (node.is("Softmax") && node->getNumResults() == 1 &&
        node.getInputs().size() == 1)
      softmaxes.push_back(node);
  });
  for (NodeOp softmax : softmaxes) {
    std::string reason;
    if (std::optional<AttentionMatch> match = matcher.match(softmax, reason))
      raised.push_back(buildAttention(evaluator, *match));
    else if (!reason.empty())
      reportMissed(softmax, reason);
  }
}

static void eraseUnusedNodes(func::FuncOp graph) {
  SmallVector<Operation *> nodes;
  for (Operation &op : graph.getOps())
    if (isa<NodeOp, ConstantOp, NoneOp>(op))
      nodes.push_back(&op);
  // Users come after what they use.
  for (Operation *op : llvm::reverse(nodes))
    if (isOpTriviallyDead(op))
      op->erase();
}

void tern::onnx::raiseAttention(func::FuncOp graph,
                                const GraphAssumptions &assumptions,
                                const RaiseAttentionOptions &options) {
  if (graph.isExternal())
    return;
  SmallVector<Operation *> raised;
  raiseSoftmaxes(graph, assumptions, raised);
  eraseUnusedNodes(graph);

  SymbolicEvaluator evaluator(graph, assumptions);
  KeyMasks keyMasks(evaluator);
  SmallVector<NodeOp> attentions;
  graph.walk([&](NodeOp node) {
    if (node.is("Attention") && node->getNumResults() > 0 &&
        node.getInput(AttentionPort::Query) &&
        node.getInput(AttentionPort::Key) &&
        node.getInput(AttentionPort::Value))
      attentions.push_back(node);
  });
  for (NodeOp node : attentions) {
    AttentionSimplifier simplifier(evaluator, keyMasks, node);
    simplifier.foldRepetition();
    if (options.foldPast)
      simplifier.foldPast();
    simplifier.foldMask(options.tablesSuffice ||
                        llvm::is_contained(raised, node));
    NodeOp result = simplifier.finish();
    reportAttention(result, result != node || llvm::is_contained(raised, node));
  }
  sortTopologically(&graph.front());
  eraseUnusedNodes(graph);
}

namespace {

struct RaiseAttentionPass
    : tern::onnx::impl::RaiseAttentionBase<RaiseAttentionPass> {
  using Base::Base;
  void runOnOperation() override {
    raiseAttention(getOperation(), {}, RaiseAttentionOptions{foldPast});
  }
};

} // namespace
