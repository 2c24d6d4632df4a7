//===- CachePlan.h - may the caches of a graph be in place? -----*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_TRANSFORMS_CACHEPLAN_H
#define TERN_LIB_DIALECT_ONNX_TRANSFORMS_CACHEPLAN_H

#include "tern/Dialect/Onnx/Analysis/SequenceShapes.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

#include <string>

namespace tern::onnx {

/// Why something cannot be done, and where.
struct Refusal {
  mlir::Location location;
  std::string reason;
};

/// Checks that `graph` takes one sequence of any length, and that the runtime's
/// loop of generation can supply all its arguments.
std::optional<Refusal> checkArguments(mlir::func::FuncOp graph,
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
