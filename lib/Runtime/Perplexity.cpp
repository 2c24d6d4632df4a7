//===- Perplexity.cpp - how well a model predicts a text ------------------===//

#include "tern/Runtime/Perplexity.h"

#include "tern/Runtime/Error.h"

#include <algorithm>
#include <cmath>
#include <string>

using namespace tern::runtime;

/// Bytes of logits held at once: a large vocabulary gets shorter chunks.
static constexpr int64_t kMaxLogitsBytes = int64_t(64) << 20;

double tern::runtime::computeLoss(const float *logits, int64_t vocab,
                                  int64_t token) {
  double largest = *std::max_element(logits, logits + vocab);
  double sum = 0;
  for (int64_t i = 0; i < vocab; ++i)
    sum += std::exp(logits[i] - largest);
  return largest + std::log(sum) - logits[token];
}

PerplexityResult tern::runtime::measurePerplexity(
    DecodingState &state, const std::vector<int64_t> &tokens, int64_t window,
    const std::function<void(int64_t, int64_t)> &progress) {
  if (window < 1 || window > state.context())
    throw InputError("the window is " + std::to_string(window) +
                     " tokens; expected 1 to the model's context of " +
                     std::to_string(state.context()));
  int64_t total = static_cast<int64_t>(tokens.size()) - 1;
  if (total < 1)
    throw InputError("the text has " + std::to_string(tokens.size()) +
                     " tokens; expected at least 2, one to read and one to "
                     "predict");
  int64_t vocab = state.vocab();
  int64_t maxChunk = std::clamp<int64_t>(
      kMaxLogitsBytes / (vocab * static_cast<int64_t>(sizeof(float))), 1,
      DecodingState::kMaxChunk);
  double sum = 0;
  for (int64_t begin = 0; begin < total;) {
    if (begin % window == 0)
      state.reset();
    int64_t count =
        std::min({window - begin % window, total - begin, maxChunk});
    std::vector<int64_t> chunk(tokens.begin() + begin,
                               tokens.begin() + begin + count);
    std::vector<float> logits = state.feed(chunk, count);
    for (int64_t i = 0; i < count; ++i) {
      // Not checked before it is used as an index otherwise: the last token is
      // never fed.
      int64_t next = tokens[static_cast<size_t>(begin + i + 1)];
      if (next < 0 || next >= vocab)
        throw InputError("token id " + std::to_string(next) +
                         " is outside the model's vocabulary of " +
                         std::to_string(vocab));
      sum += computeLoss(&logits[static_cast<size_t>(i * vocab)], vocab, next);
    }
    if (std::isnan(sum))
      throw InputError("the model's logits hold a NaN");
    begin += count;
    progress(begin, total);
  }
  double loss = sum / static_cast<double>(total);
  return {total, loss, std::exp(loss)};
}
