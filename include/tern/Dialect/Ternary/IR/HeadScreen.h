//===- HeadScreen.h - a coarse copy of a head's rows --------------*- C++
//-*-===//
//
// A screen tells which of the N rows of a head may give one of the best logits,
// and reads 6 bits a weight to do so. It is made of codes and bounds.
//
// Row w, of K columns, is copied as scale * q, q being whole numbers from -20
// to 20, every second one up to 34 in magnitude, and every fourth up to 50:
// weights are mostly small, and those that are not need not be copied as well.
// 63 such levels, in their order, are stored as codes of 6 bits, q = 0 as 32.
// Rows are padded to tiles of 16, columns to steps of 16, with q = 0. Tiles lie
// one behind the other, and in each its steps. A step has 192 bytes, three
// groups of 64; byte 4 r + c of group g belongs to row r of the tile. Its low 6
// bits are the code of column 4 g + c of the step, its high 2 bits the bits 2 g
// and 2 g + 1 of the code of column 12 + c: so a vector holds four consecutive
// columns of 16 rows, as products of bytes want it.
//
// Bounds are [T, 33] in bf16, a row for each of T tiles. For a hidden state h,
// a copy h' of it, and all real numbers w.h etc. computed exactly,
//
//   |w.h - (scale q).h'| <= |w - scale q| |h| + |scale q| |h - h'|
//
// by Cauchy and Schwarz, |v| being the Euclidean norm. The f32 sum that a head
// computes is off by at most gamma |w| |h|, gamma being the relative error of
// its longest chain of operations. So each tile has
//
//   [0, 16)   the rows' scales,
//   [16, 32)  |w - scale q| of each, rounded up,
//   [32]      the largest |w| or |scale q| of those that are copied, rounded
//             up: it is multiplied by some ten thousandths of |h|, hidden
//             states being copied well.
//
// Rounding up to bf16 adds 2^-7 of a bound at most, 2^-8 on average.
//
// A row that cannot be copied (it holds infinities, or is so long that products
// may overflow) has scale 0 and an infinite error; padding has minus infinity,
// so that it is never chosen.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_DIALECT_TERNARY_IR_HEADSCREEN_H
#define TERN_DIALECT_TERNARY_IR_HEADSCREEN_H

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include <algorithm>

namespace tern::ternary {

/// The sizes of a screen.
struct ScreenShape {
  static constexpr int64_t kTile = 16;       ///< rows
  static constexpr int64_t kStep = 16;       ///< columns
  static constexpr int64_t kStepBytes = 192; ///< of a tile
  static constexpr int64_t kZeroCode = 32;
  static constexpr int64_t kLargestCode = 31; ///< in magnitude, less the zero
  /// Codes up to here stand for levels one apart, those up to kMiddleCode for
  /// levels two apart, those above for levels four apart.
  static constexpr int64_t kFineCode = 20, kMiddleCode = 27;
  static constexpr int64_t kFineLevel = kFineCode;
  static constexpr int64_t kMiddleLevel =
      kFineLevel + 2 * (kMiddleCode - kFineCode);
  static constexpr int64_t kLargestLevel =
      kMiddleLevel + 4 * (kLargestCode - kMiddleCode);

  /// The level that `code` stands for, of 6 bits; 0, which no row has, is below
  /// all others.
  static constexpr int64_t getLevel(int64_t code) {
    int64_t q = code - kZeroCode, magnitude = q < 0 ? -q : q;
    int64_t level = magnitude + std::max<int64_t>(magnitude - kFineCode, 0) +
                    2 * std::max<int64_t>(magnitude - kMiddleCode, 0);
    return q < 0 ? -level : level;
  }
  /// Where a tile's bounds are: those of its rows from here on, or of it all.
  enum Bound : int64_t { Scale = 0, Error = kTile, Norm = 2 * kTile };
  static constexpr int64_t kTileBounds = Norm + 1;

  int64_t rows, cols;

  int64_t getTiles() const { return llvm::divideCeil(rows, kTile); }
  int64_t getSteps() const { return llvm::divideCeil(cols, kStep); }
  int64_t getPaddedRows() const { return getTiles() * kTile; }
  int64_t getPaddedCols() const { return getSteps() * kStep; }
  int64_t getCodeBytes() const { return getTiles() * getSteps() * kStepBytes; }
  int64_t getNumBounds() const { return getTiles() * kTileBounds; }
  int64_t getBoundBytes() const { return getNumBounds() * 2; }
};

/// Columns beyond which sums of a level, counted from below 0, and a byte of
/// the hidden state might not fit i32: more than any model has.
constexpr int64_t kMostScreenColumns = int64_t(1) << 17;

/// Norms and lengths beyond which products of f32 might overflow or vanish: a
/// screen is not used there.
constexpr double kLeastHiddenNorm = 1e-18, kLargestHiddenNorm = 1e18,
                 kLargestRowNorm = 1e18;

/// Writes the screen of some consecutive tiles. `rows`, [shape.rows,
/// shape.cols], are floats of `elementType` (f32, f16 or bf16), row-major;
/// `codes` and `bounds`, which are the bits of bf16, are those of the whole
/// screen. O(rows * columns).
void buildScreenTiles(ScreenShape shape, mlir::FloatType elementType,
                      llvm::ArrayRef<char> rows, int64_t firstTile,
                      int64_t endTile, llvm::MutableArrayRef<uint8_t> codes,
                      llvm::MutableArrayRef<uint16_t> bounds);

} // namespace tern::ternary

#endif // TERN_DIALECT_TERNARY_IR_HEADSCREEN_H
