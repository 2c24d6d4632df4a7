//===- SequenceShapes.cpp - sizes in terms of the sequence ----------------===//

#include "tern/Dialect/Onnx/Analysis/SequenceShapes.h"

#include "ShapeRules.h"

#include "tern/Dialect/Onnx/Evaluate/Tensor.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Lengths
//===----------------------------------------------------------------------===//

Size tern::onnx::addLengths(Size lhs, Size rhs) {
  Length sum;
  if (!lhs || !rhs ||
      llvm::AddOverflow(lhs->constant, rhs->constant, sum.constant) ||
      llvm::AddOverflow(lhs->past, rhs->past, sum.past) ||
      llvm::AddOverflow(lhs->count, rhs->count, sum.count))
    return std::nullopt;
  return sum;
}

Size tern::onnx::subtractLengths(Size lhs, Size rhs) {
  return addLengths(lhs, multiplyLengths(rhs, constantSize(-1)));
}

Size tern::onnx::multiplyLengths(Size lhs, Size rhs) {
  if (!lhs || !rhs)
    return std::nullopt;
  if (!rhs->isConstant())
    std::swap(lhs, rhs);
  Length product;
  if (!rhs->isConstant() ||
      llvm::MulOverflow(lhs->constant, rhs->constant, product.constant) ||
      llvm::MulOverflow(lhs->past, rhs->constant, product.past) ||
      llvm::MulOverflow(lhs->count, rhs->constant, product.count))
    return std::nullopt;
  return product;
}

Size tern::onnx::divideLengths(Size lhs, Size rhs) {
  if (!lhs || !rhs)
    return std::nullopt;
  if (*lhs == *rhs && !(*lhs == Length()))
    return constantSize(1);
  // A divisor above 0 also rules out INT64_MIN / -1.
  if (!rhs->isConstant() || rhs->constant <= 0)
    return std::nullopt;
  int64_t divisor = rhs->constant;
  if (lhs->constant % divisor || lhs->past % divisor || lhs->count % divisor)
    return std::nullopt;
  return Length{lhs->constant / divisor, lhs->past / divisor,
                lhs->count / divisor};
}

std::optional<bool> tern::onnx::compareLengths(Size lhs, Size rhs) {
  Size difference = subtractLengths(lhs, rhs);
  if (!difference)
    return std::nullopt;
  if (difference->isConstant())
    return difference->constant == 0;
  auto isPositive = [](Size length) {
    if (!length || length->past < 0 || length->count < 0)
      return false;
    // The smallest is at P = 0 and C = 1.
    Size least =
        addLengths(constantSize(length->constant), constantSize(length->count));
    return least && least->constant > 0;
  };
  if (isPositive(difference) || isPositive(subtractLengths(rhs, lhs)))
    return false;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// What is known by the type alone.
static ShapeFacts getFactsOfType(Type type) {
  ShapeFacts facts;
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return facts;
  for (int64_t size : tensor.getShape())
    facts.sizes.push_back(ShapedType::isDynamic(size) ? Size()
                                                      : constantSize(size));
  return facts;
}

static ShapeFacts getFactsOfConstant(ElementsAttr value) {
  ShapeFacts facts = getFactsOfType(value.getType());
  if (!value.getElementType().isInteger() ||
      value.getNumElements() > kMaxElements)
    return facts;
  std::optional<Tensor> tensor = Tensor::fromAttr(value);
  if (tensor)
    tensor = castTensor(std::move(*tensor), ElementKind::I64);
  if (!tensor)
    return facts;
  facts.elements.emplace();
  for (int64_t i = 0; i < tensor->getNumElements(); ++i)
    facts.elements->push_back(constantSize(tensor->getData<int64_t>()[i]));
  if (!facts.elements->empty() && llvm::all_equal(*facts.elements))
    facts.splat = facts.elements->front();
  return facts;
}

//===----------------------------------------------------------------------===//
// Operations of other dialects
//===----------------------------------------------------------------------===//

/// The activations' sizes, but for the last.
static std::optional<ShapeFacts> withoutLast(const ShapeFacts &input) {
  ShapeFacts facts;
  facts.sizes = input.sizes;
  if (facts.sizes.empty())
    return std::nullopt;
  facts.sizes.back() = Size();
  return facts;
}

static std::optional<ShapeFacts> collapse(tensor::CollapseShapeOp op,
                                          const ShapeFacts &input) {
  ShapeFacts facts;
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    Sizes merged;
    for (int64_t dim : group)
      merged.push_back(input.sizes[dim]);
    facts.sizes.push_back(getProduct(merged));
  }
  return facts;
}

/// The sizes are those of another tensor, or static.
static std::optional<ShapeFacts> expand(tensor::ExpandShapeOp op,
                                        const SequenceShapes &shapes) {
  ShapeFacts facts;
  for (OpFoldResult size : op.getMixedOutputShape()) {
    facts.sizes.emplace_back();
    auto value = dyn_cast<Value>(size);
    auto dim = value ? value.getDefiningOp<tensor::DimOp>() : nullptr;
    std::optional<int64_t> index = dim ? dim.getConstantIndex() : std::nullopt;
    if (!index)
      continue;
    const ShapeFacts &source = shapes.lookup(dim.getSource());
    if (*index >= 0 && *index < static_cast<int64_t>(source.sizes.size()))
      facts.sizes.back() = source.sizes[*index];
  }
  return facts;
}

static std::optional<ShapeFacts> inferOther(Operation *op,
                                            const SequenceShapes &shapes) {
  using Result = std::optional<ShapeFacts>;
  auto input = [&]() -> const ShapeFacts & {
    return shapes.lookup(op->getOperand(0));
  };
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](tensor::CastOp) { return Result(input()); })
      .Case([&](tensor::CollapseShapeOp collapseOp) {
        return collapse(collapseOp, input());
      })
      .Case([&](tensor::ExpandShapeOp expandOp) {
        return expand(expandOp, shapes);
      })
      .Case<tern::ternary::BitLinearOp, tern::ternary::MatmulOp,
            tern::ternary::RescaleOp>([&](auto) {
        // Sums of groups stand apart, in a dimension between.
        if (input().sizes.size() !=
            static_cast<size_t>(
                cast<RankedTensorType>(op->getResult(0).getType()).getRank()))
          return Result();
        return withoutLast(input());
      })
      .Default([](Operation *) { return Result(); });
}

//===----------------------------------------------------------------------===//
// The analysis
//===----------------------------------------------------------------------===//

const ShapeRules &tern::onnx::getShapeRules() {
  static const ShapeRules table = [] {
    ShapeRules rules;
    addElementwiseShapeRules(rules);
    addMovementShapeRules(rules);
    addComputationShapeRules(rules);
    return rules;
  }();
  return table;
}

/// `known` where it adds to what the type declares.
static ShapeFacts refine(Type type, const std::optional<ShapeFacts> &known) {
  ShapeFacts facts = getFactsOfType(type);
  if (!known)
    return facts;
  if (!isa<RankedTensorType>(type))
    return *known;
  facts.elements = known->elements;
  facts.splat = known->splat;
  if (known->sizes.size() == facts.sizes.size())
    for (auto [size, other] : llvm::zip_equal(facts.sizes, known->sizes))
      if (!size)
        size = other;
  return facts;
}

SequenceShapes::SequenceShapes(func::FuncOp graph, const LanguageModel &model) {
  addArguments(graph, model);
  for (Operation &op : graph.front())
    visit(&op);
}

void SequenceShapes::addArguments(func::FuncOp graph,
                                  const LanguageModel &model) {
  const Length count{0, 0, 1}, past{0, 1, 0}, total{0, 1, 1};
  for (BlockArgument argument : graph.getArguments()) {
    ShapeFacts known = getFactsOfType(argument.getType());
    // What is left dynamic of an argument with a role is its batch.
    for (Size &size : known.sizes)
      size = size ? size : constantSize(1);
    facts[argument] = std::move(known);
  }
  auto factsOf = [&](unsigned index) -> ShapeFacts & {
    return facts[graph.getArgument(index)];
  };
  factsOf(model.inputIds).sizes.back() = count;
  if (model.positionIds)
    factsOf(*model.positionIds).sizes.back() = count;
  if (model.attentionMask) {
    factsOf(*model.attentionMask).sizes.back() =
        model.caches.empty() ? count : total;
    factsOf(*model.attentionMask).splat = constantSize(1);
  }
  for (const KVCache &kv : model.caches) {
    // Heads and head size, where they are dynamic, are no batch.
    auto type = cast<RankedTensorType>(graph.getArgumentTypes()[kv.past]);
    ShapeFacts &cache = factsOf(kv.past);
    for (int64_t dim = 1; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        cache.sizes[dim] = std::nullopt;
    if (kv.form != CacheForm::TensorScatter)
      cache.sizes[kv.axis] = past;
  }
  for (auto [index, role] : model.sequenceArguments) {
    ShapeFacts &known = factsOf(index);
    if (role == SequenceRole::Positions) {
      known.sizes.back() = count;
      continue;
    }
    known.splat = role == SequenceRole::PastLength    ? past
                  : role == SequenceRole::TotalLength ? total
                                                      : Length{-1, 1, 1};
    known.elements = SmallVector<Size, 4>{known.splat};
  }
}

void SequenceShapes::visit(Operation *op) {
  for (auto [index, result] : llvm::enumerate(op->getResults())) {
    if (auto constant = dyn_cast<ConstantOp>(op)) {
      facts[result] = getFactsOfConstant(constant.getValue());
      continue;
    }
    std::optional<ShapeFacts> known;
    if (auto node = dyn_cast<NodeOp>(op)) {
      auto rule = getShapeRules().find(node.getKind());
      if (rule != getShapeRules().end()) {
        ShapeQuery query{node, static_cast<unsigned>(index), *this};
        known = rule->second(query);
      }
    } else {
      known = inferOther(op, *this);
    }
    facts[result] = refine(result.getType(), known);
  }
}

const ShapeFacts &SequenceShapes::lookup(Value value) const {
  static const ShapeFacts none;
  auto found = facts.find(value);
  return found == facts.end() ? none : found->second;
}

std::optional<SmallVector<int64_t>>
SequenceShapes::getConstants(Value value) const {
  const ShapeFacts &known = lookup(value);
  if (!known.elements)
    return std::nullopt;
  SmallVector<int64_t> constants;
  for (Size element : *known.elements) {
    if (!element || !element->isConstant())
      return std::nullopt;
    constants.push_back(element->constant);
  }
  return constants;
}

Size SequenceShapes::getScalar(Value value) const {
  const ShapeFacts &known = lookup(value);
  return known.elements && known.elements->size() == 1 ? known.elements->front()
                                                       : Size();
}
