//===- MaskAnalysis.h - which keys a mask lets a query read -----*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_ANALYSIS_MASKANALYSIS_H
#define TERN_DIALECT_ONNX_ANALYSIS_MASKANALYSIS_H

#include "tern/Dialect/Onnx/Analysis/SymbolicEvaluator.h"

namespace tern::onnx {

/// One mask of an attention's scores.
struct MaskTerm {
  enum class Kind {
    Added,     ///< a float that is added: 0, or something very negative
    Selected,  ///< a boolean: scores where it is true are kept
    Deselected ///< a boolean: scores where it is true are masked
  };
  mlir::Value mask; ///< broadcast to [batch, heads, queries, keys]
  Kind kind = Kind::Added;
};

/// A condition on an element of a tensor that has one for each key:
/// `tensor[batch, key] >= constant`, or one of the other comparisons.
struct KeyCondition {
  /// Integers or booleans [batch or 1, 1…, keys], or [keys].
  mlir::Value tensor;
  /// ONNX's name of the comparison: Equal, GreaterOrEqual or LessOrEqual.
  llvm::StringRef comparison;
  int64_t constant = 0;
  /// The key is read where the comparison is false.
  bool isNegated = false;
  /// The last dimension of the tensor is broadcast if it is 1.
  bool isBroadcast = false;

  bool operator==(const KeyCondition &other) const {
    return tensor == other.tensor && comparison == other.comparison &&
           constant == other.constant && isNegated == other.isNegated &&
           isBroadcast == other.isBroadcast;
  }
};

/// What masks say of all scores together.
struct MaskForm {
  /// Whether the rest holds; else nothing could be proven.
  bool isKnown = false;
  /// Only keys up to the query's position are read.
  bool isCausal = false;
  /// Of those, only keys of which this holds.
  std::optional<KeyCondition> keys;
  /// A query that reads no key at all takes the mean of all values: beside the
  /// finite number that is added, its scores are nothing.
  bool averagesMasked = false;
};

/// Proves what masks of one attention amount to. "Masked" is minus infinity or
/// any number up to -2^15: what `finfo.min` of a float type is, and further
/// from the scores than any of them from another.
class MaskAnalysis {
public:
  struct Sizes {
    Polynomial batch, heads, queries, keys;
  };

  /// Query `s` stands at position `s + offset` among the keys.
  MaskAnalysis(SymbolicEvaluator &evaluator, const Sizes &sizes,
               const Polynomial &offset);

  MaskForm analyze(llvm::ArrayRef<MaskTerm> masks);

  /// Whether adding `number` to a score masks it.
  static bool isMasked(double number) { return number <= -32768; }

private:
  /// Whether the key is read, as 0 or 1; nullopt where it is not known.
  std::optional<SymbolicElement> getAllowed(const MaskTerm &term);
  std::optional<KeyCondition>
  matchKeyCondition(const SymbolicElement &allowed) const;
  /// The condition on an element whose index ends in `position`.
  std::optional<KeyCondition> matchComparison(const SymbolicElement &allowed,
                                              const Polynomial &position) const;
  /// Whether `tensor` has one element for each batch (or all) and key, and
  /// `index` is that of our batch and of `position`.
  bool isKeyIndex(mlir::Value tensor, llvm::ArrayRef<Polynomial> index,
                  const Polynomial &position) const;

  SymbolicEvaluator &evaluator;
  Sizes sizes;
  Polynomial batch, head, query, key; ///< one score's index
  Polynomial offset;
  bool hasFiniteMask = false; ///< a mask adds a finite number
};

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_ANALYSIS_MASKANALYSIS_H
