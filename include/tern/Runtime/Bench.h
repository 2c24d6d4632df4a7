//===- Bench.h - how fast a language model runs -----------------*- C++ -*-===//
#ifndef TERN_RUNTIME_BENCH_H
#define TERN_RUNTIME_BENCH_H

#include "tern/Runtime/DecodingState.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tern::runtime {

/// "pp512": read a prompt of 512 tokens at once. "tg128": read 128 tokens one
/// after the other, as in generating them. Both from an empty sequence.
struct BenchTest {
  enum Kind { Prompt, Generation };
  std::string name;
  Kind kind;
  int64_t count; ///< tokens, at least 1
};

/// Parses a list such as "pp512,tg128". \throws UsageError that quotes what is
/// no test.
std::vector<BenchTest> parseBenchTests(std::string_view list);

struct BenchResult {
  std::vector<double> runs; ///< tokens per second of each run
  double median;
};

/// Runs `test` once to warm up, calls `warm`, and then runs it `runs` >= 1
/// times. \throws InputError if the test exceeds the model's context.
BenchResult runBench(
    DecodingState &state, const BenchTest &test, int runs,
    const std::function<void()> &warm = [] {});

} // namespace tern::runtime

#endif // TERN_RUNTIME_BENCH_H
