//===- LanguageModel.h - is this graph a language model? --------*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_ANALYSIS_LANGUAGEMODEL_H
#define TERN_DIALECT_ONNX_ANALYSIS_LANGUAGEMODEL_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace tern::onnx {

/// The operators by which a graph puts new positions into a cache.
enum class CacheForm {
  Concat,              ///< present = Concat(past, new)
  Attention,           ///< past_key or past_value of ONNX's Attention
  GroupQueryAttention, ///< the same of onnxruntime's
  TensorScatter,       ///< written at an index into a cache of full length
};

/// A KV cache that enters as an argument and leaves, longer or (TensorScatter)
/// as long, as a result.
struct KVCache {
  unsigned past;    ///< argument, [batch, heads, positions, head size]
  unsigned present; ///< result
  int64_t axis;     ///< the dimension that counts positions
  CacheForm form;
};

/// What an integer argument says of the one sequence that is generated.
enum class SequenceRole {
  PastLength,   ///< how many positions the cache holds
  TotalLength,  ///< and with those of this call
  LastPosition, ///< TotalLength - 1
  Positions,    ///< of the tokens of this call: [sequence]
};

/// An argument that only `step` can supply: the runtime knows nothing of it.
struct SequenceArgument {
  unsigned index;
  SequenceRole role;
};

/// The roles of a language model's arguments and results.
struct LanguageModel {
  unsigned inputIds;                     ///< i64 [batch, sequence]
  std::optional<unsigned> attentionMask; ///< i64 [batch, past + sequence]
  std::optional<unsigned> positionIds;   ///< i64 [batch, sequence]
  unsigned logits;                       ///< float [batch, sequence, vocab]
  int64_t vocab;
  llvm::SmallVector<KVCache> caches;
  llvm::SmallVector<SequenceArgument> sequenceArguments;
  /// Arguments whose role is not known, so that a loop of generation cannot
  /// supply them.
  llvm::SmallVector<unsigned> unknown;

  /// True if the runtime can drive the graph itself: ids, a mask, positions,
  /// and caches that grow from nothing.
  bool runsWithoutStep() const;
  /// Whether `argument` is one of sequenceArguments, with this role.
  bool hasRole(mlir::BlockArgument argument, SequenceRole role) const;
};

/// Recognises a graph of the onnx dialect that maps token ids to logits, by its
/// structure: a float result of rank 3, and an integer argument that picks rows
/// of a table which has as many of them as the logits have columns. (A graph
/// that ends in hidden states, as encoders do, has as many columns as the table
/// instead.) Other integer arguments get the role of the operator input that
/// they reach; names decide where they reach none.
std::optional<LanguageModel> findLanguageModel(mlir::func::FuncOp graph);

/// What `value` is a copy of: exporters leave nodes that do nothing.
mlir::Value lookThroughCopies(mlir::Value value);

/// The argument whose elements `value` holds, cast or reshaped at most; null
/// where it holds others.
mlir::BlockArgument findSourceArgument(mlir::Value value);

/// The ONNX name of an argument of a graph; empty where it has none.
llvm::StringRef getArgumentName(mlir::func::FuncOp graph, unsigned index);

/// The most positions that a sequence of the model in `module` may have:
/// `asked` if it is above 0, else `tern.context` of the model's metadata if
/// that is a number from 1 to 2^24, else 2048.
int64_t getContextLength(mlir::ModuleOp module, int64_t asked);

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_ANALYSIS_LANGUAGEMODEL_H
