//===- Broadcast.h - NumPy's broadcasting -----------------------*- C++ -*-===//
//
// Dimensions are aligned at the right; of two sizes that differ, one must be 1
// and its operand is read at index 0. What cannot be proven while compiling is
// checked, and decided, when the program runs.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_BROADCAST_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_BROADCAST_H

#include "Lowering.h"

#include "mlir/IR/OpDefinition.h"

namespace tern::onnx {

/// The sizes that shapes broadcast to, or failure, with an error, where static
/// sizes contradict. Sizes that may differ are checked at run time.
mlir::FailureOr<llvm::SmallVector<mlir::OpFoldResult>>
broadcastSizes(LoweringContext &ctx,
               llvm::ArrayRef<llvm::SmallVector<mlir::OpFoldResult>> shapes);
mlir::FailureOr<llvm::SmallVector<mlir::OpFoldResult>>
broadcastSizes(LoweringContext &ctx, mlir::ValueRange tensors);

/// An operand of a loop nest over `sizes`, and how it is read there.
struct BroadcastOperand {
  mlir::Value tensor;
  mlir::AffineMap map;
};

/// Reads `tensor` in a loop nest over `sizes`, to which it broadcasts. The
/// tensor is `tensor` itself, unless it is only known at run time which of its
/// dimensions are repeated: then they are, by a loop of their own.
BroadcastOperand readBroadcast(LoweringContext &ctx, mlir::Value tensor,
                               llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// `tensor` repeated to `sizes`, to which it broadcasts (ONNX's Expand once
/// the sizes are known); `tensor` itself where it has them already.
mlir::Value broadcastTo(LoweringContext &ctx, mlir::Value tensor,
                        llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// Computes one scalar of the result from one scalar of each operand.
using ScalarFn = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &,
                                                mlir::ValueRange)>;

/// Applies `fn` to the broadcast operands. On small tensors whose elements are
/// known as scalars it does so at once, without a loop.
mlir::FailureOr<mlir::Value> elementwise(LoweringContext &ctx,
                                         mlir::ValueRange operands,
                                         mlir::Type elementType, ScalarFn fn);

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_BROADCAST_H
