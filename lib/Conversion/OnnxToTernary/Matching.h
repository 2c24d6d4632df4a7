//===- Matching.h - reading ONNX sub-graphs ---------------------*- C++ -*-===//
#ifndef TERN_LIB_CONVERSION_ONNXTOTERNARY_MATCHING_H
#define TERN_LIB_CONVERSION_ONNXTOTERNARY_MATCHING_H

#include "tern/Dialect/Onnx/Evaluate/ConstantEvaluator.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "mlir/IR/TypeUtilities.h"

namespace tern {

/// Looks through `w + (q(w) - w)`, the straight-through estimator that
/// training leaves in a graph: up to rounding it is q(w), and q(w) was meant.
mlir::Value skipStraightThrough(mlir::Value value);

/// Reads graphs of `onnx.node` for patterns. A null value stands for an omitted
/// input and matches nothing.
class Matcher {
public:
  /// Constants are evaluated with straight-through estimators skipped.
  Matcher() : evaluator(skipStraightThrough) {}

  const onnx::ConstantEvaluator &getEvaluator() const { return evaluator; }

  /// `value` without what leaves it as it is: Identity, a Cast to its own
  /// type, a product with 1, straight-through estimators.
  mlir::Value strip(mlir::Value value) const;
  /// The node that defines the stripped value, if it is an `op`.
  onnx::NodeOp match(mlir::Value value, llvm::StringRef op) const;
  /// Whether both are the same value, stripped.
  bool isSame(mlir::Value a, mlir::Value b) const {
    return strip(a) == strip(b);
  }
  /// The only element of a constant.
  std::optional<double> getScalar(mlir::Value value) const;
  bool isScalar(mlir::Value value, double expected) const {
    return getScalar(value) == expected;
  }
  /// The operand of a two-operand `op` that stands beside the constant
  /// `expected`, in either order; null where there is none.
  mlir::Value matchWithConstant(mlir::Value value, llvm::StringRef op,
                                double expected) const;

private:
  onnx::ConstantEvaluator evaluator;
};

// Null values, which stand for omitted inputs, are of none of these types.
inline bool isF32(mlir::Value value) {
  return value && mlir::getElementTypeOrSelf(value.getType()).isF32();
}
inline bool isI8(mlir::Value value) {
  return value &&
         mlir::getElementTypeOrSelf(value.getType()).isSignlessInteger(8);
}
inline bool isFloat(mlir::Value value) {
  return value && mlir::isa<mlir::FloatType>(
                      mlir::getElementTypeOrSelf(value.getType()));
}

} // namespace tern

#endif // TERN_LIB_CONVERSION_ONNXTOTERNARY_MATCHING_H
