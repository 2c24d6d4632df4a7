//===- CodeProduct.h - sums of four products of bytes -------------*- C++
//-*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYHEADTOVECTOR_CODEPRODUCT_H
#define TERN_LIB_CONVERSION_TERNARYHEADTOVECTOR_CODEPRODUCT_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <optional>

namespace tern::ternary {

/// How a target multiplies codes, u8 up to 63, with i8.
struct CodeProduct {
  /// The product of a vector target, by its name; nothing if it is unknown.
  static std::optional<CodeProduct> get(llvm::StringRef target);

  /// In each 32-bit lane, `sum` plus the four products of the lane's bytes:
  /// exact.
  mlir::Value build(mlir::ImplicitLocOpBuilder &b, mlir::Value sum,
                    mlir::Value codes, mlir::Value x) const;

  /// 32-bit lanes of a vector: 8 or 16.
  int64_t lanes;
  enum Form { Dot, PairDot, Shifts } form;
  /// Tiles to read at once: as many as there are registers for.
  int64_t streams;
};

/// A splat of an integer in a vector type.
mlir::Value buildIntegerSplat(mlir::ImplicitLocOpBuilder &b, mlir::Type type,
                              int64_t value);

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYHEADTOVECTOR_CODEPRODUCT_H
