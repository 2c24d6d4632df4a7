//===- Polynomial.h - integers in terms of unknown sizes --------*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_ANALYSIS_POLYNOMIAL_H
#define TERN_DIALECT_ONNX_ANALYSIS_POLYNOMIAL_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace tern::onnx {

/// Stands for an integer that is not known when compiling. What it is, only the
/// `SymbolicEvaluator` that made it knows.
using Symbol = unsigned;

/// A polynomial over symbols with integer coefficients: `past + sequence`, or
/// `4 * batch + head`. Arithmetic that overflows, or that needs more than a few
/// dozen terms, gives an invalid polynomial, which equals nothing and of which
/// nothing can be proven.
class Polynomial {
public:
  /// Symbols in ascending order, one for each factor; empty for the constant.
  using Monomial = std::vector<Symbol>;

  Polynomial(int64_t constant = 0);
  static Polynomial getSymbol(Symbol symbol);
  static Polynomial getInvalid();

  bool isValid() const { return valid; }
  /// The value, where no symbol occurs.
  std::optional<int64_t> getConstant() const;
  /// The symbol that this is, with factor 1 and nothing else.
  std::optional<Symbol> getSymbol() const;
  /// Coefficients, none of them 0.
  const std::map<Monomial, int64_t> &getTerms() const { return terms; }
  bool mentions(llvm::function_ref<bool(Symbol)> predicate) const;

  Polynomial operator+(const Polynomial &other) const;
  Polynomial operator-(const Polynomial &other) const;
  Polynomial operator*(const Polynomial &other) const;
  Polynomial operator-() const { return Polynomial(0) - *this; }
  bool operator==(const Polynomial &other) const {
    return valid && other.valid && terms == other.terms;
  }
  bool operator!=(const Polynomial &other) const { return !(*this == other); }

  /// `*this = quotient * divisor + remainder`. Any such pair will do: whether
  /// the remainder lies in [0, divisor) is for the caller to prove.
  struct Division;
  Division divide(const Polynomial &divisor) const;

  /// `*this = slope * symbol + rest`, neither of which has the symbol; nullopt
  /// where the symbol occurs in a higher power.
  struct Line;
  std::optional<Line> splitLinear(Symbol symbol) const;

private:
  void add(const Monomial &monomial, int64_t coefficient);

  std::map<Monomial, int64_t> terms;
  bool valid = true;
};

struct Polynomial::Division {
  Polynomial quotient, remainder;
};

struct Polynomial::Line {
  Polynomial slope, rest;
};

/// One integer for each dimension, as sizes or as an index.
using Polynomials = llvm::SmallVector<Polynomial, 0>;

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_ANALYSIS_POLYNOMIAL_H
