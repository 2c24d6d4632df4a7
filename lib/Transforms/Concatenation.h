//===- Concatenation.h - tensors made of equal parts ------------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_CONCATENATION_H
#define TERN_LIB_TRANSFORMS_CONCATENATION_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <optional>

namespace tern {

/// A tensor that is parts of one size behind each other along `dim`, inserted
/// into a tensor that had no contents.
struct Concatenation {
  unsigned dim;
  int64_t partSize;
  /// In the order of their offsets, of the tensor's rank.
  llvm::SmallVector<mlir::Value> parts;
  llvm::SmallVector<mlir::Operation *> insertions;
};

/// The sizes of `tensor` as whoever made it states them; empty if unknown.
llvm::SmallVector<mlir::OpFoldResult> getStatedSizes(mlir::Value tensor);

/// The parts of `tensor`, at least two, if it is such a chain of
/// `tensor.insert_slice` and nobody else reads what is between them.
std::optional<Concatenation> matchConcatenation(mlir::Value tensor);

/// Which of `count` parts of `partSize` along `dim` the slice is, if they are
/// all of its source and it takes all of the other dimensions.
std::optional<int64_t> matchPartOf(mlir::tensor::ExtractSliceOp slice,
                                   unsigned dim, int64_t partSize,
                                   int64_t count);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_CONCATENATION_H
