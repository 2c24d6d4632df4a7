//===- CApiTest.cpp - the functions of ModelABI.h -------------------------===//

#include "FakeModel.h"

#include "tern/Runtime/ModelABI.h"

#include <gtest/gtest.h>

#include <string>

using namespace tern::test;

/// What ternc would emit.
extern const TernModel tern_model = *findFakeModel("in-place");

namespace {

class CApi : public testing::Test {
protected:
  void SetUp() override { ASSERT_EQ(tern_open(2, &session), TERN_OK); }
  void TearDown() override { tern_close(session); }

  int generate(const std::string &prompt, int64_t count,
               const TernSampling *sampling = nullptr) {
    text.clear();
    return tern_generate(session, prompt.data(), prompt.size(), count, sampling,
                         append, &text);
  }

  static int append(void *context, const char *piece, size_t size) {
    static_cast<std::string *>(context)->append(piece, size);
    return 0;
  }

  TernSession *session = nullptr;
  std::string text;
};

} // namespace

TEST_F(CApi, DescribesTheModel) {
  EXPECT_EQ(tern_get_model(), &tern_model);
  EXPECT_STREQ(tern_get_model()->inputs[0].name, "input_ids");
}

TEST_F(CApi, Runs) {
  int64_t ids[] = {256, 7};
  TernTensor input = {ids, {1, 2}, 2, TERN_I64};
  TernTensor output;
  ASSERT_EQ(tern_run(session, &input, &output), TERN_OK);
  EXPECT_EQ(output.rank, 3);
  EXPECT_EQ(output.dims[1], 2);
  EXPECT_EQ(output.dtype, TERN_F32);
  const float *logits = static_cast<const float *>(output.data);
  EXPECT_EQ(logits[kVocab + predictNext({256, 7})], 0);
  tern_free(output.data);
}

TEST_F(CApi, ReportsWrongInputs) {
  float ids[] = {0};
  TernTensor input = {ids, {1, 1}, 2, TERN_F32};
  TernTensor output;
  EXPECT_EQ(tern_run(session, &input, &output), TERN_ERROR_INPUT);
  EXPECT_STREQ(tern_last_error(), "input 'input_ids': expected "
                                  "int64[batch,sequence], found float32[1,1]");
  EXPECT_EQ(tern_run(nullptr, &input, &output), TERN_ERROR_INPUT);
  EXPECT_STREQ(tern_last_error(), "'session' is null");
  TernSession *other = nullptr;
  EXPECT_EQ(tern_open(-1, &other), TERN_ERROR_INPUT);
  EXPECT_EQ(other, nullptr);
  EXPECT_EQ(tern_open(1, nullptr), TERN_ERROR_INPUT);
  tern_close(nullptr);
}

TEST_F(CApi, Generates) {
  // 256 + 2 * '!' + 1 = 323 is 64 modulo 259: '@'.
  ASSERT_EQ(generate("!", 1), TERN_OK);
  EXPECT_EQ(text, "@");
  ASSERT_EQ(generate("!", 1), TERN_OK);
  EXPECT_EQ(text, "@") << "every generation starts afresh";
}

TEST_F(CApi, SamplesWithASeed) {
  TernSampling sampling = {50, 0, 1, 1, 3};
  ASSERT_EQ(generate("A", 40, &sampling), TERN_OK);
  std::string first = text;
  ASSERT_EQ(generate("A", 40, &sampling), TERN_OK);
  EXPECT_EQ(text, first);
  sampling.seed = 4;
  ASSERT_EQ(generate("A", 40, &sampling), TERN_OK);
  EXPECT_NE(text, first);
  sampling.top_p = 2;
  EXPECT_EQ(generate("A", 1, &sampling), TERN_ERROR_INPUT);
  EXPECT_EQ(generate(std::string(5000, 'x'), 1), TERN_ERROR_INPUT);
  EXPECT_EQ(generate("A", -1), TERN_ERROR_INPUT);
}

TEST_F(CApi, StopsWhenToldTo) {
  int calls = 0;
  auto stop = [](void *context, const char *, size_t) {
    return ++*static_cast<int *>(context) == 2 ? 1 : 0;
  };
  ASSERT_EQ(tern_generate(session, "A", 1, 100, nullptr, stop, &calls),
            TERN_OK);
  EXPECT_EQ(calls, 2);
}
