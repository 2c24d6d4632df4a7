//===- AttentionCore.h - what attention operators share ---------*- C++ -*-===//
//
// Attention over [batch, kv head, group, query, key]: a group is the query
// heads that share a head of keys and values, which are never repeated.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONCORE_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONCORE_H

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
};

/// The stages of the scores that an operator can show.
enum class ScoreStage { Scaled, Capped, Masked, Probabilities };

/// One attention: softmax(mask(cap(scale * q . k))) . v, in f32 unless the
/// operands are f64. A row whose keys are all masked gives zeros.
struct AttentionProblem {
  Heads query, key, value;
  double scale = 1;
  /// Scores become softcap * tanh(score / softcap); 0 leaves them.
  double softcap = 0;
  /// Added to the scores (float), or which keys are read (i1): broadcasts to
  /// [batch, heads, query, key]; null for none.
  mlir::Value mask = nullptr;
  /// Query `s` stands at position `s + offset` among the keys. One offset for
  /// all, or an integer tensor [batch] of them.
  mlir::OpFoldResult offset = {};
  mlir::Value batchOffsets = nullptr;
  /// Keys behind the query's position are not read.
  bool isCausal = false;
  /// Keys more than so many positions before (behind) the query's are not
  /// read; -1 for no limit.
  int64_t leftWindow = -1, rightWindow = -1;
  /// How many keys each batch has: an integer tensor [batch]; null for all.
  mlir::Value keyCounts = nullptr;
};

struct AttentionOutputs {
  /// In the query's layout, with the query's element type.
  Heads output;
  /// [batch, heads, query, key]; null unless asked for.
  mlir::Value scores;
};

/// Emits the attention; failure, with an error, where shapes do not fit.
mlir::FailureOr<AttentionOutputs>
emitAttention(LoweringContext &ctx, const AttentionProblem &problem,
              std::optional<ScoreStage> shown = std::nullopt);

/// Splits [batch, sequence, heads * size] into heads.
mlir::FailureOr<Heads> splitHeads(LoweringContext &ctx, mlir::Value tensor,
                                  int64_t heads);
/// Joins heads to [batch, sequence, heads * size]; needs HeadsLast.
mlir::FailureOr<mlir::Value> joinHeads(LoweringContext &ctx,
                                       const Heads &heads);
/// The tensor of `heads` as [batch, heads, sequence, size].
mlir::Value headsFirst(LoweringContext &ctx, const Heads &heads);

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

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONCORE_H
