//===- AttentionCore.h - what attention operators share ---------*- C++ -*-===//
//
// Attention runs in blocks of queries, each against one tile of keys after the
// other, so that no memory grows with the product of their numbers; or few
// queries, against parts of the keys. The query
// heads that share a head of keys and values, a group, are of one block: keys
// and values are read where they are, and never repeated.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONCORE_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONCORE_H

#include "Heads.h"

namespace tern::onnx {

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
  /// [batch, heads, query, key], and hides the keys that it is too short for;
  /// null for none.
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
  /// The last query stands at the last of `keyCounts` keys, whatever the
  /// offsets say.
  bool endsAtLastKey = false;
  /// A further score for each query of a head, [heads] (float), that weighs
  /// nothing: it only takes a share of the softmax. Null for none.
  mlir::Value sinks = nullptr;
  /// What keys and values of i8 are multiplied by: f32 [batch, kv heads, keys];
  /// null for none.
  mlir::Value keyScales = nullptr, valueScales = nullptr;
};

struct AttentionOutputs {
  /// In the query's layout, with the query's element type.
  Heads output;
  /// [batch, heads, query, key]; null unless asked for.
  mlir::Value scores;
};

/// Emits the attention; failure, with an error, where shapes do not fit. Only
/// `shown` scores take memory for every query and key.
mlir::FailureOr<AttentionOutputs>
emitAttention(LoweringContext &ctx, const AttentionProblem &problem,
              std::optional<ScoreStage> shown = std::nullopt);

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONCORE_H
