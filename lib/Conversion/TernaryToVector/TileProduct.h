//===- TileProduct.h - a packed product in AMX's tiles ----------*- C++ -*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_TILEPRODUCT_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_TILEPRODUCT_H

#include "VectorTarget.h"

namespace tern::ternary {

/// Whether a product of `matrix` can be built: it has a tile's columns.
bool canTile(MatrixType matrix);

/// Builds a product of at least one token, shared out by an scf.parallel over
/// groups of strips. Each iteration decodes its weights once for up to 512
/// tokens, to trits in tiles, so no sum of activations is taken off.
/// `target` decodes; it has vectors of 16 lanes.
void buildTileProduct(mlir::OpBuilder &builder, mlir::Location loc,
                      const VectorTarget &target,
                      const ProductOperands &operands);

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_TILEPRODUCT_H
