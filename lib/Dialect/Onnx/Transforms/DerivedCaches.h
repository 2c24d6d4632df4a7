//===- DerivedCaches.h - caches for graphs that have none -------*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_TRANSFORMS_DERIVEDCACHES_H
#define TERN_LIB_DIALECT_ONNX_TRANSFORMS_DERIVEDCACHES_H

#include "tern/Dialect/Onnx/Analysis/TokenwiseAnalysis.h"

#include "StepFunction.h"

namespace tern::onnx {

/// Makes a copy of a graph without a cache one for a batch of 1 and without
/// results but the logits, so that only what they need has to be understood.
void restrictToLogits(mlir::func::FuncOp copy, const LanguageModel &model);

/// Appends the types of the buffers of keys and values of each attention that
/// `analysis` found, [1, heads, context, head size], to `types`. `evaluator` is
/// the analysis' own.
std::optional<Refusal>
planDerivedCaches(const TokenwiseAnalysis &analysis,
                  SymbolicEvaluator &evaluator, int64_t context,
                  llvm::SmallVectorImpl<mlir::RankedTensorType> &types);

/// Makes `step`, a copy of a graph that `analysis` proved to be tokenwise, read
/// a part of the sequence: positions and tables start behind the past, and
/// attention reads keys and values from buffers of these types, which the new
/// ones are appended to. Returns the updated buffers.
llvm::SmallVector<mlir::Value>
addCaches(StepFunction &step, const TokenwiseAnalysis &analysis,
          llvm::ArrayRef<mlir::RankedTensorType> types);

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_TRANSFORMS_DERIVEDCACHES_H
