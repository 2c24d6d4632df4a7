//===- WeightProof.h - is this matrix ternary? ------------------*- C++ -*-===//
#ifndef TERN_LIB_CONVERSION_ONNXTOTERNARY_WEIGHTPROOF_H
#define TERN_LIB_CONVERSION_ONNXTOTERNARY_WEIGHTPROOF_H

#include "tern/Dialect/Onnx/Evaluate/Tensor.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace tern {

/// A matrix that equals `scale * trit` in every element, exactly.
struct TernaryWeight {
  int64_t rows = 0;
  int64_t cols = 0;
  /// Groups of consecutive columns with a scale of their own.
  int64_t groups = 1;
  /// 1 element for the matrix, `rows`, or `rows * groups` (row-major). The
  /// scale of nothing but zeros is 1.
  llvm::SmallVector<float> scales;
  /// Trits in the dialect's row-major `i2` layout, as bytes of kind U8.
  onnx::Tensor bytes;

  bool hasUnitScale() const {
    return llvm::all_of(scales, [](float scale) { return scale == 1.0f; });
  }
};

/// Tries one scale for the matrix, then one a row, then one for each group of
/// consecutive columns, the largest groups first (not below 8 columns: any two
/// floats are "ternary" on their own). `weights` is [rows, cols] of F32.
/// nullopt where no such scales exist; the time is then that of the first few
/// elements in all but contrived cases.
std::optional<TernaryWeight> proveTernary(const onnx::Tensor &weights);

/// A matrix that was surely meant to be ternary and is not.
struct NearMiss {
  /// The first element that is off, its value and the nearest one allowed.
  int64_t row = 0, col = 0;
  float found = 0.0f, expected = 0.0f;
  /// Elements that are off.
  int64_t count = 0;
  /// All of them are -2 or 2 times the scale, not close to a trit's multiple.
  bool isStrayCode = false;
};

/// How the values of a weight matrix came to be.
enum class WeightCodes {
  Any,   ///< floats, or integers of 4 bits and more
  TwoBit ///< codes of two bits, of which one more than ternary weights need
};

/// Whether each row's elements lie within 1e-3 m of -m, 0 or m, m being the
/// row's most common magnitude, or all are -2, -1, 0, 1 or 2 times one unit:
/// the matrix's or, of two-bit codes, a row's or that of a group of columns.
/// For a matrix that `proveTernary` refused.
std::optional<NearMiss> findNearMiss(const onnx::Tensor &weights,
                                     WeightCodes codes);

} // namespace tern

#endif // TERN_LIB_CONVERSION_ONNXTOTERNARY_WEIGHTPROOF_H
