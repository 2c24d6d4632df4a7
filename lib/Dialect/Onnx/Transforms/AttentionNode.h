//===- AttentionNode.h - simplifying one Attention --------------*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_TRANSFORMS_ATTENTIONNODE_H
#define TERN_LIB_DIALECT_ONNX_TRANSFORMS_ATTENTIONNODE_H

#include "NodeBuilder.h"

#include "tern/Dialect/Onnx/Analysis/MaskAnalysis.h"
#include "tern/Dialect/Onnx/IR/Attention.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

namespace tern::onnx {

/// Masks over keys that layers share.
class KeyMasks {
public:
  explicit KeyMasks(SymbolicEvaluator &evaluator) : evaluator(evaluator) {}

  /// The boolean [batch or 1, 1, 1, keys] that `condition` says. `countKeys`
  /// makes the tensor [1] of the number of keys.
  mlir::Value build(NodeBuilder &b, const KeyCondition &condition,
                    const Polynomial &keys,
                    llvm::function_ref<mlir::Value(NodeBuilder &)> countKeys);

private:
  struct Entry {
    KeyCondition condition;
    Polynomial keys;
    mlir::Value mask;
  };
  SymbolicEvaluator &evaluator;
  llvm::SmallVector<Entry, 2> entries;
};

/// Simplifies one node `Attention`: what it reads, and its mask. Afterwards the
/// nodes of the graph may be out of order.
class AttentionSimplifier {
public:
  AttentionSimplifier(SymbolicEvaluator &evaluator, KeyMasks &keyMasks,
                      NodeOp node);

  /// Replaces keys and values by what they repeat.
  void foldRepetition();
  /// Makes Concat(past, new) past and present.
  void foldPast();
  /// Replaces the mask by what it is proven to be.
  /// `tablesSuffice`: what is cut off a table is as long as the keys, since
  /// there would be no scores else, or no context of that length.
  void foldMask(bool tablesSuffice);
  /// Replaces the node, if anything was folded: not the past, and with it
  /// nothing, where the node would read its own present. Returns the one that
  /// stands.
  NodeOp finish();

private:
  /// What of the node changes.
  struct State {
    llvm::SmallVector<mlir::Value, 7> inputs; ///< null where omitted
    bool isCausal = false;
    /// The nodes whose result is the present.
    NodeOp keyConcat, valueConcat;
  };

  mlir::Value getInput(unsigned input) const { return state.inputs[input]; }
  bool hasNoOutput(unsigned output);
  NodeOp getConcat(unsigned input) const;
  /// Positions before the first query; nullopt where that is not known.
  std::optional<Polynomial> getPastLength() const;
  /// Nullopt where ranks are not as they have to be.
  std::optional<MaskAnalysis::Sizes> getSizes() const;
  /// Whether a mask of this shape has a column for each key, as Attention
  /// takes keys without one to be masked, and broadcasts to the scores.
  bool fitsScores(llvm::ArrayRef<Polynomial> mask,
                  const MaskAnalysis::Sizes &sizes, bool tablesSuffice) const;
  /// The number of keys, a tensor of one element.
  mlir::Value countKeys(NodeBuilder &builder) const;
  /// Whether the node would read what it returns.
  bool readsPresent() const;
  /// Computes the shape of the present from those of its parts.
  void replaceShapes(NodeOp concat);
  NodeOp rebuild();

  SymbolicEvaluator &evaluator;
  KeyMasks &keyMasks;
  NodeOp node;
  NodeBuilder b;
  State state, original;
};

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_TRANSFORMS_ATTENTIONNODE_H
