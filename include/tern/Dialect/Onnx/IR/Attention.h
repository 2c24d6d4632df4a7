//===- Attention.h - ONNX's operator ----------------------------*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_IR_ATTENTION_H
#define TERN_DIALECT_ONNX_IR_ATTENTION_H

namespace tern::onnx {

/// The inputs and outputs of ONNX's Attention (opset 24); the last three inputs
/// only nodes of ours have.
struct AttentionPort {
  enum Input : unsigned {
    Query, ///< [batch, heads, queries, size] or [batch, queries, heads * size]
    Key,   ///< of the same rank, with kv heads
    Value,
    Mask,    ///< broadcast to [batch, heads, queries, keys]
    PastKey, ///< [batch, kv heads, positions, size]
    PastValue,
    KeyCounts, ///< [batch], of keys that are not padding
    /// onnxruntime's, [heads]: a score for each head that joins the others but
    /// has no value.
    Sinks,
    /// Of keys that are codes in i8: floats [batch, kv heads, keys], by which
    /// they are multiplied.
    KeyScales,
    ValueScales ///< the same of values
  };
  enum Output : unsigned {
    Result,
    PresentKey, ///< past and key together
    PresentValue,
    Scores ///< [batch, heads, queries, keys]
  };
};

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_IR_ATTENTION_H
