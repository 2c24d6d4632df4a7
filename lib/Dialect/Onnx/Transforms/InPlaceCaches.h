//===- InPlaceCaches.h - caches appended to in place ------------*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_TRANSFORMS_INPLACECACHES_H
#define TERN_LIB_DIALECT_ONNX_TRANSFORMS_INPLACECACHES_H

#include "StepFunction.h"

namespace tern::onnx {

/// Replaces the caches that `step`, a copy of the model's graph, takes and
/// returns by buffers of these types, which new positions are appended to.
/// Returns the updated buffers. Requires what `planCaches` checks.
llvm::SmallVector<mlir::Value>
putCachesInPlace(StepFunction &step, const LanguageModel &model,
                 llvm::ArrayRef<mlir::RankedTensorType> types);

/// ONNX's Attention in the place of an onnxruntime GroupQueryAttention: it
/// splits packed projections, rotates queries and keys at `positions` (i64 [1,
/// sequence]), and has the same past, presents, window and cap. What the
/// lengths of the sequences said is left out: one sequence, without padding.
NodeOp decomposeGroupQueryAttention(NodeOp node, mlir::Value positions);

/// Reads and writes the keys and values of an Attention node in two buffers,
/// [1, heads, positions, head size], instead of its own past and presents:
/// appends the new ones, and has it read what is valid. `keys` and `values`
/// become the updated buffers.
void attendInPlace(StepFunction &step, NodeOp attention, KVTensor &keys,
                   KVTensor &values);

/// All tensors of `buffers`.
llvm::SmallVector<mlir::Value> getUpdated(llvm::ArrayRef<KVTensor> buffers);

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_TRANSFORMS_INPLACECACHES_H
