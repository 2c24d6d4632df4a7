//===- TokenRules.h - how operators treat tokens ----------------*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_ANALYSIS_TOKENRULES_H
#define TERN_LIB_DIALECT_ONNX_ANALYSIS_TOKENRULES_H

#include "tern/Dialect/Onnx/Analysis/TokenwiseAnalysis.h"

#include "llvm/ADT/StringMap.h"

namespace tern::onnx {

/// One operation, at least one of whose operands depends on the sequence.
class TokenQuery {
public:
  TokenQuery(TokenwiseAnalysis &analysis, mlir::Operation *op)
      : op(op), evaluator(analysis.evaluator), length(analysis.length),
        analysis(analysis) {}

  mlir::Operation *op;
  SymbolicEvaluator &evaluator;
  const Polynomial &length;
  /// Why there is no answer.
  std::string reason;

  NodeOp node() { return mlir::cast<NodeOp>(op); }
  /// Input `index`, or null where it is omitted.
  mlir::Value input(unsigned index);
  unsigned rank(unsigned index);
  TokenDependence get(mlir::Value value) const {
    return value ? analysis.lookup(value) : TokenDependence();
  }
  TokenDependence get(unsigned index) { return get(input(index)); }
  bool isTokens(unsigned index) {
    return get(index).kind == TokenDependence::Kind::Tokens;
  }
  bool isNone(unsigned index) {
    return get(index).kind == TokenDependence::Kind::None;
  }
  /// The dimension that counts tokens in input `index`.
  unsigned dim(unsigned index) { return get(index).dim; }
  /// Whether dimension `dim` of `value` is 1 for certain.
  bool isOne(mlir::Value value, unsigned dim);
  /// The constants that input `index` holds; nullopt where it holds others.
  std::optional<llvm::SmallVector<int64_t>> constants(unsigned index);
  /// An attribute that is an axis of a tensor of `rank` dimensions.
  std::optional<unsigned> axis(llvm::StringRef name, int64_t fallback,
                               unsigned rank);
  /// Whether the size is that of the sequence, or depends on it.
  bool isLength(const Polynomial &size) {
    return evaluator.isSameSize(size, length);
  }
  /// Whether input `index` is one integer, and what `role` says of a sequence
  /// without a past.
  bool isLengthOf(unsigned index, SequenceRole role);

  std::optional<TokenDependence> fail(const llvm::Twine &why) {
    reason = why.str();
    return std::nullopt;
  }
  static TokenDependence tokens(unsigned dim) {
    return {TokenDependence::Kind::Tokens, dim};
  }

  void addTableSlice(unsigned dim) {
    analysis.tableSlices.emplace_back(node(), dim);
  }
  bool isTableSlice(mlir::Value value);
  void addTableGather() { analysis.tableGathers.push_back(node()); }
  void addAttention() { analysis.attentions.push_back(node()); }

private:
  TokenwiseAnalysis &analysis;
};

/// What all results of the operation depend on; nullopt, and why, where tokens
/// are mixed. A query's operation has an input that depends on the sequence.
using TokenRule = std::optional<TokenDependence> (*)(TokenQuery &);
using TokenRules = llvm::StringMap<TokenRule>;

void addElementwiseTokenRules(TokenRules &rules); // ElementwiseTokens.cpp
void addMovementTokenRules(TokenRules &rules);    // MovementTokens.cpp
void addProductTokenRules(TokenRules &rules);     // ProductTokens.cpp

/// The dimension of a result of shape `to` that counts the tokens which
/// dimension `dim` of a value of shape `from` counts, the elements being in the
/// same order; nullopt where they are not apart.
std::optional<unsigned> mapReshaped(TokenQuery &query, mlir::Value from,
                                    unsigned dim, mlir::Value to);

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_ANALYSIS_TOKENRULES_H
