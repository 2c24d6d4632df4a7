//===- Heads.h - tensors of attention heads ---------------------*- C++ -*-===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_HEADS_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_HEADS_H

#include "Movement.h"

namespace tern::onnx {

/// How the heads of an operand are laid out.
enum class HeadLayout {
  HeadsFirst, ///< [batch, heads, sequence, size]
  HeadsLast,  ///< [batch, sequence, heads, size]
};

/// A tensor of rank 4 with its heads, as one of the layouts.
struct Heads {
  mlir::Value tensor;
  HeadLayout layout = HeadLayout::HeadsFirst;

  int64_t headDim() const { return layout == HeadLayout::HeadsFirst ? 1 : 2; }
  int64_t sequenceDim() const { return 3 - headDim(); }
  mlir::Type elementType() const;
};

/// Splits [batch, sequence, heads * size] into heads; failure, with an error,
/// where that is not the tensor's form.
mlir::FailureOr<Heads> splitHeads(LoweringContext &ctx, mlir::Value tensor,
                                  int64_t heads);
/// Joins heads to [batch, sequence, heads * size]; needs HeadsLast.
mlir::FailureOr<mlir::Value> joinHeads(LoweringContext &ctx,
                                       const Heads &heads);
/// The tensor of `heads` as [batch, heads, sequence, size].
mlir::Value headsFirst(LoweringContext &ctx, const Heads &heads);

/// Puts input `past`, [batch, heads, sequence, size], before `heads`, which
/// then has its heads first; leaves them where that input is omitted. Failure,
/// with an error, where it does not fit.
mlir::LogicalResult prependPast(LoweringContext &ctx, unsigned past,
                                Heads &heads);

/// Where a rotary embedding finds its angles.
struct RotaryAngles {
  /// [rows, dim / 2] where there are positions, else [batch, sequence, dim /
  /// 2].
  mlir::Value cos, sin;
  /// Integers [batch, sequence]: the row for each token; null for none.
  mlir::Value positions;
  /// Pairs are neighbours instead of halves.
  bool isInterleaved = false;
};

/// Rotates the leading elements of each head, twice as many as there are
/// angles, by the token's angles.
mlir::FailureOr<Heads> rotate(LoweringContext &ctx, const Heads &heads,
                              const RotaryAngles &angles);

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_HEADS_H
