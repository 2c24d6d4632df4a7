//===- Contraction.h - products that other lowerings share ------*- C++ -*-===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_CONTRACTION_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_CONTRACTION_H

#include "Lowering.h"

namespace tern::onnx {

/// One factor of a product of matrices.
struct Factor {
  mlir::Value tensor;
  bool isUnsigned = false;
  /// Swaps the last two dimensions, which then must exist.
  bool isTransposed = false;
};

/// Fails, with an error, unless input `index` has a dimension to sum over.
mlir::LogicalResult checkFactor(LoweringContext &ctx, unsigned index);

/// NumPy's matmul of factors that have dimensions: leading dimensions
/// broadcast, and a factor of rank 1 is a row (left) or a column (right) that
/// the result does not have. Products are summed in `accumulator`, which is the
/// result's element type. Fails, with an error, where static sizes contradict.
mlir::FailureOr<mlir::Value> multiplyMatrices(LoweringContext &ctx, Factor lhs,
                                              Factor rhs,
                                              mlir::Type accumulator);

/// The same with f16 and bf16 summed in f32 and rounded once at the end.
mlir::FailureOr<mlir::Value> multiplyMatrices(LoweringContext &ctx, Factor lhs,
                                              Factor rhs);

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_CONTRACTION_H
