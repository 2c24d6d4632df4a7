//===- GeneratorTest.cpp - generation, perplexity and benchmarks ----------===//

#include "FakeModel.h"

#include "tern/Runtime/Bench.h"
#include "tern/Runtime/Error.h"
#include "tern/Runtime/Generator.h"
#include "tern/Runtime/Perplexity.h"
#include "tern/Runtime/SpecialTokens.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace tern::runtime;
using namespace tern::test;

namespace {

constexpr int64_t kBegin = 256, kEnd = 257;

/// The greedy continuation, by the formula.
std::vector<int64_t> predict(std::vector<int64_t> sequence, size_t count) {
  std::vector<int64_t> generated;
  while (generated.size() < count) {
    generated.push_back(predictNext(sequence));
    sequence.push_back(generated.back());
  }
  return generated;
}

std::vector<int64_t> encode(const std::string &text) {
  std::vector<int64_t> tokens = {kBegin};
  for (unsigned char byte : text)
    tokens.push_back(byte);
  return tokens;
}

class Generators : public testing::TestWithParam<const char *> {
protected:
  GenerationResult generate(const std::string &prompt, int64_t maxTokens,
                            std::vector<int64_t> ends = {}) {
    Generator generator(*state, tokenizer, std::move(ends));
    GenerationOptions options;
    options.maxTokens = maxTokens;
    streamed.clear();
    return generator.generate(prompt, options, [&](std::string_view piece) {
      streamed += piece;
      return true;
    });
  }

  Session session{*findFakeModel(GetParam()), 1};
  std::unique_ptr<DecodingState> state = DecodingState::create(session);
  Tokenizer tokenizer{makeByteTokenizer()};
  std::string streamed;
};

INSTANTIATE_TEST_SUITE_P(CacheKinds, Generators,
                         testing::Values("in-place", "returned", "none"));

} // namespace

TEST_P(Generators, FollowsTheModel) {
  for (const char *prompt : {"", "a", "Once upon a time", "h\u00E9"}) {
    GenerationResult result = generate(prompt, 50);
    EXPECT_EQ(result.promptTokens, encode(prompt));
    EXPECT_EQ(result.tokens, predict(encode(prompt), 50));
    EXPECT_EQ(result.text, tokenizer.decode(result.tokens));
    EXPECT_EQ(streamed, result.text);
    EXPECT_STREQ(result.stopReason, "length");
    EXPECT_EQ(result.decodedTokens, 49);
  }
}

// In place, the model gives as many of the best logits as it is asked for, else
// all: the texts are the same.
TEST(Generator, AsksForAsManyLogitsAsItLooksAt) {
  auto generate = [](const char *model, const SamplingOptions &sampling) {
    Session session(*findFakeModel(model), 1);
    std::unique_ptr<DecodingState> state = DecodingState::create(session);
    Tokenizer tokenizer(makeByteTokenizer());
    GenerationOptions options;
    options.maxTokens = 60;
    options.sampling = sampling;
    return Generator(*state, tokenizer, {})
        .generate("aabb", options, [](std::string_view) { return true; })
        .tokens;
  };
  for (double penalty : {0.5, 1.0, 3.0, 100.0})
    for (double temperature : {0.0, 2.0})
      for (int64_t topK : {0, 1, 3})
        for (double topP : {0.7, 1.0}) {
          SamplingOptions sampling;
          sampling.repetitionPenalty = penalty;
          sampling.temperature = temperature;
          sampling.topK = topK;
          sampling.topP = topP;
          sampling.seed = 7;
          EXPECT_EQ(generate("in-place", sampling),
                    generate("returned", sampling))
              << penalty << ' ' << temperature << ' ' << topK << ' ' << topP;
        }
}

TEST_P(Generators, ContinuesTokensWithADecoderOnly) {
  Generator generator(*state, tokenizer, {});
  std::vector<int64_t> prompt = generator.encodePrompt("h\u00E9");
  EXPECT_EQ(prompt, encode("h\u00E9"));
  std::string expected = tokenizer.decode(predict(prompt, 50));
  tokenizer.keepDecoderOnly();
  GenerationOptions options;
  options.maxTokens = 50;
  GenerationResult result = generator.generate(
      prompt, options, [](std::string_view) { return true; });
  EXPECT_EQ(result.promptTokens, prompt);
  EXPECT_EQ(result.tokens, predict(prompt, 50));
  EXPECT_EQ(result.text, expected);
}

TEST_P(Generators, StopsAtAnEndTokenAndLeavesItOut) {
  std::vector<int64_t> expected = predict(encode("xyz"), 5);
  GenerationResult result = generate("xyz", 50, {999, expected[4]});
  expected.pop_back();
  EXPECT_EQ(result.tokens, expected);
  EXPECT_STREQ(result.stopReason, "end token");
}

TEST_P(Generators, GeneratesNothingIfAskedForNothing) {
  GenerationResult result = generate("a", 0);
  EXPECT_TRUE(result.tokens.empty());
  EXPECT_EQ(streamed, "");
}

TEST_P(Generators, StopsAtTheContext) {
  // A prompt that fills the context still has one continuation.
  GenerationResult full = generate(std::string(kContext - 1, 'a'), 50);
  EXPECT_EQ(full.tokens.size(), 1u);
  EXPECT_STREQ(full.stopReason, "context");
  GenerationResult nearly = generate(std::string(kContext - 4, 'a'), 50);
  EXPECT_EQ(nearly.tokens, predict(nearly.promptTokens, 4));
}

TEST_P(Generators, RefusesAPromptBeyondTheContext) {
  try {
    generate(std::string(kContext, 'a'), 1);
    FAIL();
  } catch (const InputError &error) {
    EXPECT_STREQ(error.what(), "the prompt has 1101 tokens, more than the "
                               "model's context of 1100");
  }
}

TEST_P(Generators, StopsWhenTheReaderSaysSo) {
  Generator generator(*state, tokenizer, {});
  int calls = 0;
  GenerationResult result = generator.generate(
      "a", {}, [&](std::string_view) { return ++calls < 3; });
  EXPECT_EQ(result.tokens.size(), 3u);
  EXPECT_STREQ(result.stopReason, "stopped");
}

TEST_P(Generators, MeasuresPerplexityInWindows) {
  // ln sum of exp(-d) over d in [0, vocab).
  double normalizer =
      std::log((1 - std::exp(-double(kVocab))) / (1 - std::exp(-1.0)));
  std::vector<int64_t> tokens = encode(std::string(1200, 'q') + "The end.");
  for (int64_t window : {int64_t(1), int64_t(7), int64_t(600), kContext}) {
    double sum = 0;
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      size_t start =
          i / static_cast<size_t>(window) * static_cast<size_t>(window);
      int64_t best =
          predictNext({tokens.begin() + static_cast<int64_t>(start),
                       tokens.begin() + static_cast<int64_t>(i) + 1});
      sum += normalizer - computeLogit(best, tokens[i + 1]);
    }
    double loss = sum / static_cast<double>(tokens.size() - 1);
    int64_t lastDone = 0;
    PerplexityResult result =
        measurePerplexity(*state, tokens, window,
                          [&](int64_t done, int64_t) { lastDone = done; });
    EXPECT_EQ(result.predictions, 1208);
    EXPECT_EQ(lastDone, 1208);
    EXPECT_NEAR(result.loss, loss, 1e-6 * loss) << "window " << window;
    EXPECT_NEAR(result.perplexity / std::exp(loss), 1, 1e-3);
  }
}

TEST_P(Generators, RefusesPerplexityOfNothing) {
  auto ignore = [](int64_t, int64_t) {};
  EXPECT_THROW(measurePerplexity(*state, {kBegin}, 10, ignore), InputError);
  EXPECT_THROW(measurePerplexity(*state, {}, 10, ignore), InputError);
  EXPECT_THROW(measurePerplexity(*state, {1, 2}, 0, ignore), InputError);
  EXPECT_THROW(measurePerplexity(*state, {1, 2}, kContext + 1, ignore),
               InputError);
  EXPECT_THROW(measurePerplexity(*state, {1, kVocab}, 10, ignore), InputError);
}

TEST_P(Generators, BenchRunsEveryTest) {
  for (const BenchTest &test : parseBenchTests("pp20,tg5")) {
    BenchResult result = runBench(*state, test, 3);
    EXPECT_EQ(result.runs.size(), 3u);
    EXPECT_GT(result.median, 0);
    EXPECT_EQ(state->size(), test.count);
  }
  EXPECT_THROW(runBench(*state, parseBenchTests("pp1101")[0], 1), InputError);
}

TEST(Bench, ParsesLists) {
  std::vector<BenchTest> tests = parseBenchTests("pp512,tg1");
  ASSERT_EQ(tests.size(), 2u);
  EXPECT_EQ(tests[0].kind, BenchTest::Prompt);
  EXPECT_EQ(tests[0].count, 512);
  EXPECT_EQ(tests[0].name, "pp512");
  EXPECT_EQ(tests[1].kind, BenchTest::Generation);
  EXPECT_EQ(tests[1].count, 1);
  for (const char *wrong : {"", "pp", "pp0", "pp-1", "tg1x", "xx5", "pp5,",
                            ",tg5", "pp99999999999999999999"})
    EXPECT_THROW(parseBenchTests(wrong), UsageError) << wrong;
}

TEST(SpecialTokens, PrefersTheModelsDetails) {
  Tokenizer tokenizer(makeByteTokenizer());
  TernModel model = *findFakeModel("in-place");
  auto find = [&](const char *details) {
    model.details = details;
    return findSpecialTokens(model, tokenizer);
  };
  SpecialTokens named = find(nullptr);
  EXPECT_EQ(named.begin, kBegin);
  EXPECT_EQ(named.ends, std::vector<int64_t>{kEnd});
  SpecialTokens given =
      find(R"({"bos_token_id": 3, "eos_token_ids": [5, 6], "layers": 8})");
  EXPECT_EQ(given.begin, 3);
  EXPECT_EQ(given.ends, (std::vector<int64_t>{5, 6}));
  EXPECT_THROW(find("{"), InputError);
  EXPECT_THROW(find(R"({"eos_token_ids": "x"})"), InputError);
}
