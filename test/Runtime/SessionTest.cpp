//===- SessionTest.cpp - choosing code, checking arrays, sequences --------===//

#include "FakeModel.h"

#include "tern/Runtime/CpuFeatures.h"
#include "tern/Runtime/DecodingState.h"
#include "tern/Runtime/Error.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

using namespace tern::runtime;
using namespace tern::test;

namespace {

/// The message of the InputError that `body` throws.
template <typename Body>
std::string messageOf(Body body) {
  try {
    body();
  } catch (const InputError &error) {
    return error.what();
  }
  return "no error";
}

struct AdderInputs {
  explicit AdderInputs(int64_t rows)
      : x(TERN_F32, {rows, 3}), y(TERN_BF16, {rows}) {}
  std::vector<TernTensor> raw() const { return {x.raw(), y.raw()}; }
  Tensor x, y;
};

/// Takes a buffer of the host's and never gives it back; its address is the
/// output. Fails on more than a row.
void runInBuffer(const TernHost *host, const TernTensor *inputs,
                 TernTensor *outputs) {
  constexpr int64_t kBytes = 1 << 20;
  void *buffer = host->allocate(host->self, kBytes);
  std::memset(buffer, 1, kBytes);
  if (inputs[0].dims[0] > 1)
    host->fail(host->self, "two rows are too many");
  outputs[0].dims[0] = 1;
  outputs[0].dims[1] = 3;
  outputs[0].data = std::calloc(3, sizeof(float));
  std::memcpy(outputs[0].data, &buffer, sizeof(buffer));
  outputs[1].dims[0] = 1;
  outputs[1].data = std::calloc(1, sizeof(uint16_t));
}

/// Trims, and gives back the last byte of a large buffer as it was before and
/// is afterwards.
void runTrimming(const TernHost *host, const TernTensor *,
                 TernTensor *outputs) {
  constexpr int64_t kBytes = 16 << 20;
  outputs[0].dims[0] = 1;
  outputs[0].dims[1] = 3;
  outputs[0].data = std::calloc(3, sizeof(float));
  outputs[1].dims[0] = 1;
  outputs[1].data = std::calloc(1, sizeof(uint16_t));
  for (int turn = 0; turn < 2; ++turn) {
    auto *buffer = static_cast<char *>(host->allocate(host->self, kBytes));
    if (turn == 0)
      std::memset(buffer, 1, kBytes);
    static_cast<float *>(outputs[0].data)[turn] = buffer[kBytes - 1];
    host->release(host->self, buffer, kBytes);
    host->trim(host->self);
  }
}

std::vector<int64_t> makeTokens(int64_t count) {
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < count; ++i)
    tokens.push_back((i * 31 + 7) % kVocab);
  return tokens;
}

} // namespace

TEST(CpuFeatures, TakesTheFirstVariantThatTheCpuRuns) {
  TernVariant variants[] = {
      {"best", TERN_FEATURE_AVX512 | TERN_FEATURE_AMX, nullptr, nullptr,
       nullptr},
      {"middle", TERN_FEATURE_AVX2, nullptr, nullptr, nullptr},
      {"last", 0, nullptr, nullptr, nullptr}};
  TernModel model = *findFakeModel("tensor");
  model.variants = variants;
  model.num_variants = 3;
  uint64_t all = TERN_FEATURE_AVX2 | TERN_FEATURE_AVX512 |
                 TERN_FEATURE_AVX512VNNI | TERN_FEATURE_AMX;
  auto name = [&](uint64_t features, const char *wanted) {
    return std::string(selectVariant(model, features, wanted).name);
  };
  EXPECT_EQ(name(all, ""), "best");
  EXPECT_EQ(name(all & ~uint64_t(TERN_FEATURE_AMX), ""), "middle");
  EXPECT_EQ(name(0, ""), "last");
  EXPECT_EQ(name(all, "last"), "last");
  EXPECT_EQ(messageOf([&] { name(TERN_FEATURE_AVX2, "best"); }),
            "cannot run variant 'best'; the model has best, middle, last (this "
            "CPU runs: middle, last)");
  EXPECT_EQ(messageOf([&] { name(0, "other"); }),
            "cannot run variant 'other'; the model has best, middle, last "
            "(this CPU runs: last)");
  model.num_variants = 2;
  EXPECT_EQ(messageOf([&] { name(0, ""); }),
            "this CPU runs none of the model's variants; the model has best, "
            "middle (this CPU runs: none)");
}

TEST(Session, RefusesAnotherAbi) {
  TernModel model = *findFakeModel("tensor");
  model.abi_version = TERN_ABI_VERSION + 1;
  EXPECT_EQ(messageOf([&] { Session session(model, 1); }),
            "the model has ABI version 9; this runtime expects 8");
}

// The team of threads is in order afterwards: the next loop runs to its end.
TEST(Session, SurvivesFailuresInALoop) {
  for (int numThreads : {1, 4}) {
    Session session(*findFakeModel("tensor"), numThreads);
    for (int turn = 0; turn < 200; ++turn) {
      EXPECT_EQ(messageOf([&] { session.run(AdderInputs(13).raw()); }),
                "thirteen rows are too many");
      std::vector<Tensor> outputs = session.run(AdderInputs(12).raw());
      for (int64_t i = 0; i < 36; ++i)
        ASSERT_EQ(outputs[0].data<float>()[i], 1.0f) << i;
    }
  }
}

// Also those of a call that failed are there for the next.
TEST(Session, BuffersAreTakenBackWhenACallEnds) {
  TernVariant variant = {"portable", 0, runInBuffer, nullptr, nullptr};
  TernModel model = *findFakeModel("tensor");
  model.variants = &variant;
  model.num_variants = 1;
  Session session(model, 2);
  auto findBuffer = [&] {
    uintptr_t address;
    std::vector<Tensor> outputs = session.run(AdderInputs(1).raw());
    std::memcpy(&address, outputs[0].data<float>(), sizeof(address));
    return address;
  };
  uintptr_t first = findBuffer();
  EXPECT_EQ(findBuffer(), first);
  EXPECT_EQ(messageOf([&] { session.run(AdderInputs(2).raw()); }),
            "two rows are too many");
  EXPECT_EQ(findBuffer(), first);
}

TEST(Session, GivesFreeBuffersBackWhenTheCallSaysSo) {
  TernVariant variant = {"portable", 0, runTrimming, nullptr, nullptr};
  TernModel model = *findFakeModel("tensor");
  model.variants = &variant;
  model.num_variants = 1;
  Session session(model, 1);
  std::vector<Tensor> outputs = session.run(AdderInputs(1).raw());
  EXPECT_EQ(outputs[0].data<float>()[0], 1.0f);
  EXPECT_EQ(outputs[0].data<float>()[1], 0.0f);
}

TEST(Session, RunsTheGraph) {
  Session session(*findFakeModel("tensor"), 2);
  for (int64_t rows : {0, 1, 5, 100}) {
    AdderInputs inputs(rows);
    for (int64_t i = 0; i < 3 * rows; ++i)
      inputs.x.data<float>()[i] = static_cast<float>(i);
    std::vector<Tensor> outputs = session.run(inputs.raw());
    ASSERT_EQ(outputs.size(), 2u);
    EXPECT_EQ(outputs[0].dims(), (std::vector<int64_t>{rows, 3}));
    for (int64_t i = 0; i < 3 * rows; ++i)
      EXPECT_EQ(outputs[0].data<float>()[i], static_cast<float>(i + 1));
  }
}

TEST(Session, NamesTheInputThatDoesNotFit) {
  Session session(*findFakeModel("tensor"), 1);
  AdderInputs two(2), three(3);
  auto run = [&](std::vector<TernTensor> inputs) {
    return messageOf([&] { session.run(inputs); });
  };
  EXPECT_EQ(run({two.x.raw()}), "the model takes 2 inputs, found 1");
  EXPECT_EQ(run({two.y.raw(), two.y.raw()}),
            "input 'x': expected float32[n,3], found bfloat16[2]");
  EXPECT_EQ(run({Tensor(TERN_F32, {2, 4}).raw(), two.y.raw()}),
            "input 'x': expected float32[n,3], found float32[2,4]");
  EXPECT_EQ(run({Tensor(TERN_F32, {2, 3, 1}).raw(), two.y.raw()}),
            "input 'x': expected float32[n,3], found float32[2,3,1]");
  EXPECT_EQ(run({two.x.raw(), three.y.raw()}),
            "input 'y': dimension 'n' is 3, but input 'x' made it 2");
  TernTensor wild = two.x.raw();
  wild.rank = 1000;
  EXPECT_EQ(run({wild, two.y.raw()}),
            "input 'x': expected float32[n,3], found an array of rank 1000");
}

TEST(Session, ReportsWhatTheModelRejectsAndGoesOn) {
  Session session(*findFakeModel("tensor"), 2);
  EXPECT_EQ(messageOf([&] { session.run(AdderInputs(7).raw()); }),
            "seven rows do not broadcast");
  EXPECT_EQ(session.run(AdderInputs(8).raw()).size(), 2u);
}

class DecodingStates : public testing::TestWithParam<const char *> {
protected:
  Session session{*findFakeModel(GetParam()), 2};
  std::unique_ptr<DecodingState> state = DecodingState::create(session);

  /// Feeds tokens[begin, end) and checks the last `numLogits` rows.
  void feed(const std::vector<int64_t> &tokens, int64_t begin, int64_t end,
            int64_t numLogits) {
    std::vector<float> logits =
        state->feed({tokens.begin() + begin, tokens.begin() + end}, numLogits);
    ASSERT_EQ(logits.size(), static_cast<size_t>(numLogits * kVocab));
    EXPECT_EQ(state->size(), end);
    for (int64_t row = 0; row < numLogits; ++row) {
      int64_t position = end - numLogits + row;
      int64_t best =
          predictNext({tokens.begin(), tokens.begin() + position + 1});
      for (int64_t token : {int64_t(0), best, kVocab - 1})
        ASSERT_EQ(logits[static_cast<size_t>(row * kVocab + token)],
                  computeLogit(best, token))
            << "position " << position << ", token " << token;
    }
  }
};

INSTANTIATE_TEST_SUITE_P(CacheKinds, DecodingStates,
                         testing::Values("in-place", "returned", "none"));

TEST_P(DecodingStates, ContinuesASequence) {
  std::vector<int64_t> tokens = makeTokens(40);
  feed(tokens, 0, 1, 1);
  feed(tokens, 1, 17, 1);
  feed(tokens, 17, 18, 1);
  feed(tokens, 18, 40, 22);
}

TEST_P(DecodingStates, SplitsALongPromptIntoChunks) {
  constexpr int64_t kChunk = DecodingState::kMaxChunk;
  std::vector<int64_t> tokens = makeTokens(kContext);
  feed(tokens, 0, kChunk + 1, 1);
  state->reset();
  feed(tokens, 0, kChunk, 1);
  state->reset();
  feed(tokens, 0, 2 * kChunk + 3, kChunk + 5); // rows from all three chunks
  state->reset();
  feed(tokens, 0, kContext, 0);
}

// A row takes as long as a token.
TEST(DecodingState, WantsNoRowsButTheLast) {
  constexpr int64_t kChunk = DecodingState::kMaxChunk;
  Session session(*findFakeModel("in-place"), 1);
  std::unique_ptr<DecodingState> state = DecodingState::create(session);
  takeWantedRows();
  state->feed(makeTokens(2 * kChunk + 3), 1);
  EXPECT_EQ(takeWantedRows(), (std::vector<int64_t>{0, 0, 1}));
  state->reset();
  state->feed(makeTokens(2 * kChunk + 3), 5);
  EXPECT_EQ(takeWantedRows(), (std::vector<int64_t>{0, 2, 3}));
  state->reset();
  state->feed(makeTokens(kChunk), 0);
  EXPECT_EQ(takeWantedRows(), (std::vector<int64_t>{0}));
}

TEST_P(DecodingStates, ResetForgets) {
  std::vector<int64_t> first = makeTokens(30), second = {1, 2, 3};
  feed(first, 0, 30, 1);
  state->reset();
  EXPECT_EQ(state->size(), 0);
  feed(second, 0, 2, 2);
  feed(second, 2, 3, 1);
}

TEST_P(DecodingStates, ChecksTokensBeforeItReadsAny) {
  auto feedAll = [&](std::vector<int64_t> tokens, int64_t numLogits) {
    return messageOf([&] { state->feed(tokens, numLogits); });
  };
  EXPECT_EQ(feedAll({}, 0), "there are no tokens to read");
  EXPECT_EQ(feedAll({1, 2}, 3), "cannot return 3 rows of logits for 2 tokens");
  EXPECT_EQ(feedAll({1, kVocab}, 1),
            "token id 259 is outside the model's vocabulary of 259");
  EXPECT_EQ(feedAll({-1}, 1),
            "token id -1 is outside the model's vocabulary of 259");
  EXPECT_EQ(feedAll(makeTokens(kContext + 1), 1),
            "a sequence of 1101 tokens exceeds the model's context of 1100");
  EXPECT_EQ(state->size(), 0);
}

TEST(DecodingState, RefusesOtherGraphs) {
  Session session(*findFakeModel("tensor"), 1);
  EXPECT_EQ(messageOf([&] { DecodingState::create(session); }),
            "'adder' is not a language model; run it with --inputs and "
            "--outputs");
}

TEST(DecodingState, RefusesAnInputWithoutARole) {
  TernLanguageModel language = *findFakeModel("returned")->language_model;
  language.position_ids = -1;
  TernModel model = *findFakeModel("returned");
  model.language_model = &language;
  Session session(model, 1);
  EXPECT_EQ(messageOf([&] { DecodingState::create(session); }),
            "input 'position_ids' has no role in generating text; run the "
            "model with --inputs and --outputs");
}

// The last token's logits once more, of which fewer were asked for at first;
// the sequence goes on as if nothing had happened.
TEST(DecodingState, RecallsTheLastTokensLogits) {
  Session session(*findFakeModel("in-place"), 1);
  std::unique_ptr<DecodingState> state = DecodingState::create(session);
  std::unique_ptr<DecodingState> other = DecodingState::create(session);
  ASSERT_TRUE(state->leavesOutLogits());
  for (const std::vector<int64_t> &tokens :
       {std::vector<int64_t>{3, 1, 4}, {1}, {5, 9}}) {
    std::vector<float> all = other->feed(tokens);
    std::vector<float> best = state->feed(tokens, 1, /*numBest=*/1);
    EXPECT_NE(best, all);
    EXPECT_EQ(state->recall(/*numBest=*/1), best);
    EXPECT_EQ(state->recall(DecodingState::kAllLogits), all);
    EXPECT_EQ(state->size(), other->size());
  }
}

TEST(DecodingState, SaysHowMuchMemoryACacheTakes) {
  constexpr int64_t kBeyondAddresses = int64_t(1) << 57;
  TernLanguageModel language = *findFakeModel("in-place")->language_model;
  TernCacheSpec cache = language.caches[0];
  cache.bytes = kBeyondAddresses;
  language.caches = &cache;
  TernModel model = *findFakeModel("in-place");
  model.language_model = &language;
  Session session(model, 1);
  try {
    DecodingState::create(session);
    FAIL() << "found memory";
  } catch (const std::bad_alloc &error) {
    EXPECT_STREQ(describeOutOfMemory(error),
                 "not enough memory: 144115188075855872 bytes for a cache of "
                 "keys or values");
  }
}

// AddressSanitizer ends a program that asks for too much, unless it is told.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
extern "C" __attribute__((used, visibility("default")))
const char *__asan_default_options() {
  return "allocator_may_return_null=1";
}
#endif
#endif

TEST(Tensor, SaysHowMuchMemoryItTakes) {
  try {
    Tensor tensor(TERN_F64, {1, int64_t(1) << 54});
    FAIL() << "found memory";
  } catch (const std::bad_alloc &error) {
    EXPECT_STREQ(describeOutOfMemory(error),
                 "not enough memory: 144115188075855872 bytes for an array of "
                 "float64[1,18014398509481984]");
  }
}
