//===- Sampler.h - chooses the next token -----------------------*- C++ -*-===//
#ifndef TERN_RUNTIME_SAMPLER_H
#define TERN_RUNTIME_SAMPLER_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tern::runtime {

/// xoshiro256** (Blackman and Vigna 2018, arXiv:1805.01407), its state filled
/// by SplitMix64 (Steele et al. 2014, doi:10.1145/2714064.2660195) from the
/// seed: the same numbers on every machine, unlike <random>'s distributions.
class RandomGenerator {
public:
  explicit RandomGenerator(uint64_t seed);

  uint64_t next();
  /// Uniform over the multiples of 2^-53 in [0, 1).
  double nextUnit();

private:
  uint64_t state[4];
};

/// How to choose. The filters apply in the order in which they stand here.
struct SamplingOptions {
  /// CTRL's penalty (Keskar et al. 2019, arXiv:1909.05858, section 4.1) for
  /// tokens that the sequence holds: divides their positive logits and
  /// multiplies their negative ones. Above 0; 1 is off.
  double repetitionPenalty = 1;
  /// Divides the logits. At least 0; 0 takes the largest logit.
  double temperature = 0;
  /// Keeps the k largest logits. 0 is off.
  int64_t topK = 0;
  /// Keeps the smallest set of most probable tokens whose probabilities sum to
  /// at least p (Holtzman et al. 2020, arXiv:1904.09751, section 3.1). In
  /// (0, 1]; 1 is off.
  double topP = 1;
  uint64_t seed = 0;
};

/// \throws InputError that names the first option outside its range.
void checkSamplingOptions(const SamplingOptions &options);

/// Chooses the tokens of one sequence.
class Sampler {
public:
  /// \throws InputError if an option is outside its range.
  Sampler(const SamplingOptions &options, int64_t vocab);

  /// Tells the sampler that `token` is part of the sequence; the penalty
  /// applies to it from now on. Requires 0 <= token < vocab.
  void accept(int64_t token);

  /// How many of the largest logits the next choice depends on, in all
  /// likelihood: others may be -inf. 0: on all.
  int64_t numBest() const;
  /// How many it can depend on, if every token of the sequence is among the
  /// largest and falls behind.
  int64_t numBestAtMost() const;
  /// Returns whether the choice from `logits`, of which those below the
  /// `numBest`-th largest may be -inf, is that from all of them. Learns from
  /// them how many numBest() is to allow for: twice as many as penalties took
  /// places from, and no fewer than one less than before, or than an eighth.
  bool inspect(const std::vector<float> &logits, int64_t numBest);

  /// Returns the id of the next token. Ties go to the lowest id.
  /// \param logits  shape (vocab); natural-log units, unnormalised. May hold
  ///                -inf for tokens that must not come.
  /// \throws InputError if `logits` holds a NaN or +inf, or only -inf.
  int64_t sample(std::vector<float> logits);

private:
  struct Candidate {
    float logit;
    int32_t id;
    double weight; ///< proportional to the probability
  };

  /// Logits that a choice without penalties depends on; 0: all.
  int64_t numChosen() const;
  /// Of the largest logits, as many may at least fall behind.
  int64_t leastExpected() const;
  float penalise(float logit, std::size_t id) const;
  void applyPenalty(std::vector<float> &logits) const;
  void computeWeights(std::vector<Candidate> &candidates) const;
  void keepTopK(std::vector<Candidate> &candidates) const;
  void keepTopP(std::vector<Candidate> &candidates) const;
  int64_t draw(const std::vector<Candidate> &candidates);

  SamplingOptions options;
  RandomGenerator random;
  std::vector<bool> isInSequence; // by id
  int64_t numInSequence = 0;      // different tokens
  int64_t expectedPenalised;      // of the largest logits, in all likelihood
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_SAMPLER_H
