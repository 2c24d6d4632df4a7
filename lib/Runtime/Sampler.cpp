//===- Sampler.cpp - chooses the next token -------------------------------===//

#include "tern/Runtime/Sampler.h"

#include "tern/Runtime/Error.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <string>

using namespace tern::runtime;

static uint64_t rotateLeft(uint64_t value, int bits) {
  return (value << bits) | (value >> (64 - bits));
}

RandomGenerator::RandomGenerator(uint64_t seed) {
  for (uint64_t &word : state) {
    seed += 0x9E3779B97F4A7C15;
    uint64_t mixed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    word = mixed ^ (mixed >> 31);
  }
}

uint64_t RandomGenerator::next() {
  uint64_t result = rotateLeft(state[1] * 5, 7) * 9;
  uint64_t shifted = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = rotateLeft(state[3], 45);
  return result;
}

double RandomGenerator::nextUnit() {
  return static_cast<double>(next() >> 11) * 0x1p-53;
}

void tern::runtime::checkSamplingOptions(const SamplingOptions &options) {
  auto fail = [](const char *name, double value, const char *expected) {
    throw InputError(std::string(name) + " is " + std::to_string(value) +
                     "; expected " + expected);
  };
  // Written so that a NaN fails.
  if (!(options.temperature >= 0) || std::isinf(options.temperature))
    fail("temperature", options.temperature, "a finite number of at least 0");
  if (options.topK < 0)
    fail("top-k", static_cast<double>(options.topK), "at least 0");
  if (!(options.topP > 0 && options.topP <= 1))
    fail("top-p", options.topP, "above 0 and at most 1");
  if (!(options.repetitionPenalty > 0) || std::isinf(options.repetitionPenalty))
    fail("repetition penalty", options.repetitionPenalty,
         "a finite number above 0");
}

Sampler::Sampler(const SamplingOptions &options, int64_t vocab)
    : options(options), random(options.seed),
      isInSequence(static_cast<size_t>(vocab)) {
  checkSamplingOptions(options);
  expectedPenalised = std::max(leastExpected(), numChosen() / 2);
}

void Sampler::accept(int64_t token) {
  std::vector<bool>::reference isIn = isInSequence[static_cast<size_t>(token)];
  numInSequence += !isIn;
  isIn = true;
}

int64_t Sampler::numChosen() const {
  // Any token may rise if penalties are rewards.
  if (options.repetitionPenalty < 1)
    return 0;
  bool isGreedy = options.temperature == 0 || options.topK == 1;
  // Top-k may be any number; more than there are tokens are all of them.
  int64_t vocab = static_cast<int64_t>(isInSequence.size());
  return isGreedy ? 1 : std::min(options.topK, vocab);
}

int64_t Sampler::numBestAtMost() const {
  int64_t chosen = numChosen();
  // Those in the sequence may fall behind as many others.
  bool isPenalised = options.repetitionPenalty > 1;
  return chosen == 0 ? 0 : chosen + (isPenalised ? numInSequence : 0);
}

int64_t Sampler::leastExpected() const {
  return std::max<int64_t>(4, numChosen() / 8);
}

// Few of a long sequence's tokens compete for the next places, and the more
// logits are asked for, the more of a model's head is read.
int64_t Sampler::numBest() const {
  return std::min(numBestAtMost(), numChosen() + expectedPenalised);
}

// Penalties only lower logits. So those that were left out are below the
// numBest-th largest with and without; if enough others are not, these win.
bool Sampler::inspect(const std::vector<float> &logits, int64_t numBest) {
  // Asking for all, or being given all, there are none that were left out. A
  // look first: a head without a screen gives all for every token.
  if (numBest >= numBestAtMost() ||
      std::find(logits.begin(), logits.end(), -INFINITY) == logits.end())
    return true;
  std::vector<float> given;
  std::copy_if(logits.begin(), logits.end(), std::back_inserter(given),
               [](float logit) { return logit > -INFINITY; });
  size_t wanted = static_cast<size_t>(numBest);
  // Then there are no others.
  if (given.size() < wanted)
    return true;
  std::nth_element(given.begin(), given.begin() + (wanted - 1), given.end(),
                   std::greater<float>());
  float least = given[wanted - 1];
  int64_t reach = 0;
  for (size_t id = 0; id < logits.size(); ++id)
    reach += penalise(logits[id], id) >= least;
  // To be wrong costs a token, to allow for one too many a thousandth of one.
  expectedPenalised =
      std::max({leastExpected(), 2 * (numBest - reach), expectedPenalised - 1});
  return reach >= numChosen();
}

float Sampler::penalise(float logit, size_t id) const {
  if (!isInSequence[id])
    return logit;
  float penalty = static_cast<float>(options.repetitionPenalty);
  return logit > 0 ? logit / penalty : logit * penalty;
}

void Sampler::applyPenalty(std::vector<float> &logits) const {
  if (options.repetitionPenalty == 1)
    return;
  for (size_t id = 0; id < logits.size(); ++id)
    logits[id] = penalise(logits[id], id);
}

/// Returns the id of the largest logit, the lowest id if several share it.
static size_t findBest(const std::vector<float> &logits) {
  size_t best = 0;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (std::isnan(logits[id]) || logits[id] == INFINITY)
      throw InputError("the model's logit of token " + std::to_string(id) +
                       " is " + std::to_string(logits[id]) +
                       "; expected a finite number");
    if (logits[id] > logits[best])
      best = id;
  }
  if (logits.empty() || logits[best] == -INFINITY)
    throw InputError("the model's logits leave no token to choose");
  return best;
}

int64_t Sampler::sample(std::vector<float> logits) {
  applyPenalty(logits);
  size_t best = findBest(logits);
  if (options.temperature == 0 || options.topK == 1)
    return static_cast<int64_t>(best);

  std::vector<Candidate> candidates;
  // A logit of -inf has no weight.
  for (size_t id = 0; id < logits.size(); ++id)
    if (logits[id] != -INFINITY)
      candidates.push_back({logits[id], static_cast<int32_t>(id), 0});
  keepTopK(candidates);
  computeWeights(candidates);
  keepTopP(candidates);
  return draw(candidates);
}

void Sampler::keepTopK(std::vector<Candidate> &candidates) const {
  size_t k = static_cast<size_t>(options.topK);
  if (k == 0 || k >= candidates.size())
    return;
  std::nth_element(candidates.begin(), candidates.begin() + k, candidates.end(),
                   [](const auto &a, const auto &b) {
                     return a.logit != b.logit ? a.logit > b.logit
                                               : a.id < b.id;
                   });
  candidates.resize(k);
  // nth_element's order is the library's own; the draw must not depend on it.
  std::sort(candidates.begin(), candidates.end(),
            [](const auto &a, const auto &b) { return a.id < b.id; });
}

void Sampler::computeWeights(std::vector<Candidate> &candidates) const {
  float largest = -INFINITY;
  for (const Candidate &candidate : candidates)
    largest = std::max(largest, candidate.logit);
  for (Candidate &candidate : candidates)
    candidate.weight = std::exp(
        (static_cast<double>(candidate.logit) - largest) / options.temperature);
}

void Sampler::keepTopP(std::vector<Candidate> &candidates) const {
  if (options.topP == 1)
    return;
  double total = 0;
  for (const Candidate &candidate : candidates)
    total += candidate.weight;
  // A heap: the nucleus is usually far smaller than the vocabulary.
  auto isLess = [](const Candidate &a, const Candidate &b) {
    return a.logit != b.logit ? a.logit < b.logit : a.id > b.id;
  };
  std::make_heap(candidates.begin(), candidates.end(), isLess);
  auto nucleus = candidates.end();
  for (double sum = 0;
       sum < options.topP * total && nucleus != candidates.begin();
       sum += nucleus->weight) {
    std::pop_heap(candidates.begin(), nucleus, isLess);
    --nucleus;
  }
  candidates.erase(candidates.begin(), nucleus);
}

int64_t Sampler::draw(const std::vector<Candidate> &candidates) {
  double total = 0;
  for (const Candidate &candidate : candidates)
    total += candidate.weight;
  double point = random.nextUnit() * total;
  const Candidate *chosen = nullptr;
  for (const Candidate &candidate : candidates) {
    if (candidate.weight == 0)
      continue;
    chosen = &candidate;
    point -= candidate.weight;
    if (point < 0)
      break;
  }
  // Rounding may leave `point` at 0: then the last candidate is it. The most
  // probable one has weight 1, so there is one.
  return chosen->id;
}
