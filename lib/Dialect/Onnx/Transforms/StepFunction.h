//===- StepFunction.h - the function that reads new tokens ------*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_TRANSFORMS_STEPFUNCTION_H
#define TERN_LIB_DIALECT_ONNX_TRANSFORMS_STEPFUNCTION_H

#include "KVStorage.h"

#include "tern/Dialect/Onnx/Analysis/LanguageModel.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern::onnx {

/// `step(tokens, past, num_logits, caches…)` while it is made from a copy of
/// the graph: tokens are i64 [1, count], caches writable buffers.
///
/// The copy's own arguments go away: the constructor replaces those of the
/// model's roles, `replaceArgument` is for the caches, and `finish` drops them
/// with the results.
class StepFunction {
public:
  StepFunction(mlir::func::FuncOp func, const LanguageModel &model);

  mlir::func::FuncOp getFunc() { return func; }
  mlir::func::ReturnOp getReturn();
  /// Index values: positions before this call, tokens of this call, their sum,
  /// and how many of the last tokens need logits.
  mlir::Value getPast() { return past; }
  mlir::Value getCount() { return count; }
  mlir::Value getTotal() { return total; }
  mlir::Value getNumLogits() { return numLogits; }
  /// The positions of this call's tokens: i64 [1, count].
  mlir::Value getPositions();
  /// A tensor whose elements for token i of this call are all
  /// `scale * (past + i) + offset`, `dim` counting tokens: the dynamic
  /// dimension of `type`.
  mlir::Value createPositions(mlir::RankedTensorType type, unsigned dim,
                              int64_t scale, int64_t offset);
  /// The number of keys, for Attention's nonpad_kv_seqlen: i64 [1].
  mlir::Value getKeyCounts();

  /// Adds the buffer of a cache, `[1, …]`.
  mlir::BlockArgument addCache(mlir::RankedTensorType type);
  /// Adds buffers of these types, and then the scales of those that hold codes.
  llvm::SmallVector<KVTensor>
  addCaches(llvm::ArrayRef<mlir::RankedTensorType> types);
  /// What of `cache` is valid before this call.
  mlir::Value getPastOf(mlir::Value cache, int64_t axis);
  /// Writes `added`, one position for each token, behind the past. Returns the
  /// updated cache: the last one for each buffer has to be passed to `finish`.
  mlir::Value append(mlir::ImplicitLocOpBuilder &b, mlir::Value added,
                     mlir::Value cache, int64_t axis);
  /// What of an updated cache is valid: past and new positions.
  mlir::Value getValid(mlir::ImplicitLocOpBuilder &b, mlir::Value updated,
                       int64_t axis);

  /// Makes the signature final: returns `logits` and the updated caches.
  void finish(mlir::Value logits, mlir::ValueRange updated);

private:
  mlir::BlockArgument addArgument(mlir::Type type);
  mlir::Value createMask(mlir::RankedTensorType type);
  /// The positions as [count], or [1, count] for a rank of 2.
  mlir::Value createPositions(int64_t rank, mlir::Type elementType);
  mlir::Value buildPositions(mlir::RankedTensorType type, unsigned dim,
                             int64_t scale, int64_t offset);
  /// `length`, an index, as the only element of a tensor of `rank`.
  mlir::Value createScalar(mlir::Value length, int64_t rank,
                           mlir::Type elementType);
  mlir::Value createSequenceValue(SequenceRole role,
                                  mlir::RankedTensorType type);
  mlir::OpFoldResult attr(int64_t value) { return b.getIndexAttr(value); }

  mlir::func::FuncOp func;
  mlir::ImplicitLocOpBuilder b;
  /// The last operation of the constructor's, after which `b` goes on.
  mlir::Operation *anchor;
  unsigned numOldArguments;
  bool hasCache;
  mlir::BlockArgument past, numLogits;
  mlir::Value count, total;
  mlir::Value positions, keyCounts; ///< null until asked for
  llvm::SmallVector<mlir::BlockArgument> caches;
};

/// Restricts the computation of result `index`, the logits, to the last tokens,
/// from the norm before the head on, and returns them in f32, which the C
/// interface has.
mlir::Value sliceLogits(StepFunction &step, unsigned index, int64_t vocab);

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_TRANSFORMS_STEPFUNCTION_H
