//===- SymbolicQuery.h - one question to a SymbolicEvaluator ----*- C++ -*-===//
//
// The rules for operators, by family: what the element of a node's result is in
// terms of the elements of its inputs, and what the sizes of its result are.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_DIALECT_ONNX_ANALYSIS_SYMBOLICQUERY_H
#define TERN_LIB_DIALECT_ONNX_ANALYSIS_SYMBOLICQUERY_H

#include "tern/Dialect/Onnx/Analysis/SymbolicEvaluator.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

namespace tern::onnx {

using Index = llvm::ArrayRef<Polynomial>;
using MaybeElement = std::optional<SymbolicElement>;

/// Evaluates one element, within bounds of time and depth.
class SymbolicQuery {
public:
  SymbolicQuery(SymbolicEvaluator &evaluator, mlir::Value leaf)
      : evaluator(evaluator), leaf(leaf) {}

  SymbolicElement getElement(mlir::Value value, Index index);
  /// What all elements of `value` are, if they are all the same number.
  MaybeElement getUniform(mlir::Value value);
  /// The element as an integer without choices, or nullopt.
  std::optional<Polynomial> getInteger(mlir::Value value, Index index);
  /// Element `position` of a tensor of rank 1, as an integer.
  std::optional<Polynomial> getEntry(mlir::Value value, int64_t position) {
    return getInteger(value, {Polynomial(position)});
  }
  /// The known integers of a constant tensor of rank 0 or 1.
  std::optional<llvm::SmallVector<int64_t>> getIntegers(mlir::Value value);
  /// The element of `operand` that goes into the element `index` of a result
  /// of shape `shape` to which it is broadcast.
  MaybeElement getBroadcast(mlir::Value operand, Index shape, Index index);
  /// Whether `value` is made of integers and constants only, by operators that
  /// have rules: floats that the network computes are not worth a look.
  bool isDerived(mlir::Value value);
  std::optional<Polynomials> getShape(mlir::Value value) {
    return evaluator.getShape(value);
  }

  /// `yes` or `no`, simplified by what is proven.
  SymbolicElement choose(const Condition &condition,
                         llvm::function_ref<SymbolicElement()> yes,
                         llvm::function_ref<SymbolicElement()> no);
  /// `element` without the choices that what is known decides.
  SymbolicElement restrict(const SymbolicElement &element);
  /// `element`, given that `condition` does or does not hold.
  SymbolicElement assume(const Condition &condition, bool holds,
                         const SymbolicElement &element);
  /// `combine` of the leaves of `a` and `b`; nullopt where it fails for some.
  using LeafFn = llvm::function_ref<MaybeElement(const SymbolicElement &,
                                                 const SymbolicElement &)>;
  MaybeElement combine(const SymbolicElement &a, const SymbolicElement &b,
                       LeafFn combineLeaves);
  /// `yes` where the boolean `condition` holds, else `no`.
  MaybeElement select(const SymbolicElement &condition,
                      const SymbolicElement &yes, const SymbolicElement &no);
  /// The boolean that says whether the integer differs from 0.
  SymbolicElement isNonZero(const Polynomial &integer);

  SymbolicEvaluator &evaluator;

private:
  using Fact = std::pair<Condition, bool>;

  SymbolicElement evaluate(mlir::Value value, Index index);
  MaybeElement getConstantElement(mlir::Value constant, Index index);
  SymbolicElement getUnknown(mlir::Value value, Index index);
  /// The element of `operand`, of shape `shape`, where each dimension in `open`
  /// is broadcast if it happens to be 1.
  SymbolicElement getOpenBroadcast(mlir::Value operand, Index shape,
                                   Index index, llvm::ArrayRef<unsigned> open);
  /// What `condition` is, given the facts.
  std::optional<bool> decide(const Condition &condition) const;
  bool spend() { return budget > 0 && --budget > 0; }

  mlir::Value leaf;
  unsigned depth = 0;
  /// Elements and leaves that may still be looked at.
  unsigned budget = 1 << 16;
  llvm::SmallVector<Fact> facts;
  llvm::DenseMap<mlir::Value,
                 llvm::SmallVector<std::pair<Polynomials, SymbolicElement>>>
      known;
};

/// The rule for `node`: nullopt where there is none, or it does not apply.
using ElementRule = MaybeElement (*)(SymbolicQuery &, NodeOp, Index);
ElementRule getMovementRule(llvm::StringRef kind);   // SymbolicMovement.cpp
ElementRule getArithmeticRule(llvm::StringRef kind); // SymbolicArithmetic.cpp

/// The rule for the sizes of an output of a layer.
using LayerShapeRule = Polynomials (*)(SymbolicQuery &, NodeOp, unsigned);
LayerShapeRule
getLayerShapeRule(llvm::StringRef kind); // SymbolicLayerShapes.cpp

/// The sizes of the result of `node`, as far as a rule says; empty where none
/// does (SymbolicShapes.cpp).
Polynomials inferNodeShape(SymbolicQuery &query, mlir::OpResult result);

/// The axis `axis` of a tensor of rank `rank`, counted from the front; nullopt
/// where there is no such axis.
inline std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return std::nullopt;
  return axis < 0 ? axis + rank : axis;
}

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_ANALYSIS_SYMBOLICQUERY_H
