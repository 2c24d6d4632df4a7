//===- ConstantEvaluator.h - ONNX nodes on constants ------------*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_EVALUATE_CONSTANTEVALUATOR_H
#define TERN_DIALECT_ONNX_EVALUATE_CONSTANTEVALUATOR_H

#include "tern/Dialect/Onnx/Evaluate/Tensor.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "mlir/IR/Value.h"
#include "llvm/ADT/StringMap.h"

#include <functional>
#include <optional>

namespace tern::onnx {

struct EvaluationContext;

/// A node whose value is too large to be computed, in bytes of a Tensor.
struct TooLarge {
  NodeOp node;
  int64_t bytes = 0;
  int64_t most = 0; ///< that it might take
};

/// Computes values of `onnx.node` sub-graphs whose leaves are constants, as the
/// ONNX specification defines the operators.
///
/// Nothing is remembered between calls, and a value lives only until its last
/// consumer in the sub-graph has run: a model that quantises its weights in
/// the graph is evaluated one weight at a time. The traversal keeps its own
/// stack, so long chains are safe.
///
/// Nothing is evaluated for which a value would be needed of more bytes than
/// `freeBytes` and 64 times those of the constants it is made from: 2-bit
/// weights may become i64, but a file of a hundred bytes no gigabytes; nor of
/// more than Tensor::kMaxBytes, which is all that bounds values whose type does
/// not tell their size.
///
/// Arithmetic on f16 and bf16 is done in f32 and rounded after every node;
/// sums and means are accumulated in f64 (in 8 interleaved partial sums, which
/// makes the order fixed) and rounded once. Integers wrap; floats beyond the
/// range of the integer they are cast to saturate, NaN becomes 0.
class ConstantEvaluator {
public:
  /// Maps a value to the one to evaluate in its place, or to itself.
  using Substitution = std::function<mlir::Value(mlir::Value)>;

  static constexpr int64_t kFreeBytes = int64_t(256) << 20;

  explicit ConstantEvaluator(Substitution substitution = {},
                             int64_t freeBytes = kFreeBytes);

  /// Whether the operator of `node` is known here.
  bool canEvaluate(NodeOp node) const;
  /// Whether `value` depends on constants only, by known operators. Says
  /// nothing about whether shapes and types fit.
  bool isConstant(mlir::Value value) const;
  /// The value, or nullopt where it is not constant or takes too much memory,
  /// or where shapes, types or attributes do not fit the operators.
  std::optional<Tensor> evaluate(mlir::Value value) const;
  /// What `value`, if it is constant, is not evaluated for: the first node on
  /// the way to it that takes too much memory.
  std::optional<TooLarge> findTooLarge(mlir::Value value) const;
  /// The only element of a constant of one element, as a double.
  std::optional<double> evaluateScalar(mlir::Value value) const;

private:
  using EvaluationFn = std::optional<Tensor> (*)(EvaluationContext &);
  struct Schedule;

  mlir::Value resolve(mlir::Value value) const;
  bool plan(mlir::Value value, Schedule &schedule) const;
  std::optional<TooLarge> findTooLarge(const Schedule &schedule) const;
  std::optional<Tensor> run(NodeOp node, Schedule &schedule) const;

  llvm::StringMap<EvaluationFn> table;
  Substitution substitution;
  int64_t freeBytes;
};

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_EVALUATE_CONSTANTEVALUATOR_H
