//===- Bench.cpp - how fast a language model runs -------------------------===//

#include "tern/Runtime/Bench.h"

#include "tern/Runtime/Error.h"
#include "tern/Runtime/Sampler.h"
#include "tern/Runtime/Stopwatch.h"

#include <algorithm>
#include <charconv>

using namespace tern::runtime;

static BenchTest parseTest(std::string_view text) {
  BenchTest test = {std::string(text), BenchTest::Prompt, 0};
  std::string_view kind = text.substr(0, 2);
  if (kind == "tg")
    test.kind = BenchTest::Generation;
  const char *end = text.data() + text.size();
  std::from_chars_result parsed = {nullptr, {}};
  if (kind == "pp" || kind == "tg")
    parsed = std::from_chars(text.data() + 2, end, test.count);
  if (parsed.ptr != end || parsed.ec != std::errc() || test.count < 1)
    throw UsageError("unknown benchmark '" + test.name +
                     "'; expected ppN (a prompt of N tokens) or tgN "
                     "(generating N tokens), such as pp512,tg128");
  return test;
}

std::vector<BenchTest> tern::runtime::parseBenchTests(std::string_view list) {
  std::vector<BenchTest> tests;
  for (;;) {
    size_t comma = list.find(',');
    tests.push_back(parseTest(list.substr(0, comma)));
    if (comma == std::string_view::npos)
      return tests;
    list.remove_prefix(comma + 1);
  }
}

/// Speed must not depend on the text: any tokens do, the same in every run.
static std::vector<int64_t> makeTokens(int64_t count, int64_t vocab) {
  RandomGenerator random(/*seed=*/0);
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < count; ++i)
    tokens.push_back(
        static_cast<int64_t>(random.next() % static_cast<uint64_t>(vocab)));
  return tokens;
}

/// What greedy generation asks for.
static constexpr int64_t kNumBest = 1;

static double timeOnce(DecodingState &state, const BenchTest &test,
                       const std::vector<int64_t> &tokens) {
  state.reset();
  Stopwatch time;
  if (test.kind == BenchTest::Prompt)
    state.feed(tokens, /*numLogits=*/1, kNumBest);
  else
    for (int64_t token : tokens)
      state.feed({token}, /*numLogits=*/1, kNumBest);
  return time.seconds();
}

static double findMedian(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle]
                           : (values[middle - 1] + values[middle]) / 2;
}

BenchResult tern::runtime::runBench(DecodingState &state, const BenchTest &test,
                                    int runs,
                                    const std::function<void()> &warm) {
  if (test.count > state.context())
    throw InputError("benchmark '" + test.name +
                     "' exceeds the model's context of " +
                     std::to_string(state.context()));
  std::vector<int64_t> tokens = makeTokens(test.count, state.vocab());
  timeOnce(state, test, tokens);
  warm();
  BenchResult result;
  for (int i = 0; i < runs; ++i)
    result.runs.push_back(perSecond(static_cast<double>(test.count),
                                    timeOnce(state, test, tokens)));
  result.median = findMedian(result.runs);
  return result;
}
