//===- CachePlan.h - may the caches of a graph be in place? -----*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_TRANSFORMS_CACHEPLAN_H
#define TERN_LIB_DIALECT_ONNX_TRANSFORMS_CACHEPLAN_H

#include "tern/Dialect/Onnx/Analysis/LanguageModel.h"
#include "tern/Dialect/Onnx/Analysis/Refusal.h"
#include "tern/Dialect/Onnx/Analysis/SymbolicEvaluator.h"

namespace tern::onnx {

/// Checks that `graph` takes one sequence of any length, and that the runtime's
/// loop of generation can supply all its arguments.
std::optional<Refusal> checkArguments(mlir::func::FuncOp graph,
                                      const LanguageModel &model);

/// What holds of `graph` where the runtime generates one sequence with it: its
/// mask is ones, its positions count on from the past.
GraphAssumptions getAssumptions(mlir::func::FuncOp graph,
                                const LanguageModel &model);

/// Checks that each cache of the model grows behind its past and nowhere else,
/// and appends the type of its buffer, `[1, heads, context, head size]` or
/// another order of these, to `types`.
std::optional<Refusal>
planCaches(mlir::func::FuncOp graph, const LanguageModel &model,
           int64_t context,
           llvm::SmallVectorImpl<mlir::RankedTensorType> &types);

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_TRANSFORMS_CACHEPLAN_H
