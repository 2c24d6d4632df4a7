//===- MaskAnalysis.cpp - which keys a mask lets a query read -------------===//

#include "tern/Dialect/Onnx/Analysis/MaskAnalysis.h"

#include "SymbolicQuery.h"

#include "mlir/IR/TypeUtilities.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

MaskAnalysis::MaskAnalysis(SymbolicEvaluator &evaluator, const Sizes &sizes,
                           const Polynomial &offset)
    : evaluator(evaluator), sizes(sizes),
      batch(evaluator.createCoordinate(sizes.batch)),
      head(evaluator.createCoordinate(sizes.heads)),
      query(evaluator.createCoordinate(sizes.queries)),
      key(evaluator.createCoordinate(sizes.keys)), offset(offset) {}

MaybeElement MaskAnalysis::getAllowed(const MaskTerm &term) {
  SymbolicQuery question(evaluator, {});
  MaybeElement element = question.getBroadcast(
      term.mask, {sizes.batch, sizes.heads, sizes.queries, sizes.keys},
      {batch, head, query, key});
  if (!element)
    return std::nullopt;
  return question.combine(*element, SymbolicElement(),
                          [&](const SymbolicElement &leaf,
                              const SymbolicElement &) -> MaybeElement {
                            std::optional<double> number = leaf.getConstant();
                            if (!number)
                              return std::nullopt;
                            switch (term.kind) {
                            case MaskTerm::Kind::Added:
                              if (*number != 0 && !isMasked(*number))
                                return std::nullopt;
                              hasFiniteMask |=
                                  *number != 0 && std::isfinite(*number);
                              return SymbolicElement(Polynomial(*number == 0));
                            case MaskTerm::Kind::Selected:
                              return SymbolicElement(Polynomial(*number != 0));
                            case MaskTerm::Kind::Deselected:
                              return SymbolicElement(Polynomial(*number == 0));
                            }
                            llvm_unreachable("covered switch");
                          });
}

bool MaskAnalysis::isKeyIndex(Value tensor, ArrayRef<Polynomial> index,
                              const Polynomial &position) const {
  std::optional<Polynomials> shape = evaluator.getShape(tensor);
  if (!shape || index.empty() || index.size() > 4 || index.back() != position)
    return false;
  for (auto [dim, size] : llvm::enumerate(ArrayRef(*shape).drop_back())) {
    if (dim == 0 && index[dim] == batch && size == sizes.batch)
      continue;
    if (size != Polynomial(1))
      return false;
  }
  return true;
}

std::optional<KeyCondition>
MaskAnalysis::matchComparison(const SymbolicElement &allowed,
                              const Polynomial &position) const {
  const SymbolicElement::Choice *choice = allowed.getChoice();
  if (!choice || choice->yes.getChoice() || choice->no.getChoice())
    return std::nullopt;
  // The value is `factor * element - constant`.
  const Condition &condition = choice->condition;
  const SymbolicEvaluator::UnknownElement *element = nullptr;
  int64_t factor = 0, constant = 0;
  for (const auto &[monomial, coefficient] : condition.value.getTerms()) {
    if (monomial.empty()) {
      constant = -coefficient;
      continue;
    }
    if (element || monomial.size() != 1 || std::abs(coefficient) != 1)
      return std::nullopt;
    element = evaluator.getUnknownElement(monomial.front());
    factor = coefficient;
    if (!element)
      return std::nullopt;
  }
  if (!element || !isKeyIndex(element->tensor, element->index, position) ||
      isa<FloatType>(getElementTypeOrSelf(element->tensor.getType())))
    return std::nullopt;
  StringRef comparison = "Equal";
  if (condition.kind == Condition::Kind::NonNegative)
    comparison = factor > 0 ? "GreaterOrEqual" : "LessOrEqual";
  return KeyCondition{element->tensor, comparison, factor * constant,
                      choice->yes == SymbolicElement(0)};
}

std::optional<KeyCondition>
MaskAnalysis::matchKeyCondition(const SymbolicElement &allowed) const {
  if (std::optional<KeyCondition> condition = matchComparison(allowed, key))
    return condition;
  // As it is broadcast: the first element where there is only one.
  const SymbolicElement::Choice *choice = allowed.getChoice();
  if (!choice || choice->condition.kind != Condition::Kind::Zero)
    return std::nullopt;
  std::optional<KeyCondition> only = matchComparison(choice->yes, 0);
  std::optional<KeyCondition> each = matchComparison(choice->no, key);
  if (!only || !(only == each) ||
      choice->condition.value !=
          evaluator.getShape(each->tensor)->back() - Polynomial(1))
    return std::nullopt;
  each->isBroadcast = true;
  return each;
}

MaskForm MaskAnalysis::analyze(ArrayRef<MaskTerm> masks) {
  SymbolicQuery question(evaluator, {});
  SymbolicElement allowed(1);
  for (const MaskTerm &mask : masks) {
    MaybeElement next = getAllowed(mask);
    if (next)
      next = question.select(allowed, *next, SymbolicElement(0));
    if (!next)
      return {};
    allowed = *next;
  }
  Condition isBefore{Condition::Kind::NonNegative, query + offset - key};
  MaskForm form;
  form.isKnown = true;
  if (question.assume(isBefore, false, allowed) == SymbolicElement(0) &&
      !(allowed == SymbolicElement(0))) {
    form.isCausal = true;
    allowed = question.assume(isBefore, true, allowed);
  }
  if (allowed == SymbolicElement(1))
    return form;
  form.keys = matchKeyCondition(allowed);
  form.isKnown = form.keys.has_value();
  form.averagesMasked = hasFiniteMask;
  return form;
}
