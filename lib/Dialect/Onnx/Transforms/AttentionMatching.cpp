//===- AttentionMatching.cpp - attention that is spelled out --------------===//

#include "AttentionMatching.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tern::onnx;

// Between a softmax and its products stand a few nodes; a search ends there.
static constexpr unsigned kMaxDepth = 12;

/// The node of operator `op` with `inputs` inputs and one result that defines
/// `value`, or null.
static NodeOp getNode(Value value, StringRef op, unsigned inputs) {
  auto node = value.getDefiningOp<NodeOp>();
  return node && node.is(op) && node->getNumResults() == 1 &&
                 node.getInputs().size() == inputs
             ? node
             : NodeOp();
}

static bool isFloatTensor(Value value) {
  return isa<FloatType>(getElementTypeOrSelf(value.getType()));
}

/// True for nodes that leave floats as they are but for rounding.
static bool keepsFloats(NodeOp node) {
  return (node.is("Identity") || node.is("Cast")) &&
         node.getInputs().size() == 1 && node->getNumResults() == 1 &&
         isFloatTensor(node.getInputs()[0]) &&
         isFloatTensor(node->getResult(0));
}

//===----------------------------------------------------------------------===//
// From the softmax to its products
//===----------------------------------------------------------------------===//

NodeOp AttentionMatcher::findProduct(Value weights, unsigned depth) {
  if (depth > kMaxDepth)
    return {};
  for (Operation *user : weights.getUsers()) {
    auto node = dyn_cast<NodeOp>(user);
    if (!node)
      continue;
    if (node.is("MatMul") && node.getInputs().size() == 2 &&
        node.getInputs()[0] == weights)
      return node;
    // Rows that are masked altogether have no weights: 0 for NaN.
    bool isGuard = node.is("Where") && node.getInputs().size() == 3 &&
                   node.getInputs()[2] == weights &&
                   evaluator.getScalar(node.getInputs()[1]) == 0.0;
    if (isGuard) {
      NodeOp test = getNode(node.getInputs()[0], "IsNaN", 1);
      isGuard = test && test.getInputs()[0] == weights;
    }
    if (!isGuard && !keepsFloats(node))
      continue;
    if (NodeOp product = findProduct(node->getResult(0), depth + 1))
      return product;
  }
  return {};
}

NodeOp AttentionMatcher::matchSum(NodeOp node, AttentionMatch &match,
                                  unsigned depth) {
  for (unsigned i = 0; i < 2; ++i) {
    AttentionMatch attempt = match;
    attempt.masks.push_back({node.getInputs()[1 - i], MaskTerm::Kind::Added});
    if (NodeOp product = matchScores(node.getInputs()[i], attempt, depth + 1)) {
      match = attempt;
      return product;
    }
  }
  return {};
}

NodeOp AttentionMatcher::matchSelection(NodeOp node, AttentionMatch &match,
                                        unsigned depth) {
  for (unsigned i = 1; i < 3; ++i) {
    std::optional<double> other = evaluator.getScalar(node.getInputs()[3 - i]);
    if (!other || !MaskAnalysis::isMasked(*other))
      continue;
    match.masks.push_back(
        {node.getInputs()[0],
         i == 1 ? MaskTerm::Kind::Selected : MaskTerm::Kind::Deselected});
    return matchScores(node.getInputs()[i], match, depth + 1);
  }
  return {};
}

NodeOp AttentionMatcher::matchScaling(NodeOp node, AttentionMatch &match,
                                      unsigned depth) {
  bool isQuotient = node.is("Div");
  for (unsigned i = 0; i < (isQuotient ? 1 : 2); ++i) {
    std::optional<double> factor = evaluator.getScalar(node.getInputs()[1 - i]);
    if (!factor || *factor == 0)
      continue;
    // A cap: c * tanh(scores / c).
    if (NodeOp tanh = getNode(node.getInputs()[i], "Tanh", 1);
        tanh && !isQuotient && *factor > 0) {
      AttentionMatch inner;
      NodeOp product = matchScores(tanh.getInputs()[0], inner, depth + 1);
      bool isLast = match.scale == 1 && match.softcap == 0;
      if (!product || !isLast || inner.softcap != 0 || !inner.masks.empty())
        return {};
      match.softcap = *factor;
      match.scale = inner.scale * *factor;
      return product;
    }
    match.scale *= isQuotient ? 1 / *factor : *factor;
    size_t masks = match.masks.size();
    NodeOp product = matchScores(node.getInputs()[i], match, depth + 1);
    // A mask below the scale would be scaled as well.
    return match.masks.size() == masks ? product : NodeOp();
  }
  return {};
}

NodeOp AttentionMatcher::matchScores(Value scores, AttentionMatch &match,
                                     unsigned depth) {
  auto node = scores.getDefiningOp<NodeOp>();
  if (!node || depth > kMaxDepth || node->getNumResults() != 1)
    return {};
  if (keepsFloats(node))
    return matchScores(node.getInputs()[0], match, depth + 1);
  size_t inputs = node.getInputs().size();
  if (node.is("Where") && inputs == 3)
    return matchSelection(node, match, depth);
  if (inputs != 2)
    return {};
  if (node.is("Add"))
    return matchSum(node, match, depth);
  if (node.is("Mul") || node.is("Div"))
    return matchScaling(node, match, depth);
  return node.is("MatMul") ? node : NodeOp();
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

Value AttentionMatcher::stripScale(Value value, Type type, double &scale) {
  for (unsigned depth = 0; depth < kMaxDepth; ++depth) {
    auto node = value.getDefiningOp<NodeOp>();
    if (!node || node->getNumResults() != 1 || node.getInputs().empty())
      return value;
    Value input = node.getInputs()[0];
    if (keepsFloats(node)) {
      // A cast that only widens what the attention is to return.
      bool isSame = input.getType() == value.getType();
      bool isWidened = getElementTypeOrSelf(input.getType()) == type && !isSame;
      if (!isSame && !isWidened)
        return value;
      value = input;
      continue;
    }
    bool isQuotient = node.is("Div");
    if ((!isQuotient && !node.is("Mul")) || node.getInputs().size() != 2)
      return value;
    Value next;
    for (unsigned i = 0; i < (isQuotient ? 1 : 2) && !next; ++i) {
      std::optional<double> factor =
          evaluator.getScalar(node.getInputs()[1 - i]);
      Value other = node.getInputs()[i];
      // The factor must not add dimensions.
      if (!factor || *factor == 0 || other.getType() != value.getType())
        continue;
      scale *= isQuotient ? 1 / *factor : *factor;
      next = other;
    }
    if (!next)
      return value;
    value = next;
  }
  return value;
}

/// Whether a mask may give the scores more batches, heads, queries or keys than
/// queries and keys do.
static bool isBroadcastByMask(SymbolicEvaluator &evaluator,
                              const AttentionMatch &match,
                              ArrayRef<Polynomial> query) {
  std::optional<Polynomials> key = evaluator.getShape(match.key),
                             value = evaluator.getShape(match.value),
                             result = evaluator.getShape(
                                 match.product->getResult(0));
  if (!result || result->size() != query.size())
    return true;
  for (unsigned dim = 0; dim < 3; ++dim)
    if (!evaluator.isSameSize((*result)[dim], query[dim]) &&
        !evaluator.isBroadcastOf((*result)[dim], query[dim]))
      return true;
  return (*key)[match.isKeyTransposed ? 3 : 2] != (*value)[2];
}

/// The element types and sizes of `match` as Attention needs them.
static bool fits(SymbolicEvaluator &evaluator, const AttentionMatch &match,
                 std::string &reason) {
  Type type = getElementTypeOrSelf(match.product->getResult(0).getType());
  // Scores of 8 bits move probabilities by per cents: that is part of the
  // model.
  if (type.isBF16()) {
    reason = "bf16 rounds scores and probabilities, which Attention does not";
    return false;
  }
  for (Value operand : {match.query, match.key, match.value})
    if (getElementTypeOrSelf(operand.getType()) != type) {
      reason = "queries, keys and values differ in their element types";
      return false;
    }
  std::optional<Polynomials> query = evaluator.getShape(match.query),
                             key = evaluator.getShape(match.key),
                             value = evaluator.getShape(match.value);
  if (!query || query->size() != 4 || !(*query)[1].getConstant()) {
    reason = "queries are not [batch, heads, sequence, size] with a known "
             "number of heads";
    return false;
  }
  if ((*query)[0] != (*key)[0] || (*query)[0] != (*value)[0]) {
    reason = "queries, keys and values may differ in the batch";
    return false;
  }
  int64_t heads = *(*query)[1].getConstant();
  int64_t kvHeads = *(*key)[1].getConstant();
  if ((*key)[1] != (*value)[1] || heads % kvHeads != 0) {
    reason = "keys and values differ in the number of heads";
    return false;
  }
  if (isBroadcastByMask(evaluator, match, *query)) {
    reason = "a mask is larger than the scores";
    return false;
  }
  return true;
}

bool AttentionMatcher::findKeysAndValues(Value key, AttentionMatch &match,
                                         std::optional<int64_t> kvHeads) {
  match.key = findSource(evaluator, key, /*isTransposed=*/true, kvHeads);
  match.isKeyTransposed = !match.key;
  if (match.isKeyTransposed)
    match.key = findSource(evaluator, key, /*isTransposed=*/false, kvHeads);
  match.value = findSource(evaluator, match.product.getInputs()[1],
                           /*isTransposed=*/false, kvHeads);
  return match.key && match.value;
}

bool AttentionMatcher::matchOperands(NodeOp scores, AttentionMatch &match,
                                     std::string &reason) {
  Type type = getElementTypeOrSelf(match.product->getResult(0).getType());
  match.query = stripScale(scores.getInputs()[0], type, match.scale);
  Value key = stripScale(scores.getInputs()[1], type, match.scale);
  if (!findKeysAndValues(key, match)) {
    reason = "keys and values are not of rank 4 with a known number of heads";
    return false;
  }
  // Where one of the two is repeated in another order, neither is undone.
  auto countHeads = [&](Value tensor) {
    return *(*evaluator.getShape(tensor))[1].getConstant();
  };
  int64_t keyHeads = countHeads(match.key);
  int64_t valueHeads = countHeads(match.value);
  if (keyHeads != valueHeads &&
      !findKeysAndValues(key, match, std::max(keyHeads, valueHeads))) {
    reason = "keys and values differ in the number of heads";
    return false;
  }
  // Scales and casts may stand before the transposition, too.
  match.key = stripScale(match.key, type, match.scale);
  return fits(evaluator, match, reason);
}

std::optional<AttentionMatch> AttentionMatcher::match(NodeOp softmax,
                                                      std::string &reason) {
  auto type = dyn_cast<RankedTensorType>(softmax->getResult(0).getType());
  AttentionMatch match;
  match.product = findProduct(softmax->getResult(0));
  if (!match.product || !type)
    return std::nullopt;
  NodeOp scores = matchScores(softmax.getInputs()[0], match);
  if (!scores) {
    reason = "its scores are not a scaled and masked product";
    return std::nullopt;
  }
  // Up to opset 12 a softmax runs over all dimensions from its axis on.
  int64_t fallback = softmax.getOpset() >= 13 ? -1 : 1;
  int64_t axis = softmax.getInt("axis", fallback);
  if (axis != -1 && axis != type.getRank() - 1) {
    reason = "the softmax runs over axis " + std::to_string(axis) +
             ", not over the keys";
    return std::nullopt;
  }
  if (!matchOperands(scores, match, reason))
    return std::nullopt;
  return match;
}
