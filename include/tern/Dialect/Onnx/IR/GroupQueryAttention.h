//===- GroupQueryAttention.h - onnxruntime's operator -----------*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_IR_GROUPQUERYATTENTION_H
#define TERN_DIALECT_ONNX_IR_GROUPQUERYATTENTION_H

#include "tern/Dialect/Onnx/IR/Onnx.h"

namespace tern::onnx {

/// The inputs of com.microsoft::GroupQueryAttention. Without keys, the first
/// has the three projections beside each other.
struct GroupQueryAttentionPort {
  enum Input : unsigned {
    Query, ///< [batch, sequence, heads * size]
    Key,
    Values,
    PastKey, ///< [batch, kv heads, positions, size]
    PastValue,
    SeqLens,     ///< the keys of each batch, less 1
    TotalLength, ///< of the longest batch
    CosCache,    ///< [positions, size / 2]
    SinCache,
    PositionIds, ///< [batch, sequence]
    AttentionBias,
    HeadSink, ///< [heads]
  };
};

/// The head size of a GroupQueryAttention, which the type of its queries tells;
/// nullopt where it does not.
std::optional<int64_t> getHeadSize(NodeOp node);

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_IR_GROUPQUERYATTENTION_H
