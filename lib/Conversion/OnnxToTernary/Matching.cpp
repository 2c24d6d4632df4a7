//===- Matching.cpp - reading ONNX sub-graphs -----------------------------===//

#include "Matching.h"

using namespace mlir;
using namespace tern;
using tern::onnx::NodeOp;

/// The node of operator `op` that defines `value`, or null.
static NodeOp getNode(Value value, StringRef op) {
  auto node = value.getDefiningOp<NodeOp>();
  return node && node.is(op) && node->getNumResults() == 1 ? node : NodeOp();
}

Value tern::skipStraightThrough(Value value) {
  while (NodeOp add = getNode(value, "Add")) {
    if (add.getInputs().size() != 2)
      break;
    Value next;
    for (unsigned i = 0; i < 2; ++i)
      if (NodeOp sub = getNode(add.getInputs()[i], "Sub");
          sub && sub.getInputs().size() == 2 &&
          sub.getInputs()[1] == add.getInputs()[1 - i])
        next = sub.getInputs()[0];
    if (!next || next.getType() != value.getType())
      break;
    value = next;
  }
  return value;
}

/// The rank of a value, or -1 where it is not known.
static int64_t getRank(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? type.getRank() : -1;
}

Value Matcher::strip(Value value) const {
  while (value) {
    value = skipStraightThrough(value);
    auto node = value.getDefiningOp<NodeOp>();
    if (!node || node->getNumResults() != 1 || node.getInputs().empty())
      return value;
    Value input = node.getInputs()[0];
    bool sameType = getElementTypeOrSelf(input.getType()) ==
                    getElementTypeOrSelf(value.getType());
    if (node.is("Identity") || (node.is("Cast") && sameType)) {
      value = input;
      continue;
    }
    if (!node.is("Mul") || node.getInputs().size() != 2)
      return value;
    // A factor of 1 of higher rank would change the shape.
    Value next;
    for (unsigned i = 0; i < 2; ++i) {
      Value factor = node.getInputs()[i], other = node.getInputs()[1 - i];
      if (getRank(factor) >= 0 && getRank(factor) <= getRank(other) &&
          isScalar(factor, 1.0))
        next = other;
    }
    if (!next)
      return value;
    value = next;
  }
  return {};
}

NodeOp Matcher::match(Value value, StringRef op) const {
  return value ? getNode(strip(value), op) : NodeOp();
}

std::optional<double> Matcher::getScalar(Value value) const {
  if (!value)
    return std::nullopt;
  // The common case first: a plain constant of any other size is none.
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || (type.hasStaticShape() && type.getNumElements() != 1))
    return std::nullopt;
  return evaluator.evaluateScalar(value);
}

Value Matcher::matchWithConstant(Value value, StringRef op,
                                 double expected) const {
  NodeOp node = match(value, op);
  if (!node || node.getInputs().size() != 2)
    return {};
  for (unsigned i = 0; i < 2; ++i)
    if (isScalar(node.getInputs()[i], expected))
      return node.getInputs()[1 - i];
  return {};
}
