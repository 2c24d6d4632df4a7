//===- Movement.h - building blocks that move elements ----------*- C++ -*-===//
//
// Reshapes, slices and index arithmetic that the lowerings of shapes, data
// movement, indexing and attention share. Sizes and indices are attributes
// where they are static, so that static dimensions stay in the types.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_MOVEMENT_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_MOVEMENT_H

#include "Broadcast.h"
#include "Lowering.h"

namespace tern::onnx {

using Sizes = llvm::SmallVector<mlir::OpFoldResult>;

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

/// Whether an index is proven not to be negative, as sums and products of
/// tensor sizes are.
bool isNonNegative(mlir::OpFoldResult index);

/// The smaller and the larger of two indices.
mlir::OpFoldResult minIndex(mlir::ImplicitLocOpBuilder &b,
                            mlir::OpFoldResult lhs, mlir::OpFoldResult rhs);
mlir::OpFoldResult maxIndex(mlir::ImplicitLocOpBuilder &b,
                            mlir::OpFoldResult lhs, mlir::OpFoldResult rhs);
/// `lhs / rhs` rounded up; `rhs` is not zero.
mlir::OpFoldResult ceilDivide(mlir::ImplicitLocOpBuilder &b,
                              mlir::OpFoldResult lhs, mlir::OpFoldResult rhs);

/// An index as a value, and a list of them.
mlir::Value indexValue(mlir::ImplicitLocOpBuilder &b, mlir::OpFoldResult index);
llvm::SmallVector<mlir::Value>
indexValues(mlir::ImplicitLocOpBuilder &b,
            llvm::ArrayRef<mlir::OpFoldResult> indices);

/// The product of sizes; 1 where there are none.
mlir::OpFoldResult productOf(mlir::ImplicitLocOpBuilder &b,
                             llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// The elements of an integer input of static size and rank at most 1, as
/// indices; failure, with an error, where input `index` is none.
mlir::FailureOr<Sizes> indicesFromInput(LoweringContext &ctx, unsigned index);

/// Checks that two sizes are equal: failure, with an error, where they are
/// proven to differ; at run time where nothing is proven.
mlir::LogicalResult checkSameSize(LoweringContext &ctx, mlir::OpFoldResult lhs,
                                  mlir::OpFoldResult rhs,
                                  llvm::StringRef message);
/// Checks at run time that `lhs <= rhs` (signed), unless that is proven.
void checkAtMost(LoweringContext &ctx, mlir::OpFoldResult lhs,
                 mlir::OpFoldResult rhs, llvm::StringRef message);

/// The axes of the node, ascending: the attribute `axes` (older opsets) or the
/// constant input `index`, counted from the front; nullopt where there is
/// neither, failure, with an error, where they are not constant, out of range
/// or repeated.
mlir::FailureOr<std::optional<llvm::SmallVector<int64_t>>>
axesOf(LoweringContext &ctx, unsigned index, int64_t rank);

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// `tensor` with the type that `sizes` say; they are its sizes.
mlir::Value castToSizes(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                        llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// `tensor` with other sizes that hold as many elements. Without data movement
/// where groups of dimensions are proven to correspond; a count that cannot be
/// proven is checked at run time. Failure, with an error, where the counts
/// differ.
mlir::FailureOr<mlir::Value>
reshapeTo(LoweringContext &ctx, mlir::Value tensor,
          llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// Dimension `i` of the result is dimension `permutation[i]` of `tensor`.
mlir::Value transpose(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                      llvm::ArrayRef<int64_t> permutation);

/// A unit-stride slice of `tensor`, and one of another stride along one axis.
mlir::Value sliceOf(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                    llvm::ArrayRef<mlir::OpFoldResult> offsets,
                    llvm::ArrayRef<mlir::OpFoldResult> sizes);
mlir::Value sliceAlong(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                       int64_t axis, mlir::OpFoldResult offset,
                       mlir::OpFoldResult size, int64_t stride = 1);
/// `dest` with `source` written at `offsets`, and along `axis` at `offset`.
mlir::Value insertInto(mlir::ImplicitLocOpBuilder &b, mlir::Value source,
                       mlir::Value dest,
                       llvm::ArrayRef<mlir::OpFoldResult> offsets);
mlir::Value insertAlong(mlir::ImplicitLocOpBuilder &b, mlir::Value source,
                        mlir::Value dest, int64_t axis,
                        mlir::OpFoldResult offset, int64_t stride = 1);

/// Tensors joined along `axis`.
mlir::FailureOr<mlir::Value>
concatenate(LoweringContext &ctx, mlir::ValueRange tensors, int64_t axis);

/// Computes an element from its indices and the operands' scalars there.
using ElementFn = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &,
                                                 mlir::ValueRange indices,
                                                 mlir::ValueRange scalars)>;
/// `dest` with every element computed anew, in its place, from the operands and
/// from what it was, the last of the scalars.
mlir::Value update(mlir::ImplicitLocOpBuilder &b, mlir::Value dest,
                   llvm::ArrayRef<BroadcastOperand> operands, ElementFn fn);

/// A tensor of `sizes` that is computed element by element.
mlir::Value generate(mlir::ImplicitLocOpBuilder &b,
                     llvm::ArrayRef<mlir::OpFoldResult> sizes,
                     mlir::Type elementType,
                     llvm::ArrayRef<BroadcastOperand> operands, ElementFn fn);

//===----------------------------------------------------------------------===//
// Indices that are data
//===----------------------------------------------------------------------===//

/// Checks that every element of `indices` is in [-limit, limit). Where the
/// last dimension holds tuples, there is a limit for each of their components;
/// else there is one for all. Failure, with an error, where a constant is not.
mlir::LogicalResult checkIndices(LoweringContext &ctx, mlir::Value indices,
                                 llvm::ArrayRef<mlir::OpFoldResult> limits);

/// The integer `index` as an index value; negative ones count from `limit`.
mlir::Value wrapIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value index,
                      mlir::OpFoldResult limit);

/// ONNX's Gather: slices of `data` along `axis`, one for each index.
mlir::FailureOr<mlir::Value> gather(LoweringContext &ctx, mlir::Value data,
                                    mlir::Value indices, int64_t axis);

// Parts of the table that have files of their own.
void addReshapeLowerings(LoweringTable &table);         // Reshape.cpp
void addSliceLowerings(LoweringTable &table);           // Slice.cpp
void addScatterLowerings(LoweringTable &table);         // Scatter.cpp
void addRotaryEmbeddingLowerings(LoweringTable &table); // RotaryEmbedding.cpp
void addGroupQueryAttentionLowerings(
    LoweringTable &table); // GroupQueryAttention.cpp
void addMultiHeadAttentionLowerings(
    LoweringTable &table); // MultiHeadAttention.cpp

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_MOVEMENT_H
