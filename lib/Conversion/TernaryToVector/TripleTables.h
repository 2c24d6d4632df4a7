//===- TripleTables.h - products of three trits, looked up ------*- C++ -*-===//
//
// Three trits have 27 combinations, so what three activations add to a row is
// one of 27 sums. They are computed once for a token, and looked up for 32 rows
// in one instruction, where a dot product takes 16 rows by four columns.
// Looking sums of activations up is T-MAC's way (arXiv 2407.00088), which packs
// bits, not trits, and looks bytes up.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_TRIPLETABLES_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_TRIPLETABLES_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace tern::ternary {

/// Builds tables and looks words up with AVX-512 VNNI and VBMI.
class TripleTables {
public:
  /// Words of a table; what one lookup adds to as many rows.
  static constexpr int64_t words = 32;
  /// Tables of the columns that three planes of a byte meet, of four columns
  /// each: table i has the i-th column of every plane.
  static constexpr int64_t tables = 4;
  /// Planes of a byte that are looked up: 1 to 3.
  static constexpr int64_t planes = 3;
  /// No sum of products is larger in magnitude.
  static constexpr int64_t largest = planes * 128;

  TripleTables(mlir::OpBuilder &builder, mlir::Location loc);

  /// `tables` tables, vectors of i16, for 16 columns, given as i8, of planes 0
  /// to 3: entry c1 + 3 c2 + 9 c3 is the sum of the products for trits of these
  /// codes. `excess`, the same i32 in every lane, is taken off all entries of
  /// the first table, which each row takes one of.
  llvm::SmallVector<mlir::Value, 4> buildTables(mlir::Value columns,
                                                mlir::Value excess);

  /// For each table the entries' numbers, as i16 whose low five bits count, of
  /// the rows of two strips, in turns. `first` and `second` have the number for
  /// row r and table i in byte 4 r + i.
  llvm::SmallVector<mlir::Value, 4> buildIndices(mlir::Value first,
                                                 mlir::Value second);

  mlir::Value buildLookup(mlir::Value table, mlir::Value indices);

  /// Adds every second word of `sums`, from word `strip` on, to the i32 lanes
  /// of `acc`: those of the first strip (0) or the second (1).
  mlir::Value addStrip(mlir::Value acc, mlir::Value sums, int64_t strip);

private:
  mlir::Value call(llvm::StringRef name, mlir::Type type,
                   mlir::ValueRange operands);
  /// The trits of half of the entries, those that `half` (0 or 1) brings to the
  /// table: four bytes each, the last 0.
  mlir::Value buildTrits(int64_t half);
  /// What the trits of `buildTrits` add up to for activations of -128.
  mlir::Value buildBias(int64_t half);

  mlir::OpBuilder &b;
  const mlir::Location loc;
  const mlir::VectorType bytesType, wordsType, lanesType;
};

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_TRIPLETABLES_H
