//===- DecodingState.h - a sequence that a language model reads -*- C++ -*-===//
#ifndef TERN_RUNTIME_DECODINGSTATE_H
#define TERN_RUNTIME_DECODINGSTATE_H

#include "tern/Runtime/Session.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace tern::runtime {

/// Tokens that a language model has read so far, with their keys and values:
/// the one interface to the three kinds of cache.
class DecodingState {
public:
  /// Most tokens that one call of the model reads: bounds its temporaries.
  static constexpr int64_t kMaxChunk = 256;
  /// Asks for all logits, however small.
  static constexpr int64_t kAllLogits = 0;

  /// An empty sequence. `session` outlives it.
  /// \throws InputError if the model is no language model, or has an input
  /// without a role.
  static std::unique_ptr<DecodingState> create(Session &session);

  virtual ~DecodingState() = default;
  DecodingState(const DecodingState &) = delete;
  DecodingState &operator=(const DecodingState &) = delete;

  /// Number of tokens read.
  int64_t size() const { return length; }
  /// Most tokens a sequence may have.
  int64_t context() const { return model.context; }
  /// Ids the model knows: [0, vocab).
  int64_t vocab() const { return model.vocab; }

  /// Reads `tokens`, in chunks, and returns the logits of the last `numLogits`
  /// of them: `[numLogits, vocab]`, row-major. With a positive `numBest`, those
  /// below a row's numBest-th largest may be -inf, which models that can take
  /// less time for. The state is unchanged if it throws while checking,
  /// undefined (reset it) if the model fails.
  /// \throws InputError if `tokens` is empty, numLogits is not in
  /// [0, tokens.size()], the sequence would exceed the context, or an id is
  /// outside the vocabulary.
  std::vector<float> feed(const std::vector<int64_t> &tokens,
                          int64_t numLogits = 1, int64_t numBest = kAllLogits);

  /// Whether `feed` with a positive numBest may leave out logits.
  virtual bool leavesOutLogits() const { return false; }

  /// Returns the logits of the last token read once more, or, of those, at
  /// least the `numBest` best. Requires leavesOutLogits() and size() > 0.
  std::vector<float> recall(int64_t numBest);

  /// Starts an empty sequence.
  void reset();

protected:
  explicit DecodingState(Session &session);

  /// Reads tokens[0, count) at positions size() …, and writes the logits of the
  /// last `numLogits` of them, all or at least the `numBest` best.
  virtual void feedChunk(const int64_t *tokens, int64_t count,
                         int64_t numLogits, int64_t numBest, float *logits) = 0;
  virtual void clearCaches() = 0;

  Session &session;
  const TernLanguageModel &model;

private:
  void checkTokens(const std::vector<int64_t> &tokens, int64_t numLogits) const;

  int64_t length = 0;
  int64_t lastToken = 0; ///< of the sequence, if it has one
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_DECODINGSTATE_H
