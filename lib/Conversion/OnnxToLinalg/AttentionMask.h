//===- AttentionMask.h - which keys a query reads ---------------*- C++ -*-===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONMASK_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONMASK_H

#include "AttentionCore.h"

namespace tern::onnx {

/// The sizes of the loops: query heads are kv heads times groups.
struct AttentionSizes {
  mlir::OpFoldResult batch, queries, keys, size, valueSize;
  int64_t kvHeads, groups;
};

/// Successive queries of the heads that share one head of keys.
struct QueryBlock {
  mlir::Value batch, kvHead;
  mlir::OpFoldResult first, count;
  /// The first query's position among the keys.
  mlir::OpFoldResult position;
  /// How many keys the batch has.
  mlir::OpFoldResult keys;
};

/// Successive keys.
struct KeyRange {
  mlir::OpFoldResult first, count;
};

/// A mask, as blocks are cut from it.
struct AttentionMask {
  mlir::Value tensor;
  /// From [batch, kv head, group, query, key] to the tensor's indices; but the
  /// batch's index is 0 where the tensor has only one.
  mlir::AffineMap map;
};

/// `mask` for blocks; failure, with an error, where it does not fit. It may
/// speak of fewer keys than there are (opset 24): then the others are hidden.
mlir::FailureOr<AttentionMask> readMask(LoweringContext &ctx, mlir::Value mask,
                                        const AttentionSizes &sizes);

/// The mask's part for a block of queries and a range of keys, to be read in
/// loops over [group, query, key].
BroadcastOperand sliceMask(mlir::ImplicitLocOpBuilder &b,
                           const AttentionMask &mask,
                           const AttentionSizes &sizes, const QueryBlock &block,
                           const KeyRange &keys);

/// The keys that some query of `block` can reach.
KeyRange reachOf(mlir::ImplicitLocOpBuilder &b, const AttentionProblem &problem,
                 const QueryBlock &block);

/// Whether query `query` of the block reaches key `key` of the range, both
/// counted from the first; null for always.
mlir::Value isInReach(mlir::ImplicitLocOpBuilder &b,
                      const AttentionProblem &problem, const QueryBlock &block,
                      const KeyRange &keys, mlir::Value query, mlir::Value key);

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONMASK_H
