//===- Reduction.h - reductions that other lowerings share ------*- C++ -*-===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_REDUCTION_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_REDUCTION_H

#include "Lowering.h"

namespace tern::onnx {

/// Combines an element with what was accumulated before it.
using CombineFn = llvm::function_ref<mlir::Value(
    mlir::ImplicitLocOpBuilder &, mlir::Value element, mlir::Value acc)>;

/// Reduces the dimensions `axes` of `tensor`, starting from `init`, whose type
/// is the result's element type. The result has size 1 in these dimensions.
mlir::Value reduceDims(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                       llvm::ArrayRef<int64_t> axes, mlir::Value init,
                       CombineFn combine);

/// Sum and maximum of floats; sums of f16 and bf16 are f32.
mlir::Value sumOfFloats(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                        llvm::ArrayRef<int64_t> axes);
mlir::Value maxOfFloats(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                        llvm::ArrayRef<int64_t> axes);

/// How many elements `axes` of `tensor` hold, as a scalar of `type`.
mlir::Value countOf(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                    llvm::ArrayRef<int64_t> axes, mlir::Type type);

/// f32 for f16 and bf16, else `type`: what sums are computed in.
mlir::Type accumulatorType(mlir::ImplicitLocOpBuilder &b, mlir::Type type);

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_REDUCTION_H
