//===- AttentionColumns.h - a block with queries side by side ---*- C++ -*-===//
//
// Vectors hold as many queries as they have lanes: a score's sum, and a
// softmax's maximum and sum over keys, are then vectors that nothing has to add
// up. For this the block's queries are transposed, once for all keys.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONCOLUMNS_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONCOLUMNS_H

#include "AttentionBlock.h"

namespace tern::onnx {

/// Queries that a block has at most. With the heads of a group they fill
/// vectors of 16, but for groups of more than 16 heads.
int64_t getQueriesInBlock(int64_t groups);

/// Whether blocks can be computed so: in f32, sizes being static, and no mask
/// but that of positions.
bool canBeColumns(const AttentionProblem &problem, const AttentionSizes &sizes,
                  mlir::Type type);

/// Computes `block` to `dest`, its part of an output in the query's layout, and
/// returns that. It takes as long for a few queries as for all a block may
/// have.
mlir::Value emitColumns(mlir::ImplicitLocOpBuilder &b,
                        const AttentionProblem &problem,
                        const AttentionSizes &sizes, const QueryBlock &block,
                        BlockEmitter &rows, mlir::Value dest);

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONCOLUMNS_H
