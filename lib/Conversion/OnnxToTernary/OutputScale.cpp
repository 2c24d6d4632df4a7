//===- OutputScale.cpp - what rescales a product --------------------------===//

#include "Raising.h"

#include <cmath>

using namespace mlir;
using namespace tern;
using tern::onnx::ElementKind;
using tern::onnx::NodeOp;
using tern::onnx::Tensor;
using tern::ternary::ScaleForm;

/// A constant of one element or of N along the last dimension, as f32.
static std::optional<SmallVector<float>>
getConstantFactor(const Matcher &matcher, Value value, int64_t rows) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || !isF32(value))
    return std::nullopt;
  int64_t count = type.getNumElements();
  bool isRow =
      count == rows && type.getRank() > 0 && type.getShape().back() == rows;
  if (count != 1 && !isRow)
    return std::nullopt;
  std::optional<Tensor> tensor = matcher.getEvaluator().evaluate(value);
  if (!tensor || tensor->getKind() != ElementKind::F32 ||
      tensor->getNumElements() != count)
    return std::nullopt;
  const auto *data = tensor->getData<float>();
  return SmallVector<float>(data, data + count);
}

/// accumulator[i] *= values[i], one element standing for all.
static void multiplyInto(SmallVector<float> &accumulator,
                         ArrayRef<float> values) {
  if (accumulator.empty()) {
    accumulator.assign(values.begin(), values.end());
    return;
  }
  if (accumulator.size() < values.size())
    accumulator.resize(values.size(), accumulator.front());
  for (auto [i, value] : llvm::enumerate(accumulator))
    value *= values[values.size() == 1 ? 0 : i];
}

namespace {

/// Collects the factors of a chain.
class FactorCollector {
public:
  FactorCollector(const Matcher &matcher, int64_t rows,
                  const AbsmaxQuantization *pending)
      : matcher(matcher), rows(rows), pending(pending) {}

  /// Takes `value` in as a factor or, with `divides`, as a divisor; false
  /// where it is more than constants and the pending scale.
  bool add(Value value, bool divides) {
    value = matcher.strip(value);
    if (!value)
      return false;
    if (pending && value == pending->scale) {
      scalePower += divides ? -1 : 1;
      return true;
    }
    if (auto constant = getConstantFactor(matcher, value, rows)) {
      multiplyInto(divides ? output.divisors : output.factors, *constant);
      return true;
    }
    for (StringRef op : {"Mul", "Div"})
      if (NodeOp node = matcher.match(value, op);
          node && node.getInputs().size() == 2 && isF32(value))
        return add(node.getInput(0), divides) &&
               add(node.getInput(1), divides != (op == "Div"));
    return false;
  }

  /// Whether the pending scale has been applied once, and in its direction.
  bool isComplete() const {
    if (!pending)
      return scalePower == 0;
    return scalePower == (pending->attr.getForm() == ScaleForm::Step ? 1 : -1);
  }

  OutputScale output;

private:
  const Matcher &matcher;
  int64_t rows;
  const AbsmaxQuantization *pending;
  int scalePower = 0;
};

} // namespace

/// Whether a chain may go on through `node`: a Cast of the sums to f32, or a
/// node that leaves them as they are.
static bool isTransparent(NodeOp node) {
  if (node.is("Identity"))
    return true;
  return node.is("Cast") && isF32(node->getResult(0)) &&
         (isF32(node.getInput(0)) ||
          getElementTypeOrSelf(node.getInput(0).getType())
              .isSignlessInteger(32));
}

/// Whether `factor` broadcasts into `value` without making it any larger.
static bool keepsShape(Value value, Value factor) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  auto factorType = dyn_cast<RankedTensorType>(factor.getType());
  return type && factorType && factorType.getRank() <= type.getRank();
}

std::optional<OutputScale>
tern::followOutput(const Matcher &matcher, Value product, int64_t rows,
                   const AbsmaxQuantization *pending) {
  FactorCollector collector(matcher, rows, pending);
  std::optional<OutputScale> best;
  Value value = product;
  while (true) {
    if (collector.isComplete() && isF32(value)) {
      best = collector.output;
      best->end = value;
    }
    if (!value.hasOneUse())
      return best;
    auto node = dyn_cast<NodeOp>(*value.user_begin());
    if (!node || node->getNumResults() != 1)
      return best;
    if (!isTransparent(node)) {
      bool divides = node.is("Div");
      if ((!divides && !node.is("Mul")) || node.getInputs().size() != 2 ||
          !isF32(value))
        return best;
      unsigned position = node.getInputs()[0] == value ? 0 : 1;
      Value factor = node.getInputs()[1 - position];
      if ((divides && position == 1) || !keepsShape(value, factor) ||
          !collector.add(factor, divides))
        return best;
    }
    value = node->getResult(0);
  }
}

bool tern::foldScales(TernaryWeight &weight, const OutputScale &output) {
  if (output.factors.empty() && output.divisors.empty())
    return false;
  // The graph's own numbers survive where they can: 1 / scale rounds.
  if (weight.hasUnitScale() && weight.groups == 1 && output.factors.empty() &&
      llvm::none_of(output.divisors, [](float d) { return d == 0.0f; })) {
    weight.scales = output.divisors;
    return true;
  }
  size_t width = std::max(output.factors.size(), output.divisors.size());
  if (width > 1 && weight.scales.size() == 1)
    weight.scales.resize(weight.rows, weight.scales.front());
  for (auto [i, scale] : llvm::enumerate(weight.scales)) {
    size_t row = i / weight.groups;
    auto pick = [&](ArrayRef<float> values) {
      return values[values.size() == 1 ? 0 : row];
    };
    if (!output.factors.empty())
      scale *= pick(output.factors);
    if (!output.divisors.empty())
      scale /= pick(output.divisors);
  }
  return false;
}
