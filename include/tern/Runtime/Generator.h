//===- Generator.h - continues a text ---------------------------*- C++ -*-===//
#ifndef TERN_RUNTIME_GENERATOR_H
#define TERN_RUNTIME_GENERATOR_H

#include "tern/Runtime/DecodingState.h"
#include "tern/Runtime/Sampler.h"
#include "tern/Runtime/Tokenizer.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tern::runtime {

struct GenerationOptions {
  int64_t maxTokens = 128; ///< at least 0
  SamplingOptions sampling;
};

/// What a generation did, and how long it took.
struct GenerationResult {
  std::vector<int64_t> promptTokens;
  std::vector<int64_t> tokens; ///< generated, without the end token
  std::string text;            ///< of `tokens`
  const char *stopReason = ""; ///< "end token", "length", "context", "stopped"
  double promptSeconds = 0;    ///< until the first logits
  double decodeSeconds = 0;    ///< from the first logits on
  int64_t decodedTokens = 0;   ///< tokens that the model read in this time

  /// Tokens per second; 0 if no time was measured.
  double promptSpeed() const;
  double decodeSpeed() const;
};

/// Continues prompts with one language model and its tokenizer.
class Generator {
public:
  /// Receives each piece of the continuation: valid UTF-8, perhaps empty (a
  /// token may end inside a character). Returns false to stop.
  using Emit = std::function<bool(std::string_view)>;

  /// `endTokens`: any of these ends a text. The references outlive this.
  Generator(DecodingState &state, const Tokenizer &tokenizer,
            std::vector<int64_t> endTokens);

  /// The tokens of `prompt`, in which invalid UTF-8 counts as U+FFFD.
  /// \throws InputError if there are none, or more than the context.
  std::vector<int64_t> encodePrompt(std::string_view prompt) const;

  /// Continues what encodePrompt returned in a fresh sequence, until an end
  /// token, maxTokens, the end of the context, or `emit` stops it. The
  /// tokenizer only decodes.
  /// \throws InputError if an option is out of range.
  GenerationResult generate(std::vector<int64_t> promptTokens,
                            const GenerationOptions &options, const Emit &emit);

  /// Both.
  GenerationResult generate(std::string_view prompt,
                            const GenerationOptions &options, const Emit &emit);

private:
  bool isEnd(int64_t token) const;
  /// Reads `tokens`; returns the logits of the last that `sampler` needs.
  std::vector<float> feed(const std::vector<int64_t> &tokens, Sampler &sampler);

  DecodingState &state;
  const Tokenizer &tokenizer;
  std::vector<int64_t> endTokens;
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_GENERATOR_H
