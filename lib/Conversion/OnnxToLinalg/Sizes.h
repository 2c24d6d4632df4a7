//===- Sizes.h - sizes of tensors, and proofs about them --------*- C++ -*-===//
//
// Sizes of dynamic dimensions are index values. They are read off the
// operation that makes a tensor wherever possible, so that two tensors of the
// same size have the same value, and shape arithmetic dissolves into scalars:
// a `tensor.from_elements` is a shape whose elements are known as scalars.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_SIZES_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_SIZES_H

#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OpDefinition.h"

#include <optional>

namespace tern::onnx {

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// The size of dimension `dim` of `tensor`: an index attribute where it is
/// static, else an index value. Dimensions of function arguments that carry the
/// same symbol in `onnx.dims` have the same value.
mlir::OpFoldResult sizeOf(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                          int64_t dim);
llvm::SmallVector<mlir::OpFoldResult> sizesOf(mlir::ImplicitLocOpBuilder &b,
                                              mlir::Value tensor);

/// Whether two sizes are proven equal, as polynomials over index values.
bool areSameSize(mlir::OpFoldResult lhs, mlir::OpFoldResult rhs);

/// Sums, differences and products of sizes; attributes where they are static.
mlir::OpFoldResult addSizes(mlir::ImplicitLocOpBuilder &b,
                            mlir::OpFoldResult lhs, mlir::OpFoldResult rhs);
mlir::OpFoldResult subtractSizes(mlir::ImplicitLocOpBuilder &b,
                                 mlir::OpFoldResult lhs,
                                 mlir::OpFoldResult rhs);
mlir::OpFoldResult multiplySizes(mlir::ImplicitLocOpBuilder &b,
                                 mlir::OpFoldResult lhs,
                                 mlir::OpFoldResult rhs);

/// The tensor type that has `sizes`, dynamic where they are values.
mlir::RankedTensorType typeWithSizes(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                                     mlir::Type elementType);

/// An uninitialised tensor, and one filled with a scalar.
mlir::Value emptyTensor(mlir::ImplicitLocOpBuilder &b,
                        llvm::ArrayRef<mlir::OpFoldResult> sizes,
                        mlir::Type elementType);
mlir::Value filledTensor(mlir::ImplicitLocOpBuilder &b,
                         llvm::ArrayRef<mlir::OpFoldResult> sizes,
                         mlir::Value scalar);

/// The loops of a linalg operation that has no reduction.
llvm::SmallVector<mlir::utils::IteratorType> parallelLoops(int64_t rank);

//===----------------------------------------------------------------------===//
// Small tensors, element by element
//===----------------------------------------------------------------------===//

/// Shapes have a handful of elements; longer tensors are data.
constexpr int64_t maxKnownScalars = 64;

/// The elements of `tensor` in row-major order, where they are few and known
/// as scalars: a constant or a `tensor.from_elements`, cast or reshaped.
std::optional<llvm::SmallVector<mlir::Value>>
knownScalars(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor);

/// The elements of a static tensor of rank at most 1: the known scalars, or
/// one tensor.extract for each element.
llvm::SmallVector<mlir::Value> scalarsOf(mlir::ImplicitLocOpBuilder &b,
                                         mlir::Value tensor);

/// A tensor of the given scalars; a constant where they all are.
mlir::Value tensorOfScalars(mlir::ImplicitLocOpBuilder &b,
                            mlir::RankedTensorType type,
                            mlir::ValueRange scalars);

/// An integer scalar as a size and back; constants become attributes.
mlir::OpFoldResult sizeFromScalar(mlir::ImplicitLocOpBuilder &b,
                                  mlir::Value scalar);
mlir::Value scalarFromSize(mlir::ImplicitLocOpBuilder &b,
                           mlir::OpFoldResult size, mlir::Type type);

/// `scalar` with the operations that compute it folded, as far as they do.
mlir::Value foldScalar(mlir::ImplicitLocOpBuilder &b, mlir::Value scalar);

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_SIZES_H
