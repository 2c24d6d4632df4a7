//===- SymbolicElement.cpp - one element of a tensor, in symbols ----------===//

#include "tern/Dialect/Onnx/Analysis/SymbolicElement.h"

#include <cmath>

using namespace tern::onnx;

SymbolicElement SymbolicElement::getNumber(double number) {
  // Beyond 2^53 doubles are too far apart to stand for integers.
  constexpr double kExact = 1LL << 53;
  if (number == std::trunc(number) && std::abs(number) <= kExact)
    return Polynomial(static_cast<int64_t>(number));
  SymbolicElement element;
  element.content = number;
  return element;
}

SymbolicElement SymbolicElement::getChoice(Condition condition,
                                           SymbolicElement yes,
                                           SymbolicElement no) {
  if (yes == no)
    return yes;
  SymbolicElement element;
  element.content = std::make_shared<const Choice>(
      Choice{std::move(condition), std::move(yes), std::move(no)});
  return element;
}

std::optional<double> SymbolicElement::getConstant() const {
  if (const double *number = std::get_if<double>(&content))
    return *number;
  const Polynomial *integer = getInteger();
  std::optional<int64_t> constant =
      integer ? integer->getConstant() : std::nullopt;
  return constant ? std::optional<double>(*constant) : std::nullopt;
}

const SymbolicElement::Choice *SymbolicElement::getChoice() const {
  auto *choice = std::get_if<std::shared_ptr<const Choice>>(&content);
  return choice ? choice->get() : nullptr;
}

bool SymbolicElement::operator==(const SymbolicElement &other) const {
  const Choice *mine = getChoice(), *its = other.getChoice();
  if (!mine || !its || mine == its)
    return content == other.content;
  return mine->condition == its->condition && mine->yes == its->yes &&
         mine->no == its->no;
}
