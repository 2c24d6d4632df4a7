//===- FakeModel.h - models whose answers are known -------------*- C++ -*-===//
#ifndef TERN_TEST_RUNTIME_FAKEMODEL_H
#define TERN_TEST_RUNTIME_FAKEMODEL_H

#include "tern/Runtime/ModelABI.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tern::test {

/// A language model in closed form: the most probable token after
/// t_0 … t_p is (sum over i of (i + 1) * t_i + 1) mod vocab, with logit 0; the
/// others have the negated distance to it, modulo vocab. So every past token
/// and its position count, and a lost cache entry shows.
constexpr int64_t kVocab = 259;
constexpr int64_t kContext = 1100; // more than two chunks of a prompt

int64_t predictNext(const std::vector<int64_t> &tokens);
double computeLogit(int64_t best, int64_t token);

/// Ids below 256 are bytes; 256 begins every text, 257 ends one, 258 does not
/// stand for text.
std::string makeByteTokenizer();

/// "in-place", "returned" and "none": the language model with that kind of
/// cache. "tensor": out = x + 1 for f32 x[n, 3], and bf16 y = bf16 x; fails on
/// n = 7, and on n = 13 in a loop, on several threads. "bare": "in-place"
/// without a tokenizer. "nan": its logits are NaN.
/// \returns null for any other kind.
const TernModel *findFakeModel(std::string_view kind);

/// How many rows of logits each call of an "in-place" model's step was asked
/// for since this was called last.
std::vector<int64_t> takeWantedRows();

} // namespace tern::test

#endif // TERN_TEST_RUNTIME_FAKEMODEL_H
