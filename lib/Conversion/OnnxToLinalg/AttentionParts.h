//===- AttentionParts.h - few queries, their keys in parts ------*- C++ -*-===//
//
// Few queries, as one token's, have no more blocks than there are heads of
// keys, and threads cannot share those evenly. So their keys are cut into parts
// of a fixed number. Each part has a softmax of its own, and those of a block
// are put together in the end (flash-decoding: T. Dao, D. Haziza, F. Massa, G.
// Sizov, 2023). Nothing depends on the number of threads.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONPARTS_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONPARTS_H

#include "AttentionBlock.h"

namespace tern::onnx {

/// Keys of a part, where there are so many: enough that what a part leaves to
/// be put together is little, and few enough that the scores of one token stay
/// in the nearest cache, and those of all queries that have parts, 32 rows or
/// some more, in a core's own.
constexpr int64_t kKeysInPart = 512;

/// The block of all queries of head `head`, which counts the heads of keys of
/// all batches.
using HeadBlockFn = llvm::function_ref<QueryBlock(mlir::Value head)>;

/// Computes an attention to `dest`, an output in the query's layout, and
/// returns that. `type` is what it is computed in.
mlir::Value emitParts(mlir::ImplicitLocOpBuilder &b,
                      const AttentionProblem &problem,
                      const AttentionSizes &sizes,
                      const std::optional<AttentionMask> &mask, mlir::Type type,
                      HeadBlockFn emitBlock, mlir::Value dest);

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONPARTS_H
