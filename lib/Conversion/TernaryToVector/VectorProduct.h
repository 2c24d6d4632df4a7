//===- VectorProduct.h - the product of one token -----------------*- C++
//-*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_VECTORPRODUCT_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_VECTORPRODUCT_H

#include "ProductBuilder.h"

namespace tern::ternary {

/// Builds the product of a single token, which is bound by memory: weights are
/// read once, decoded in registers and fetched ahead of use.
class VectorProductBuilder : ProductBuilder {
public:
  using ProductBuilder::ProductBuilder;

  /// The tiles are shared out by an scf.parallel.
  void build();

private:
  class Step;

  /// `tiles`: the first strip of each of some tiles, which are read at once.
  void buildTiles(llvm::ArrayRef<mlir::Value> tiles, mlir::Value rowSum);
  /// Fetches the activations some steps behind those of `column`.
  void prefetchActivations(mlir::Value column);
  /// The sum over the planes of a strip's accumulators.
  mlir::Value buildPlaneSum(Accumulators &accumulators, int64_t strip);

  bool inPlace = false; ///< codes stay at their bits of a byte
};

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_VECTORPRODUCT_H
