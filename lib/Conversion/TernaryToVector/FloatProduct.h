//===- FloatProduct.h - the product of float activations --------*- C++ -*-===//
#ifndef TERN_LIB_CONVERSION_TERNARYTOVECTOR_FLOATPRODUCT_H
#define TERN_LIB_CONVERSION_TERNARYTOVECTOR_FLOATPRODUCT_H

#include "ProductBuilder.h"

namespace tern::ternary {

/// Builds the product of activations of f32, for any number of tokens. A sum is
/// one lane's, which goes through the columns in their order, as the portable
/// lowering does: it is the same bit for bit, unless it is a NaN.
class FloatProductBuilder : ProductBuilder {
public:
  using ProductBuilder::ProductBuilder;

  /// The strips are shared out by an scf.parallel.
  void build(mlir::Value tokens);

private:
  /// All tokens for `count` strips from `strip` on: `most` at a time, then one
  /// by one.
  void buildStrips(mlir::Value strip, int64_t count, mlir::Value tokens,
                   int64_t most);
  void buildBlock(mlir::Value strip, int64_t count, mlir::Value token,
                  int64_t tokenCount);
  /// Adds the products of a step, whose bytes are at `offsets`, to `sums`, of
  /// [token, strip].
  void buildStep(llvm::ArrayRef<mlir::Value> offsets, mlir::Value column,
                 llvm::ArrayRef<mlir::Value> tokens,
                 llvm::MutableArrayRef<mlir::Value> sums);
  /// One activation, in every lane.
  mlir::Value loadActivation(mlir::Value token, mlir::Value column);
};

} // namespace tern::ternary

#endif // TERN_LIB_CONVERSION_TERNARYTOVECTOR_FLOATPRODUCT_H
