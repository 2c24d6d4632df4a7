//===- TokenwiseAnalysis.h - can tokens be read one by one? -----*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_ANALYSIS_TOKENWISEANALYSIS_H
#define TERN_DIALECT_ONNX_ANALYSIS_TOKENWISEANALYSIS_H

#include "tern/Dialect/Onnx/Analysis/LanguageModel.h"
#include "tern/Dialect/Onnx/Analysis/Refusal.h"
#include "tern/Dialect/Onnx/Analysis/SymbolicEvaluator.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

namespace tern::onnx {

/// How a value depends on the sequence that the graph reads.
struct TokenDependence {
  enum class Kind {
    None,   ///< not at all
    Length, ///< on its length: sizes, and what is computed with them
    Tokens, ///< it has one slice for each token
    Mixed,  ///< tokens depend on later ones, as far as is known
  };
  Kind kind = Kind::None;
  /// Of Tokens, the dimension that counts them. The slice of token i depends on
  /// tokens up to i and on i, but on nothing that follows.
  unsigned dim = 0;
};

/// A tensor whose elements for token i are all `scale * i + offset`.
struct PositionTensor {
  mlir::OpResult value;
  llvm::SmallVector<int64_t> shape; ///< dynamic where it counts tokens
  unsigned dim;
  int64_t scale, offset;
};

/// Proves that a graph without a cache can read a sequence in parts: that what
/// it computes for a token depends on this token, its position, and keys and
/// values of earlier tokens, which causal attention reads.
///
/// Goes forward through the graph and keeps, for each value, its
/// `TokenDependence`. Operators that are not known, or that mix tokens in
/// another way, end the proof where the logits depend on them, and so does a
/// length that becomes a number of the computation.
class TokenwiseAnalysis {
public:
  /// `graph` has one result, the logits; its batch is 1. `evaluator` is about
  /// the same graph.
  TokenwiseAnalysis(mlir::func::FuncOp graph, const LanguageModel &model,
                    SymbolicEvaluator &evaluator);

  /// Why the proof failed; nullopt where it did not.
  const std::optional<Refusal> &getRefusal() const { return refusal; }

  /// What has to be adapted for a part of the sequence that does not start at
  /// its beginning. Positions that are not computed from another position:
  llvm::ArrayRef<PositionTensor> getPositions() const { return positions; }
  /// Slices [0, length) of a table without tokens, along one axis:
  llvm::ArrayRef<std::pair<NodeOp, unsigned>> getTableSlices() const {
    return tableSlices;
  }
  /// Gathers from such a slice, which may read the table itself:
  llvm::ArrayRef<NodeOp> getTableGathers() const { return tableGathers; }
  /// Causal attention: Attention or GroupQueryAttention.
  llvm::ArrayRef<NodeOp> getAttentions() const { return attentions; }

private:
  friend class TokenQuery;

  void visit(mlir::Operation *op);
  bool findPositions(mlir::OpResult result);
  std::optional<Refusal> explain(mlir::Operation *op,
                                 const std::string &reason) const;
  TokenDependence lookup(mlir::Value value) const {
    return dependences.lookup(value);
  }

  const LanguageModel &model;
  SymbolicEvaluator &evaluator;
  Polynomial length; ///< of the sequence
  llvm::DenseMap<mlir::Value, TokenDependence> dependences;
  /// Why values are Mixed.
  llvm::DenseMap<mlir::Value, std::optional<Refusal>> refusals;
  std::optional<Refusal> refusal;
  llvm::SmallVector<PositionTensor> positions;
  llvm::SmallVector<std::pair<NodeOp, unsigned>> tableSlices;
  llvm::SmallVector<NodeOp> tableGathers, attentions;
};

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_ANALYSIS_TOKENWISEANALYSIS_H
