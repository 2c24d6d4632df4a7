//===- Polynomial.cpp - integers in terms of unknown sizes ----------------===//

#include "tern/Dialect/Onnx/Analysis/Polynomial.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace llvm;
using namespace tern::onnx;

// Sizes and indices of tensors need a handful; more means that nothing will be
// proven anyway.
static constexpr size_t kMaxTerms = 32, kMaxDegree = 8;

Polynomial::Polynomial(int64_t constant) {
  if (constant != 0)
    terms[{}] = constant;
}

Polynomial Polynomial::getSymbol(Symbol symbol) {
  Polynomial result;
  result.terms[{symbol}] = 1;
  return result;
}

Polynomial Polynomial::getInvalid() {
  Polynomial result;
  result.valid = false;
  return result;
}

std::optional<int64_t> Polynomial::getConstant() const {
  if (!valid || terms.size() > 1)
    return std::nullopt;
  if (terms.empty())
    return 0;
  const auto &[monomial, coefficient] = *terms.begin();
  return monomial.empty() ? std::optional(coefficient) : std::nullopt;
}

std::optional<Symbol> Polynomial::getSymbol() const {
  if (!valid || terms.size() != 1)
    return std::nullopt;
  const auto &[monomial, coefficient] = *terms.begin();
  if (monomial.size() != 1 || coefficient != 1)
    return std::nullopt;
  return monomial.front();
}

bool Polynomial::mentions(function_ref<bool(Symbol)> predicate) const {
  return any_of(
      terms, [&](const auto &term) { return any_of(term.first, predicate); });
}

void Polynomial::add(const Monomial &monomial, int64_t coefficient) {
  auto [it, isNew] = terms.try_emplace(monomial, 0);
  if (AddOverflow(it->second, coefficient, it->second))
    valid = false;
  if (it->second == 0)
    terms.erase(it);
  if (terms.size() > kMaxTerms)
    valid = false;
}

Polynomial Polynomial::operator+(const Polynomial &other) const {
  if (!valid || !other.valid)
    return getInvalid();
  Polynomial result = *this;
  for (const auto &[monomial, coefficient] : other.terms)
    result.add(monomial, coefficient);
  return result;
}

Polynomial Polynomial::operator-(const Polynomial &other) const {
  return *this + other * Polynomial(-1);
}

Polynomial Polynomial::operator*(const Polynomial &other) const {
  if (!valid || !other.valid)
    return getInvalid();
  Polynomial result;
  for (const auto &[left, leftCoefficient] : terms)
    for (const auto &[right, rightCoefficient] : other.terms) {
      int64_t coefficient = 0;
      if (MulOverflow(leftCoefficient, rightCoefficient, coefficient) ||
          left.size() + right.size() > kMaxDegree)
        return getInvalid();
      Monomial product;
      std::merge(left.begin(), left.end(), right.begin(), right.end(),
                 std::back_inserter(product));
      result.add(product, coefficient);
    }
  return result;
}

/// The factors of `monomial` that remain without those of `divisor`, or nullopt
/// where these are not all there.
static std::optional<Polynomial::Monomial>
divideMonomial(const Polynomial::Monomial &monomial,
               const Polynomial::Monomial &divisor) {
  if (!std::includes(monomial.begin(), monomial.end(), divisor.begin(),
                     divisor.end()))
    return std::nullopt;
  Polynomial::Monomial rest;
  std::set_difference(monomial.begin(), monomial.end(), divisor.begin(),
                      divisor.end(), std::back_inserter(rest));
  return rest;
}

Polynomial::Division Polynomial::divide(const Polynomial &divisor) const {
  Division result{Polynomial(), *this};
  if (!valid || !divisor.valid || divisor.terms.empty())
    return result;
  const auto &[lead, leadCoefficient] = *divisor.terms.rbegin();
  if (leadCoefficient <= 0)
    return result;
  // Every round takes one term away; what it brings is smaller.
  for (size_t round = 0; round < kMaxTerms; ++round) {
    Polynomial factor;
    for (const auto &[monomial, coefficient] :
         reverse(result.remainder.terms)) {
      auto rest = divideMonomial(monomial, lead);
      int64_t times = divideFloorSigned(coefficient, leadCoefficient);
      if (!rest || times == 0)
        continue;
      factor.terms[*rest] = times;
      break;
    }
    if (factor.terms.empty())
      break;
    result.quotient = result.quotient + factor;
    result.remainder = result.remainder - factor * divisor;
  }
  return result;
}

std::optional<Polynomial::Line> Polynomial::splitLinear(Symbol symbol) const {
  if (!valid)
    return std::nullopt;
  Line line;
  for (const auto &[monomial, coefficient] : terms) {
    auto count = std::count(monomial.begin(), monomial.end(), symbol);
    if (count > 1)
      return std::nullopt;
    if (count == 0) {
      line.rest.terms[monomial] = coefficient;
      continue;
    }
    Monomial rest;
    std::copy_if(monomial.begin(), monomial.end(), std::back_inserter(rest),
                 [&](Symbol other) { return other != symbol; });
    line.slope.terms[rest] = coefficient;
  }
  return line;
}
