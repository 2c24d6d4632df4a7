//===- Contraction.h - float sums of products, recognised -------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_CONTRACTION_H
#define TERN_LIB_TRANSFORMS_CONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace tern {

/// What walks contiguous memory, and so fills vectors.
enum class ContractionForm {
  Dot,  ///< the sum, in both factors: lhs[row, k] * rhs[column, k]
  Outer ///< the column, in a factor and the result: lhs[row, k] * rhs[k,
        ///< column]
};

/// A factor or the result: a memref, and how the loops index it.
struct ContractionOperand {
  mlir::Value memref;
  mlir::AffineMap map;

  /// The indices of the memref in the iteration `loops`, an index for each
  /// loop; those of loops that the operand lacks may be null.
  llvm::SmallVector<mlir::Value> getIndices(mlir::OpBuilder &builder,
                                            mlir::Location loc,
                                            mlir::ValueRange loops) const;
};

/// out[batch, row, column] += sum over k of lhs[batch, row, k] *
/// rhs[batch, k, column], in f32; factors may be f16 or bf16. Members name
/// loops of `op`.
struct Contraction {
  mlir::linalg::GenericOp op;
  ContractionForm form;
  ContractionOperand lhs, rhs, out;
  llvm::SmallVector<unsigned> batch, rows, outerColumns;
  unsigned column, sum;
  /// Whether successive columns are successive elements of the result.
  bool isOutContiguous;
};

/// The contraction that `op`, on memrefs, computes in one of the forms, if its
/// sum may be reassociated.
std::optional<Contraction> matchContraction(mlir::linalg::GenericOp op);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_CONTRACTION_H
