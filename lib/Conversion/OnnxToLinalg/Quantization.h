//===- Quantization.h - rounding floats to integer codes --------*- C++ -*-===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_QUANTIZATION_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_QUANTIZATION_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern::onnx {

/// The codes of an integer type, as ONNX declares it.
struct CodeRange {
  double least, greatest;
  bool isUnsigned;
};

/// The range of a tensor type's elements, which must be integers.
CodeRange codeRange(mlir::Type tensorType);

/// `ratio`, an f32, rounded half to even, plus `zeroPoint`, saturated to
/// `range`. The result has the type of `zeroPoint`; NaN gives 0.
mlir::Value quantizeScalar(mlir::ImplicitLocOpBuilder &b, mlir::Value ratio,
                           mlir::Value zeroPoint, CodeRange range);

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_QUANTIZATION_H
