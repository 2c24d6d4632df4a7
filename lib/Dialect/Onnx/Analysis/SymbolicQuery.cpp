//===- SymbolicQuery.cpp - one question to a SymbolicEvaluator ------------===//

#include "SymbolicQuery.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace tern::onnx;

// Masks take some dozen nodes; longer chains are something else.
static constexpr unsigned kMaxDepth = 128;
static constexpr unsigned kMaxFacts = 16;

//===----------------------------------------------------------------------===//
// Elements of values
//===----------------------------------------------------------------------===//

SymbolicElement SymbolicQuery::getElement(Value value, Index index) {
  std::optional<Polynomials> shape = getShape(value);
  bool fits = shape && shape->size() == index.size();
  if (!fits || value == leaf || depth >= kMaxDepth || !spend())
    return getUnknown(value, index);
  for (const auto &[knownIndex, element] : known[value])
    if (Index(knownIndex) == index)
      return element;
  ++depth;
  SymbolicElement element = evaluate(value, index);
  --depth;
  // What the facts of the moment simplified is not true in general.
  if (facts.empty())
    known[value].emplace_back(Polynomials(index), element);
  return element;
}

SymbolicElement SymbolicQuery::evaluate(Value value, Index index) {
  const GraphAssumptions &assumptions = evaluator.assumptions;
  if (llvm::is_contained(assumptions.ones, value))
    return Polynomial(1);
  if (llvm::is_contained(assumptions.positions, value) && index.size() == 2)
    return index[1] + evaluator.getPastLength();
  MaybeElement element;
  if (auto constant = value.getDefiningOp<ConstantOp>())
    element = getConstantElement(constant, index);
  else if (auto cast = value.getDefiningOp<tensor::CastOp>())
    element = getElement(cast.getSource(), index);
  else if (auto node = value.getDefiningOp<NodeOp>();
           node && node->getNumResults() == 1 && !node.getInputs().empty()) {
    if (ElementRule rule = getMovementRule(node.getKind()))
      element = rule(*this, node, index);
    else if (ElementRule rule = getArithmeticRule(node.getKind()))
      element = rule(*this, node, index);
  }
  return element ? *element : getUnknown(value, index);
}

SymbolicElement SymbolicQuery::getUnknown(Value value, Index index) {
  Polynomial unknown = evaluator.getUnknown(value, index);
  bool isBoolean = getElementTypeOrSelf(value.getType()).isInteger(1);
  return isBoolean ? isNonZero(unknown) : SymbolicElement(unknown);
}

bool SymbolicQuery::isDerived(Value value) {
  if (!isa<RankedTensorType, NoneType>(value.getType()))
    return false;
  if (!isa<FloatType>(getElementTypeOrSelf(value.getType())) ||
      value.getDefiningOp<ConstantOp>())
    return true;
  auto [it, isNew] = evaluator.derived.try_emplace(value, false);
  auto node = value.getDefiningOp<NodeOp>();
  if (!isNew || !node || depth >= kMaxDepth ||
      !(getMovementRule(node.getKind()) || getArithmeticRule(node.getKind())))
    return it->second;
  ++depth;
  bool result = llvm::all_of(node.getInputs(),
                             [&](Value input) { return isDerived(input); });
  --depth;
  return evaluator.derived[value] = result;
}

MaybeElement SymbolicQuery::getUniform(Value value) {
  std::optional<Polynomials> shape = getShape(value);
  if (!shape)
    return std::nullopt;
  Polynomials index;
  for (const Polynomial &size : *shape)
    index.push_back(evaluator.createCoordinate(size));
  SymbolicElement element = getElement(value, index);
  return element.getConstant() ? MaybeElement(element) : std::nullopt;
}

std::optional<Polynomial> SymbolicQuery::getInteger(Value value, Index index) {
  SymbolicElement element = getElement(value, index);
  const Polynomial *integer = element.getInteger();
  if (!integer || !evaluator.isInteger(*integer))
    return std::nullopt;
  return *integer;
}

std::optional<SmallVector<int64_t>> SymbolicQuery::getIntegers(Value value) {
  std::optional<Polynomials> shape = getShape(value);
  if (!shape || shape->size() > 1)
    return std::nullopt;
  std::optional<int64_t> count =
      shape->empty() ? 1 : shape->front().getConstant();
  if (!count || *count > 64)
    return std::nullopt;
  SmallVector<int64_t> integers;
  for (int64_t i = 0; i < *count; ++i) {
    std::optional<Polynomial> entry =
        shape->empty() ? getInteger(value, {}) : getEntry(value, i);
    std::optional<int64_t> constant =
        entry ? entry->getConstant() : std::nullopt;
    if (!constant)
      return std::nullopt;
    integers.push_back(*constant);
  }
  return integers;
}

MaybeElement SymbolicQuery::getBroadcast(Value operand, Index shape,
                                         Index index) {
  std::optional<Polynomials> own = getShape(operand);
  if (!own || own->size() > index.size())
    return std::nullopt;
  size_t skipped = index.size() - own->size();
  Polynomials ownIndex(index.drop_front(skipped));
  SmallVector<unsigned> open;
  for (auto [dim, size] : llvm::enumerate(*own)) {
    if (size == Polynomial(1))
      ownIndex[dim] = 0;
    else if (!evaluator.covers(size, shape[skipped + dim]) &&
             !evaluator.isWithin(ownIndex[dim], size))
      open.push_back(dim);
  }
  return getOpenBroadcast(operand, *own, ownIndex, open);
}

SymbolicElement SymbolicQuery::getOpenBroadcast(Value operand, Index shape,
                                                Index index,
                                                ArrayRef<unsigned> open) {
  if (open.empty())
    return getElement(operand, index);
  unsigned dim = open.front();
  Polynomials first(index);
  first[dim] = 0;
  SymbolicElement yes =
      getOpenBroadcast(operand, shape, first, open.drop_front());
  SymbolicElement no =
      getOpenBroadcast(operand, shape, index, open.drop_front());
  return choose(
      {Condition::Kind::Zero, shape[dim] - Polynomial(1)},
      [&] { return restrict(yes); }, [&] { return restrict(no); });
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// `tensor` as i64 or f64; nullopt where it is too large to be looked at.
static std::optional<Tensor> readConstant(ConstantOp constant) {
  constexpr int64_t kMaxElements = int64_t(1) << 24;
  auto type = constant.getType();
  if (!type.hasStaticShape() || type.getNumElements() > kMaxElements)
    return std::nullopt;
  std::optional<Tensor> tensor = Tensor::fromAttr(constant.getValue());
  if (!tensor)
    return std::nullopt;
  return castTensor(std::move(*tensor), isFloat(tensor->getKind())
                                            ? ElementKind::F64
                                            : ElementKind::I64);
}

namespace {
/// The elements of a constant along one or two of its dimensions.
struct ConstantPlane {
  const Tensor &tensor;
  int64_t base = 0;
  int64_t rows = 1, rowStride = 0, cols = 1, colStride = 0;

  SymbolicElement get(int64_t row, int64_t col) const {
    int64_t position = base + row * rowStride + col * colStride;
    if (isFloat(tensor.getKind()))
      return SymbolicElement::getNumber(tensor.getData<double>()[position]);
    return Polynomial(tensor.getData<int64_t>()[position]);
  }
};
} // namespace

/// The plane's elements as `first + step * col`, if they are.
static MaybeElement matchProgression(const ConstantPlane &plane,
                                     const Polynomial &col) {
  SymbolicElement first = plane.get(0, 0);
  const Polynomial *start = first.getInteger();
  std::optional<SymbolicElement> second;
  if (plane.cols > 1)
    second = plane.get(0, 1);
  if (!start || (second && !second->getInteger()))
    return std::nullopt;
  Polynomial step = second ? *second->getInteger() - *start : Polynomial(0);
  for (int64_t i = 0; i < plane.cols; ++i)
    if (!(plane.get(0, i) == SymbolicElement(*start + step * Polynomial(i))))
      return std::nullopt;
  return SymbolicElement(*start + step * col);
}

/// The plane's elements as one value up to a diagonal and another beyond it, if
/// they are: `col <= row + offset`.
static MaybeElement matchTriangle(const ConstantPlane &plane,
                                  const Polynomial &row,
                                  const Polynomial &col) {
  SymbolicElement below = plane.get(plane.rows - 1, 0),
                  above = plane.get(0, plane.cols - 1);
  // How far the first row goes tells the diagonal, unless it is empty.
  int64_t offset = -1;
  while (offset + 1 < plane.cols && plane.get(0, offset + 1) == below)
    ++offset;
  if (offset < 0)
    for (int64_t i = 0; i < plane.rows && !(plane.get(i, 0) == below); ++i)
      --offset;
  for (int64_t i = 0; i < plane.rows; ++i)
    for (int64_t j = 0; j < plane.cols; ++j)
      if (!(plane.get(i, j) == (j <= i + offset ? below : above)))
        return std::nullopt;
  return SymbolicElement::getChoice(
      {Condition::Kind::NonNegative, row + Polynomial(offset) - col}, below,
      above);
}

MaybeElement SymbolicQuery::getConstantElement(Value value, Index index) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto [it, isNew] = evaluator.constants.try_emplace(value);
  if (isNew)
    it->second = readConstant(constant).value_or(Tensor());
  const Tensor &tensor = it->second;
  if (!tensor || tensor.getNumElements() == 0)
    return std::nullopt;

  ConstantPlane plane{tensor};
  SmallVector<Polynomial, 2> free;
  int64_t stride = 1;
  for (int64_t dim = tensor.getRank(); dim-- > 0;) {
    int64_t size = tensor.getShape()[dim];
    std::optional<int64_t> fixed =
        size == 1 ? std::optional<int64_t>(0) : index[dim].getConstant();
    if (fixed && (*fixed < 0 || *fixed >= size))
      return std::nullopt;
    if (fixed) {
      plane.base += *fixed * stride;
    } else {
      free.push_back(index[dim]);
      (free.size() == 1 ? plane.cols : plane.rows) = size;
      (free.size() == 1 ? plane.colStride : plane.rowStride) = stride;
    }
    stride *= size;
  }
  if (free.empty())
    return plane.get(0, 0);
  if (free.size() == 1)
    return matchProgression(plane, free[0]);
  if (free.size() == 2)
    return matchTriangle(plane, free[1], free[0]);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

std::optional<bool> SymbolicQuery::decide(const Condition &condition) const {
  const Polynomial &value = condition.value, negated = Polynomial(-1) - value;
  if (condition.kind == Condition::Kind::Zero) {
    if (value == Polynomial(0))
      return true;
    if (evaluator.isNonNegative(negated) ||
        evaluator.isNonNegative(value - Polynomial(1)))
      return false;
  } else if (evaluator.isNonNegative(value)) {
    return true;
  } else if (evaluator.isNonNegative(negated)) {
    return false;
  }
  for (const auto &[fact, holds] : facts) {
    if (fact.kind == condition.kind &&
        (fact.value == value ||
         (fact.kind == Condition::Kind::Zero && fact.value == -value)))
      return holds;
    if (fact.kind != Condition::Kind::NonNegative ||
        condition.kind != Condition::Kind::NonNegative)
      continue;
    // What is known to be at least 0; more of it is, and less than minus it is
    // not.
    Polynomial atLeast = holds ? fact.value : Polynomial(-1) - fact.value;
    if (evaluator.isNonNegative(value - atLeast))
      return true;
    if (evaluator.isNonNegative(negated - atLeast))
      return false;
  }
  return std::nullopt;
}

SymbolicElement
SymbolicQuery::choose(const Condition &condition,
                      llvm::function_ref<SymbolicElement()> yes,
                      llvm::function_ref<SymbolicElement()> no) {
  if (std::optional<bool> decision = decide(condition))
    return *decision ? yes() : no();
  facts.emplace_back(condition, true);
  SymbolicElement yesElement = yes();
  facts.back().second = false;
  SymbolicElement noElement = no();
  facts.pop_back();
  return SymbolicElement::getChoice(condition, yesElement, noElement);
}

SymbolicElement SymbolicQuery::restrict(const SymbolicElement &element) {
  const SymbolicElement::Choice *choice = element.getChoice();
  if (!choice || !spend())
    return element;
  return choose(
      choice->condition, [&] { return restrict(choice->yes); },
      [&] { return restrict(choice->no); });
}

SymbolicElement SymbolicQuery::assume(const Condition &condition, bool holds,
                                      const SymbolicElement &element) {
  facts.emplace_back(condition, holds);
  SymbolicElement assumed = restrict(element);
  facts.pop_back();
  return assumed;
}

MaybeElement SymbolicQuery::combine(const SymbolicElement &a,
                                    const SymbolicElement &b,
                                    LeafFn combineLeaves) {
  if (!spend() || facts.size() > kMaxFacts)
    return std::nullopt;
  const SymbolicElement::Choice *choice = a.getChoice();
  bool isFirst = choice != nullptr;
  if (!choice)
    choice = b.getChoice();
  if (!choice) {
    MaybeElement combined = combineLeaves(a, b);
    return combined ? restrict(*combined) : combined;
  }
  bool succeeded = true;
  auto descend = [&](const SymbolicElement &branch) {
    MaybeElement combined = isFirst ? combine(branch, b, combineLeaves)
                                    : combine(a, branch, combineLeaves);
    succeeded &= combined.has_value();
    return combined.value_or(SymbolicElement());
  };
  SymbolicElement result = choose(
      choice->condition, [&] { return descend(choice->yes); },
      [&] { return descend(choice->no); });
  return succeeded ? MaybeElement(result) : std::nullopt;
}

MaybeElement SymbolicQuery::select(const SymbolicElement &condition,
                                   const SymbolicElement &yes,
                                   const SymbolicElement &no) {
  return combine(condition, Polynomial(0),
                 [&](const SymbolicElement &leaf,
                     const SymbolicElement &) -> MaybeElement {
                   std::optional<double> constant = leaf.getConstant();
                   if (!constant)
                     return std::nullopt;
                   return *constant != 0 ? yes : no;
                 });
}

SymbolicElement SymbolicQuery::isNonZero(const Polynomial &integer) {
  return choose(
      {Condition::Kind::Zero, integer}, [] { return Polynomial(0); },
      [] { return Polynomial(1); });
}
