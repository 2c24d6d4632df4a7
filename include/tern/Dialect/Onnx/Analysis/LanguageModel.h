//===- LanguageModel.h - is this graph a language model? --------*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_ANALYSIS_LANGUAGEMODEL_H
#define TERN_DIALECT_ONNX_ANALYSIS_LANGUAGEMODEL_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace tern::onnx {

/// A KV cache that enters as an argument and leaves, longer, as a result.
struct KVCache {
  unsigned past;    ///< argument, [batch, heads, positions, head size]
  unsigned present; ///< result
  int64_t axis;     ///< the dimension that counts positions
};

/// The roles of a language model's arguments and results.
struct LanguageModel {
  unsigned inputIds;                     ///< i64 [batch, sequence]
  std::optional<unsigned> attentionMask; ///< i64 [batch, past + sequence]
  std::optional<unsigned> positionIds;   ///< i64 [batch, sequence]
  unsigned logits;                       ///< float [batch, sequence, vocab]
  int64_t vocab;
  llvm::SmallVector<KVCache> caches;
  /// Arguments whose role is not known, so that a loop of generation cannot
  /// supply them.
  llvm::SmallVector<unsigned> unknown;
};

/// Recognises a graph of the onnx dialect that maps token ids to logits, by its
/// structure: an integer argument that looks rows of a table up, and a float
/// result of rank 3. Names only decide between integer arguments that the
/// structure leaves open.
std::optional<LanguageModel> findLanguageModel(mlir::func::FuncOp graph);

/// The most positions that a sequence of the model in `module` may have:
/// `asked` if it is above 0, else `tern.context` of the model's metadata if
/// that is a number from 1 to 2^24, else 2048.
int64_t getContextLength(mlir::ModuleOp module, int64_t asked);

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_ANALYSIS_LANGUAGEMODEL_H
