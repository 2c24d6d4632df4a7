//===- CodeProduct.h - sums of four products of bytes -------------*- C++
//-*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYHEADTOVECTOR_CODEPRODUCT_H
#define TERN_LIB_CONVERSION_TERNARYHEADTOVECTOR_CODEPRODUCT_H

#include "tern/Dialect/Ternary/IR/HeadScreen.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <optional>

namespace tern::ternary {

/// How a target finds the levels that codes of a screen stand for, and
/// multiplies them with i8. Levels are counted so that zero is kZeroLevel,
/// which makes them u8 up to 104.
struct CodeProduct {
  /// The product of a vector target, by its name; nothing if it is unknown.
  static std::optional<CodeProduct> get(llvm::StringRef target);

  /// The levels of codes, which are in the low six bits of bytes; the other two
  /// may be anything.
  mlir::Value buildLevels(mlir::ImplicitLocOpBuilder &b,
                          mlir::Value bytes) const;

  /// In each 32-bit lane, `sum` plus the four products of the lane's bytes:
  /// exact.
  mlir::Value build(mlir::ImplicitLocOpBuilder &b, mlir::Value sum,
                    mlir::Value levels, mlir::Value x) const;

  /// 32-bit lanes of a vector: 8 or 16.
  int64_t lanes;
  enum Form { Dot, PairDot, Shifts } form;
  /// By what instructions levels are looked up: in 64 entries, in 16, none.
  enum Table { Whole, Ends, None } table;
  /// Tiles to read at once.
  int64_t streams;
};

/// What a level of zero is counted as.
constexpr int64_t kZeroLevel = -ScreenShape::getLevel(0);

/// A splat of an integer in a vector type.
mlir::Value buildIntegerSplat(mlir::ImplicitLocOpBuilder &b, mlir::Type type,
                              int64_t value);

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYHEADTOVECTOR_CODEPRODUCT_H
