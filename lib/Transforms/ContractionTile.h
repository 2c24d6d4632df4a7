//===- ContractionTile.h - the register tiles of contractions ---*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_CONTRACTIONTILE_H
#define TERN_LIB_TRANSFORMS_CONTRACTIONTILE_H

#include "Contraction.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {

/// The vector registers of a CPU: f32 elements in one, and how many.
struct VectorRegisters {
  int64_t lanes;
  int64_t count;

  /// Rows that a tile has at most: with four accumulators for each, there is
  /// room left for the factors.
  int64_t getMostRows() const { return count >= 32 ? 6 : 3; }
  /// Accumulators for each row of a tile of `rows`; a power of two.
  int64_t getAccumulators(int64_t rows, ContractionForm form) const;
};

/// A tile of the result: some rows, and columns from `firstColumn` on.
struct ContractionTile {
  /// For each row the indices of all loops; those of the column and of the sum
  /// are null.
  llvm::ArrayRef<llvm::SmallVector<mlir::Value>> rows;
  mlir::Value firstColumn;
  /// Columns of a dot product; vectors of columns of an outer product.
  int64_t width;
  /// Outer products: which columns of the only vector there are; null for all.
  mlir::Value mask;
  /// The part of the sum, [sumBegin, sumEnd).
  mlir::Value sumBegin, sumEnd;
};

/// Emits, at the builder's insertion point, the sums of `tile`, which are added
/// to the result. The order in which one is summed depends on the sum's length,
/// the lanes, and whether there are more rows than a tile has; not on the tile.
///
/// `isSumWhole`: whether the part of the sum is known to fill whole vectors.
void emitContractionTile(mlir::ImplicitLocOpBuilder &b,
                         const Contraction &contraction,
                         const VectorRegisters &registers,
                         const ContractionTile &tile, bool isSumWhole);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_CONTRACTIONTILE_H
