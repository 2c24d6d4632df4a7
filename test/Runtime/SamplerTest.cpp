//===- SamplerTest.cpp - truth: arithmetic by hand ------------------------===//

#include "tern/Runtime/Sampler.h"

#include "tern/Runtime/Error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

using namespace tern::runtime;

namespace {

SamplingOptions sampling(double temperature) {
  SamplingOptions options;
  options.temperature = temperature;
  return options;
}

/// How often each id comes in `draws` draws.
std::vector<int> countDraws(const SamplingOptions &options,
                            const std::vector<float> &logits, int draws) {
  Sampler sampler(options, static_cast<int64_t>(logits.size()));
  std::vector<int> counts(logits.size());
  for (int i = 0; i < draws; ++i)
    ++counts[static_cast<size_t>(sampler.sample(logits))];
  return counts;
}

std::set<int64_t> findDrawn(const SamplingOptions &options,
                            const std::vector<float> &logits) {
  std::set<int64_t> ids;
  std::vector<int> counts = countDraws(options, logits, 2000);
  for (size_t id = 0; id < counts.size(); ++id)
    if (counts[id])
      ids.insert(static_cast<int64_t>(id));
  return ids;
}

} // namespace

TEST(RandomGenerator, IsXoshiro256StarStarSeededBySplitMix64) {
  // Computed by a transcription of the authors' C code into Python.
  RandomGenerator random(42);
  EXPECT_EQ(random.next(), 0x15780b2e0c2ec716u);
  EXPECT_EQ(random.next(), 0x6104d9866d113a7eu);
  EXPECT_EQ(random.next(), 0xae17533239e499a1u);
  EXPECT_EQ(RandomGenerator(42).nextUnit(), 0.08386297105988216);
}

TEST(Sampler, GreedyTakesTheLowestOfEqualLogits) {
  Sampler sampler(sampling(0), 4);
  EXPECT_EQ(sampler.sample({1, 3, 3, 2}), 1);
  EXPECT_EQ(sampler.sample({-INFINITY, -INFINITY, -5, -INFINITY}), 2);
}

TEST(Sampler, FollowsTheSoftmaxAtATemperature) {
  // At temperature 2, logits 2 ln p have probabilities p.
  std::vector<double> p = {0.1, 0.2, 0.3, 0.4};
  std::vector<float> logits;
  for (double probability : p)
    logits.push_back(static_cast<float>(2 * std::log(probability) + 5));
  constexpr int kDraws = 20000;
  std::vector<int> counts = countDraws(sampling(2), logits, kDraws);
  for (size_t id = 0; id < p.size(); ++id) {
    double sigma = std::sqrt(kDraws * p[id] * (1 - p[id]));
    EXPECT_NEAR(counts[id], kDraws * p[id], 4 * sigma) << id;
  }
}

TEST(Sampler, TopKKeepsTheLargestAndOfEqualsTheLowest) {
  SamplingOptions options = sampling(1);
  options.topK = 2;
  EXPECT_EQ(findDrawn(options, {1, 0, 1, 1}), (std::set<int64_t>{0, 2}));
  options.topK = 1;
  EXPECT_EQ(findDrawn(options, {1, 2, 2, 1}), (std::set<int64_t>{1}));
  options.topK = 9;
  EXPECT_EQ(findDrawn(options, {1, 1, 1}), (std::set<int64_t>{0, 1, 2}));
}

TEST(Sampler, TopPKeepsTheSmallestSetThatReachesP) {
  // Probabilities 1/8, 1/2, 1/4, 1/8: exact sums.
  std::vector<float> logits;
  for (double p : {0.125, 0.5, 0.25, 0.125})
    logits.push_back(static_cast<float>(std::log(p)));
  SamplingOptions options = sampling(1);
  options.topP = 0.49;
  EXPECT_EQ(findDrawn(options, logits), (std::set<int64_t>{1}));
  options.topP = 0.51;
  EXPECT_EQ(findDrawn(options, logits), (std::set<int64_t>{1, 2}));
  options.topP = 0.76;
  EXPECT_EQ(findDrawn(options, logits), (std::set<int64_t>{0, 1, 2}));
  options.topP = 0.9;
  EXPECT_EQ(findDrawn(options, logits), (std::set<int64_t>{0, 1, 2, 3}));
}

TEST(Sampler, TopPCountsAmongTheTopK) {
  // Of 0.4, 0.3, 0.2, 0.1 the best two have 4/7 and 3/7.
  std::vector<float> logits;
  for (double p : {0.4, 0.3, 0.2, 0.1})
    logits.push_back(static_cast<float>(std::log(p)));
  SamplingOptions options = sampling(1);
  options.topK = 2;
  options.topP = 0.55;
  EXPECT_EQ(findDrawn(options, logits), (std::set<int64_t>{0}));
}

TEST(Sampler, PenaltyDividesPositiveAndMultipliesNegativeLogits) {
  SamplingOptions options;
  options.repetitionPenalty = 2;
  Sampler sampler(options, 3);
  sampler.accept(0);
  EXPECT_EQ(sampler.sample({4, 2.5, 0}), 1) << "4 / 2 < 2.5";
  EXPECT_EQ(sampler.sample({4, 1.5, 0}), 0) << "4 / 2 > 1.5";
  EXPECT_EQ(sampler.sample({-4, -7, -9}), 1) << "-4 * 2 < -7";
  EXPECT_EQ(sampler.sample({-3, -7, -9}), 0) << "-3 * 2 > -7";
}

TEST(Sampler, SaysHowManyLogitsItLooksAt) {
  auto count = [](double temperature, int64_t topK, double topP, double penalty,
                  std::vector<int64_t> sequence) {
    SamplingOptions options = sampling(temperature);
    options.topK = topK;
    options.topP = topP;
    options.repetitionPenalty = penalty;
    Sampler sampler(options, 10);
    for (int64_t token : sequence)
      sampler.accept(token);
    return sampler.numBest();
  };
  EXPECT_EQ(count(0, 0, 1, 1, {1, 2}), 1);
  EXPECT_EQ(count(0, 5, 0.5, 1, {}), 1);
  EXPECT_EQ(count(1, 5, 0.5, 1, {1, 2}), 5);
  EXPECT_EQ(count(1, 1, 1, 1, {}), 1);
  EXPECT_EQ(count(1, 0, 0.5, 1, {}), 0) << "any may be in the nucleus";
  EXPECT_EQ(count(1, 5, 1, 2, {}), 5);
  EXPECT_EQ(count(1, 5, 1, 2, {1, 2, 1, 9}), 8) << "three may fall behind";
  EXPECT_EQ(count(0, 0, 1, 2, {1, 2, 1, 9}), 4);
  EXPECT_EQ(count(1, INT64_MAX, 1, 2, {1}), 11) << "no more than there are";
  EXPECT_EQ(count(1, 5, 1, 0.5, {1}), 0) << "any may rise";
  EXPECT_EQ(count(0, 0, 1, 2, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), 5)
      << "not all of a long sequence compete";
}

/// One that has accepted the first tokens of a vocabulary.
Sampler makeSampler(const SamplingOptions &options, int64_t vocab,
                    int64_t numInSequence) {
  Sampler sampler(options, vocab);
  for (int64_t token = 0; token < numInSequence; ++token)
    sampler.accept(token);
  return sampler;
}

// The first seven tokens have occurred, more than are asked for: of the five
// largest logits, it depends whether one is above what those that are left out
// can be.
TEST(Sampler, KnowsWhetherItHasSeenEnough) {
  SamplingOptions options;
  options.repetitionPenalty = 2;
  Sampler sampler = makeSampler(options, 100, /*numInSequence=*/7);
  int64_t numBest = sampler.numBest();
  ASSERT_EQ(numBest, 5);
  ASSERT_EQ(sampler.numBestAtMost(), 8);
  auto isDecided = [&](std::vector<float> given) {
    given.resize(100, -INFINITY);
    return sampler.inspect(given, numBest);
  };
  // All five are halved, below the least of them, 4.
  EXPECT_FALSE(isDecided({7.5, 7, 6, 5, 4}));
  EXPECT_TRUE(isDecided({8, 7, 6, 5, 4}))
      << "8 / 2 reaches any that is missing";
  EXPECT_TRUE(isDecided({7.5, 7, 6, 5, -INFINITY, -INFINITY, -INFINITY, 4}))
      << "the last did not occur";
  EXPECT_TRUE(isDecided({-1, -2, -3, -4, -5})) << "-1 * 2 is above -5";
  EXPECT_TRUE(isDecided({1, 2, 3})) << "there are no more";
  EXPECT_TRUE(sampler.inspect(std::vector<float>(100, 1), 8));
  std::vector<float> all = {7.5, 7, 6, 5, 4};
  all.resize(100, 3);
  EXPECT_TRUE(sampler.inspect(all, numBest)) << "none is missing";
}

// Half as many more than the 48 of top-k at first, one fewer each time that
// none falls behind, two at least for each that did; never fewer than an
// eighth.
TEST(Sampler, AsksForAsManyAsFallBehind) {
  SamplingOptions options = sampling(1);
  options.topK = 48;
  options.repetitionPenalty = 2;
  Sampler sampler = makeSampler(options, 200, /*numInSequence=*/100);
  // The largest logits are those of `numOld` tokens of the sequence, which are
  // halved to less than all others, and of new ones.
  auto feed = [&](int64_t numOld) {
    std::vector<float> logits(200, -INFINITY);
    for (int64_t i = 0; i < sampler.numBest(); ++i)
      logits[static_cast<size_t>(i < numOld ? i : 100 + i)] =
          100.0f - 0.5f * static_cast<float>(i);
    return sampler.inspect(logits, sampler.numBest());
  };
  for (int64_t expected = 24; expected > 6; --expected) {
    EXPECT_EQ(sampler.numBest(), 48 + expected);
    EXPECT_TRUE(feed(0));
  }
  EXPECT_EQ(sampler.numBest(), 48 + 6);
  EXPECT_TRUE(feed(0));
  EXPECT_EQ(sampler.numBest(), 48 + 6);
  EXPECT_TRUE(feed(4));
  EXPECT_EQ(sampler.numBest(), 48 + 8);
  EXPECT_TRUE(feed(3)) << "fewer than half of what was expected";
  EXPECT_EQ(sampler.numBest(), 48 + 7);
  EXPECT_FALSE(feed(10)) << "45 are left";
  EXPECT_EQ(sampler.numBest(), 48 + 20);
  EXPECT_TRUE(feed(10));
  EXPECT_EQ(sampler.numBest(), 48 + 20);
}

// Few are chosen: four more.
TEST(Sampler, AsksForFourMoreAtLeast) {
  SamplingOptions options;
  options.repetitionPenalty = 2;
  Sampler sampler = makeSampler(options, 100, /*numInSequence=*/50);
  std::vector<float> logits(100, -INFINITY);
  for (size_t i = 0; i < 5; ++i)
    logits[90 + i] = static_cast<float>(i);
  EXPECT_TRUE(sampler.inspect(logits, sampler.numBest()));
  EXPECT_EQ(sampler.numBest(), 5);
}

TEST(Sampler, RepeatsWithTheSeed) {
  std::vector<float> logits(100, 0.0f);
  SamplingOptions options = sampling(1);
  options.seed = 7;
  auto first = countDraws(options, logits, 50);
  EXPECT_EQ(first, countDraws(options, logits, 50));
  options.seed = 8;
  EXPECT_NE(first, countDraws(options, logits, 50));
}

TEST(Sampler, RefusesLogitsThatAreNoNumbers) {
  for (double temperature : {0.0, 1.0}) {
    Sampler sampler(sampling(temperature), 2);
    EXPECT_THROW(sampler.sample({0, NAN}), InputError);
    EXPECT_THROW(sampler.sample({NAN, 0}), InputError);
    EXPECT_THROW(sampler.sample({INFINITY, 0}), InputError);
    EXPECT_THROW(sampler.sample({-INFINITY, -INFINITY}), InputError);
  }
}

TEST(Sampler, NeverDrawsAnImpossibleToken) {
  EXPECT_EQ(findDrawn(sampling(1), {0, -INFINITY, 0, -INFINITY}),
            (std::set<int64_t>{0, 2}));
  // So cold that all weights but one are 0.
  EXPECT_EQ(findDrawn(sampling(1e-300), {0, 1, 0.5}), (std::set<int64_t>{1}));
}

TEST(Sampler, ChecksItsOptions) {
  auto check = [](auto change) {
    SamplingOptions options = sampling(1);
    change(options);
    checkSamplingOptions(options);
  };
  auto refuse = [&](auto change) { EXPECT_THROW(check(change), InputError); };
  refuse([](auto &o) { o.temperature = -0.1; });
  refuse([](auto &o) { o.temperature = NAN; });
  refuse([](auto &o) { o.temperature = INFINITY; });
  refuse([](auto &o) { o.topK = -1; });
  refuse([](auto &o) { o.topP = 0; });
  refuse([](auto &o) { o.topP = 1.01; });
  refuse([](auto &o) { o.repetitionPenalty = 0; });
  refuse([](auto &o) { o.repetitionPenalty = NAN; });
  check([](auto &o) { o.topP = 1e-9; });
  check([](auto &o) { o.temperature = 0; });
}
