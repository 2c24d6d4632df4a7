//===- Perplexity.h - how well a model predicts a text ----------*- C++ -*-===//
#ifndef TERN_RUNTIME_PERPLEXITY_H
#define TERN_RUNTIME_PERPLEXITY_H

#include "tern/Runtime/DecodingState.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace tern::runtime {

struct PerplexityResult {
  int64_t predictions = 0;
  double loss = 0;       ///< mean of -ln p(token), in nats
  double perplexity = 0; ///< exp(loss)
};

/// Predicts every token of `tokens` but the first. Window k reads the tokens
/// from k * window on, at most `window` of them, in a fresh sequence, and
/// predicts the token after each.
/// \param window    in [1, context].
/// \param progress  called with the predictions so far and in all.
/// \throws InputError if there are fewer than two tokens, the window is out of
/// range, or the model's logits hold a NaN.
PerplexityResult
measurePerplexity(DecodingState &state, const std::vector<int64_t> &tokens,
                  int64_t window,
                  const std::function<void(int64_t, int64_t)> &progress);

/// Returns -ln softmax(logits)[token], summed in double.
/// \param logits  shape (vocab).
double computeLoss(const float *logits, int64_t vocab, int64_t token);

} // namespace tern::runtime

#endif // TERN_RUNTIME_PERPLEXITY_H
