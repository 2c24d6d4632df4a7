//===- ConstantEvaluator.cpp - ONNX nodes on constants --------------------===//

#include "tern/Dialect/Onnx/Evaluate/ConstantEvaluator.h"

#include "Evaluation.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::onnx;

/// The nodes that a value needs, in order, and the values computed so far.
struct ConstantEvaluator::Schedule {
  SmallVector<NodeOp> order;
  /// Of the constants that they read, as often as they do.
  int64_t leafBytes = 0;
  /// How many inputs of nodes in `order` still wait for a node's result.
  llvm::DenseMap<Value, unsigned> pendingUses;
  llvm::DenseMap<Value, Tensor> live;
};

ConstantEvaluator::ConstantEvaluator(Substitution substitution,
                                     int64_t freeBytes)
    : substitution(std::move(substitution)), freeBytes(freeBytes) {
  addElementwiseEvaluations(table);
  addBinaryEvaluations(table);
  addReductionEvaluations(table);
  addMovementEvaluations(table);
  addIndexingEvaluations(table);
  addShapeEvaluations(table);
  addQuantizationEvaluations(table);
}

bool ConstantEvaluator::canEvaluate(NodeOp node) const {
  return node->getNumResults() == 1 && table.contains(node.getKind());
}

Value ConstantEvaluator::resolve(Value value) const {
  return substitution ? substitution(value) : value;
}

/// The inputs whose values `node` needs: some look at a type only.
static ValueRange getNeededInputs(NodeOp node) {
  ValueRange inputs = node.getInputs();
  if (node.is("Shape") || node.is("Size"))
    return inputs.take_front(0);
  if (node.is("CastLike"))
    return inputs.take_front(1);
  return inputs;
}

static bool isLeaf(Value value) {
  return isa_and_nonnull<ConstantOp, NoneOp>(value.getDefiningOp());
}

std::optional<TooLarge>
ConstantEvaluator::findTooLarge(const Schedule &schedule) const {
  constexpr int64_t kGrowth = 64;
  int64_t most = std::min<uint64_t>(llvm::SaturatingMultiplyAdd<uint64_t>(
                                        schedule.leafBytes, kGrowth, freeBytes),
                                    Tensor::kMaxBytes);
  for (NodeOp node : schedule.order)
    if (int64_t bytes = getTensorBytes(node->getResult(0).getType());
        bytes > most)
      return TooLarge{node, bytes, most};
  return std::nullopt;
}

std::optional<TooLarge> ConstantEvaluator::findTooLarge(Value value) const {
  Schedule schedule;
  return plan(value, schedule) ? findTooLarge(schedule) : std::nullopt;
}

bool ConstantEvaluator::plan(Value root, Schedule &schedule) const {
  root = resolve(root);
  if (isLeaf(root))
    return true;
  // A depth-first walk in post-order with a stack of its own.
  SmallVector<std::pair<NodeOp, unsigned>> stack;
  llvm::DenseSet<Operation *> visited;
  auto enter = [&](Value value) {
    auto node = value.getDefiningOp<NodeOp>();
    if (!node || !canEvaluate(node))
      return false;
    if (visited.insert(node).second)
      stack.emplace_back(node, 0);
    return true;
  };
  if (!enter(root))
    return false;
  while (!stack.empty()) {
    auto &[node, next] = stack.back();
    ValueRange inputs = getNeededInputs(node);
    if (next == inputs.size()) {
      schedule.order.push_back(node);
      stack.pop_back();
      continue;
    }
    Value input = resolve(inputs[next++]);
    if (isLeaf(input)) {
      if (visited.insert(input.getDefiningOp()).second)
        schedule.leafBytes += getPackedBytes(input.getType());
      continue;
    }
    ++schedule.pendingUses[input];
    if (!enter(input))
      return false;
  }
  ++schedule.pendingUses[root];
  return true;
}

bool ConstantEvaluator::isConstant(Value value) const {
  Schedule schedule;
  return plan(value, schedule);
}

static std::optional<Tensor> getLeaf(Value value) {
  if (auto constant = value.getDefiningOp<ConstantOp>())
    return Tensor::fromAttr(constant.getValue());
  return Tensor(); // an omitted input
}

std::optional<Tensor> ConstantEvaluator::run(NodeOp node,
                                             Schedule &schedule) const {
  SmallVector<Tensor> inputs;
  for (Value input : getNeededInputs(node)) {
    input = resolve(input);
    if (isLeaf(input)) {
      std::optional<Tensor> leaf = getLeaf(input);
      if (!leaf)
        return std::nullopt;
      inputs.push_back(std::move(*leaf));
      continue;
    }
    auto it = schedule.live.find(input);
    if (--schedule.pendingUses[input] > 0) {
      inputs.push_back(it->second);
      continue;
    }
    // The last use: the node may take the elements over.
    inputs.push_back(std::move(it->second));
    schedule.live.erase(it);
  }
  EvaluationContext context{node, inputs};
  return table.lookup(node.getKind())(context);
}

std::optional<Tensor> ConstantEvaluator::evaluate(Value value) const {
  Schedule schedule;
  if (!plan(value, schedule))
    return std::nullopt;
  value = resolve(value);
  if (isLeaf(value)) {
    std::optional<Tensor> leaf = getLeaf(value);
    return leaf && *leaf ? leaf : std::nullopt;
  }
  if (findTooLarge(schedule))
    return std::nullopt;
  for (NodeOp node : schedule.order) {
    std::optional<Tensor> result = run(node, schedule);
    if (!result)
      return std::nullopt;
    schedule.live[node->getResult(0)] = std::move(*result);
  }
  return std::move(schedule.live[value]);
}

std::optional<double> ConstantEvaluator::evaluateScalar(Value value) const {
  // Scalars hang on long weight sub-graphs too; look at the type first.
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (type && type.hasStaticShape() && type.getNumElements() != 1)
    return std::nullopt;
  std::optional<Tensor> tensor = evaluate(value);
  if (!tensor || tensor->getNumElements() != 1)
    return std::nullopt;
  tensor = castTensor(std::move(*tensor), ElementKind::F64);
  return *tensor->getData<double>();
}
