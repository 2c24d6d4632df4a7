//===- AttentionMatching.h - attention that is spelled out ------*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_TRANSFORMS_ATTENTIONMATCHING_H
#define TERN_LIB_DIALECT_ONNX_TRANSFORMS_ATTENTIONMATCHING_H

#include "tern/Dialect/Onnx/Analysis/MaskAnalysis.h"
#include "tern/Dialect/Onnx/Analysis/SymbolicEvaluator.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

#include <string>

namespace tern::onnx {

/// softmax(mask(cap(scale * query . key))) . value
struct AttentionMatch {
  NodeOp product;    ///< the MatMul whose result Attention gives
  mlir::Value query; ///< [batch, heads, queries, size]
  mlir::Value key;   ///< [batch, kv heads, keys, size]
  /// The last two dimensions of `key` are exchanged.
  bool isKeyTransposed = false;
  mlir::Value value; ///< [batch, kv heads, keys, value size]
  double scale = 1;
  double softcap = 0; ///< 0 for none
  llvm::SmallVector<MaskTerm> masks;
};

/// Looks for attention around a Softmax.
class AttentionMatcher {
public:
  explicit AttentionMatcher(SymbolicEvaluator &evaluator)
      : evaluator(evaluator) {}

  /// The attention whose weights `softmax` computes, or nullopt. Then `reason`
  /// says why, unless nothing of it looks like attention.
  std::optional<AttentionMatch> match(NodeOp softmax, std::string &reason);

private:
  /// The MatMul of the weights and the values, or null.
  NodeOp findProduct(mlir::Value weights, unsigned depth = 0);
  /// Follows the scores from the softmax back to the product of queries and
  /// keys, which it returns; null where there is none.
  NodeOp matchScores(mlir::Value scores, AttentionMatch &match,
                     unsigned depth = 0);
  NodeOp matchSum(NodeOp node, AttentionMatch &match, unsigned depth);
  NodeOp matchSelection(NodeOp node, AttentionMatch &match, unsigned depth);
  NodeOp matchScaling(NodeOp node, AttentionMatch &match, unsigned depth);
  bool matchOperands(NodeOp scores, AttentionMatch &match, std::string &reason);
  /// Finds keys, from `key` [batch, heads, size, keys], and values, with
  /// `kvHeads` heads if that is given. False where there are none.
  bool findKeysAndValues(mlir::Value key, AttentionMatch &match,
                         std::optional<int64_t> kvHeads = std::nullopt);
  /// `value` without factors, which go into `scale`, and widening casts of
  /// `type`.
  mlir::Value stripScale(mlir::Value value, mlir::Type type, double &scale);

  SymbolicEvaluator &evaluator;
};

/// The tensor [batch, kv heads, positions, size] whose heads `value` repeats in
/// order, each as often as the others: `value[b, h, t, d]` is
/// `source[b, h / repeats, t, d]`, proven for all sizes. With `isTransposed`
/// `value` is [batch, heads, size, positions]. The source that lies furthest
/// back, of those with `kvHeads` heads if that is given; null where there is
/// none.
mlir::Value findSource(SymbolicEvaluator &evaluator, mlir::Value value,
                       bool isTransposed,
                       std::optional<int64_t> kvHeads = std::nullopt);

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_TRANSFORMS_ATTENTIONMATCHING_H
