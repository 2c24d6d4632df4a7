//===- AttentionNode.h - simplifying one Attention --------------*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_TRANSFORMS_ATTENTIONNODE_H
#define TERN_LIB_DIALECT_ONNX_TRANSFORMS_ATTENTIONNODE_H

#include "NodeBuilder.h"

#include "tern/Dialect/Onnx/Analysis/MaskAnalysis.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

namespace tern::onnx {

/// The inputs and outputs of ONNX's Attention (opset 24).
struct AttentionPort {
  enum Input : unsigned {
    Query,
    Key,
    Value,
    Mask,
    PastKey,
    PastValue,
    KeyCounts
  };
  enum Output : unsigned { Result, PresentKey, PresentValue, Scores };
};

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
  void foldMask();
  /// Replaces the node, if anything was folded. Returns the one that stands.
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
  std::optional<MaskAnalysis::Sizes> getSizes() const;
  mlir::Value countKeys(NodeBuilder &builder) const;
  bool readsPresent() const;
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
