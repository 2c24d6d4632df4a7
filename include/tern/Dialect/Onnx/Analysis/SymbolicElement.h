//===- SymbolicElement.h - one element of a tensor, in symbols --*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_ANALYSIS_SYMBOLICELEMENT_H
#define TERN_DIALECT_ONNX_ANALYSIS_SYMBOLICELEMENT_H

#include "tern/Dialect/Onnx/Analysis/Polynomial.h"

#include <memory>
#include <variant>

namespace tern::onnx {

/// What a choice depends on: `value >= 0`, or `value == 0`.
struct Condition {
  enum class Kind { NonNegative, Zero };
  Kind kind = Kind::NonNegative;
  Polynomial value;

  bool operator==(const Condition &other) const {
    return kind == other.kind && value == other.value;
  }
};

/// An element of a tensor as a decision tree: an integer in symbols, a float
/// that is known, or one of two elements depending on a condition. Booleans are
/// 0 and 1. Values are immutable and cheap to copy.
class SymbolicElement {
public:
  struct Choice;

  SymbolicElement(Polynomial integer = 0) : content(std::move(integer)) {}
  /// A float; integers, -0 too, become polynomials, so that equal numbers are
  /// equal elements. NaN is not allowed.
  static SymbolicElement getNumber(double number);
  static SymbolicElement getChoice(Condition condition, SymbolicElement yes,
                                   SymbolicElement no);

  /// The integer, unless this is a choice or no integer.
  const Polynomial *getInteger() const {
    return std::get_if<Polynomial>(&content);
  }
  /// The number, if it is known.
  std::optional<double> getConstant() const;
  const Choice *getChoice() const;

  bool operator==(const SymbolicElement &other) const;

private:
  std::variant<Polynomial, double, std::shared_ptr<const Choice>> content;
};

struct SymbolicElement::Choice {
  Condition condition;
  SymbolicElement yes, no;
};

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_ANALYSIS_SYMBOLICELEMENT_H
