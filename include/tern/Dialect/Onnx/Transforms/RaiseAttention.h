//===- RaiseAttention.h - attention as one node -----------------*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_TRANSFORMS_RAISEATTENTION_H
#define TERN_DIALECT_ONNX_TRANSFORMS_RAISEATTENTION_H

#include "tern/Dialect/Onnx/Analysis/GraphAssumptions.h"
#include "tern/Dialect/Onnx/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tern::onnx {

/// Rewrites attention in `graph` to the operator `Attention` of opset 23, as
/// the pass `onnx-raise-attention` describes.
///
/// What `assumptions` grant is used to prove masks causal. It may be called
/// again with more of them, on a copy of the graph say: nodes that are raised
/// already lose the masks that can now be proven. Arguments stay in place;
/// those that nothing reads any more are left without uses.
void raiseAttention(mlir::func::FuncOp graph,
                    const GraphAssumptions &assumptions = {},
                    const RaiseAttentionOptions &options = {});

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_TRANSFORMS_RAISEATTENTION_H
