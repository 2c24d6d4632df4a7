//===- TokenizerTest.cpp - streams, limits and malformed files ------------===//
//
// tokenizer.test compares ids and texts with the `tokenizers` package.
//
//===----------------------------------------------------------------------===//

#include "FakeModel.h"

#include "tern/Runtime/Error.h"
#include "tern/Runtime/Tokenizer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

using namespace tern::runtime;
using namespace tern::test;

namespace {

std::string messageOf(const std::string &json) {
  try {
    Tokenizer tokenizer(json);
  } catch (const InputError &error) {
    return error.what();
  }
  return "no error";
}

/// A tokenizer whose model has the tokens a, b and ab, and `members` besides.
std::string withMembers(const std::string &members) {
  return "{" + members + (members.empty() ? "" : ",") +
         R"("model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},)"
         R"("merges":["a b"]}})";
}

void expectRefused(const std::string &json, const std::string &part) {
  std::string message = messageOf(json);
  EXPECT_NE(message.find(part), std::string::npos)
      << json.substr(0, 300) << "\n  said: " << message;
}

} // namespace

TEST(Tokenizer, StreamsWholeCharacters) {
  Tokenizer tokenizer(makeByteTokenizer());
  auto stream = tokenizer.makeTextStream();
  EXPECT_EQ(stream->push(256), "") << "special";
  EXPECT_EQ(stream->push(0xC3), "");
  EXPECT_EQ(stream->push(258), "") << "special, inside a character";
  EXPECT_EQ(stream->push(0xA9), "\u00E9");
  EXPECT_EQ(stream->push(12345), "") << "unknown";
  EXPECT_EQ(stream->push(-1), "") << "unknown";
  EXPECT_EQ(stream->push(0xE2), "");
  EXPECT_EQ(stream->finish(), "\uFFFD");
}

TEST(Tokenizer, FindsTokensByTheirSpelling) {
  Tokenizer tokenizer(makeByteTokenizer());
  EXPECT_EQ(tokenizer.findToken("</s>"), 257);
  EXPECT_EQ(tokenizer.findToken("a"), 97);
  EXPECT_EQ(tokenizer.findToken("none"), std::nullopt);
}

// Added tokens, ids without a token and a token without characters stay as they
// are; a stream that has begun goes on.
TEST(Tokenizer, DecodesTheSameWithItsDecoderOnly) {
  std::string bytes = makeByteTokenizer();
  std::string sparse = R"({"added_tokens":[{"id":9,"content":"<x>"},)"
                       R"({"id":5,"content":"<s>","special":true}],)"
                       R"("model":{"vocab":{"b":7,"a":0,"":2,"ab":3},)"
                       R"("merges":["a b"]}})";
  for (const std::string &json : {bytes, sparse}) {
    Tokenizer whole(json), decoder(json);
    std::unique_ptr<TextStream> stream = decoder.makeTextStream();
    std::string first = stream->push(0xC3);
    decoder.keepDecoderOnly();
    decoder.keepDecoderOnly(); // twice is once
    EXPECT_EQ(first + stream->push(0xA9) + stream->finish(),
              whole.decode({0xC3, 0xA9}));
    for (int64_t first = -1; first < 300; ++first)
      for (int64_t second : {0, 2, 3, 4, 7})
        EXPECT_EQ(decoder.decode({first, second}),
                  whole.decode({first, second}))
            << first << ' ' << second;
  }
  Tokenizer decoder(sparse);
  decoder.keepDecoderOnly();
  EXPECT_EQ(decoder.decode({3, 7, 9, 5, 2, 0}), "ab b <x>  a");
  EXPECT_THROW(decoder.encode("a"), std::logic_error);
  EXPECT_THROW(decoder.findToken("a"), std::logic_error);
}

TEST(Tokenizer, MergesALongRunQuickly) {
  // Quadratic merging would take hours here.
  constexpr size_t kHalf = 500000;
  Tokenizer tokenizer(withMembers(""));
  std::string text;
  for (size_t i = 0; i < kHalf; ++i)
    text += "ab";
  EXPECT_EQ(tokenizer.encode(text), std::vector<int64_t>(kHalf, 2));
}

TEST(Tokenizer, AppliesTheLowestRankThenTheLeftmost) {
  Tokenizer tokenizer(
      R"({"model":{"vocab":{"a":0,"b":1,"aa":2,"ab":3,"aab":4},)"
      R"("merges":[["a","a"],["a","b"],["aa","b"]]}})");
  EXPECT_EQ(tokenizer.encode("aaa"), (std::vector<int64_t>{2, 0}));
  EXPECT_EQ(tokenizer.encode("aab"), (std::vector<int64_t>{4}));
  EXPECT_EQ(tokenizer.encode("aaab"), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(tokenizer.encode("aaxb"), (std::vector<int64_t>{4}))
      << "an unknown character is dropped, and its neighbours merge";
}

// As Hugging Face's tokenizers do.
TEST(Tokenizer, TakesTheLastOfWhatIsGivenTwice) {
  Tokenizer merges(R"({"model":{"vocab":{"a":0,"b":1,"c":2,"ab":3,"bc":4},)"
                   R"("merges":[["a","b"],["b","c"],["a","b"]]}})");
  EXPECT_EQ(merges.encode("abc"), (std::vector<int64_t>{0, 4}));
  Tokenizer ids(R"({"model":{"vocab":{"a":0,"b":1,"a":2},"merges":[]}})");
  EXPECT_EQ(ids.encode("ab"), (std::vector<int64_t>{2, 1}));
  std::unique_ptr<TextStream> stream = ids.makeTextStream();
  EXPECT_EQ(stream->push(0), "");
  EXPECT_EQ(stream->push(2), "a");
}

TEST(Tokenizer, NamesWhatItDoesNotSupport) {
  expectRefused(withMembers(R"("normalizer":{"type":"NFC"})"),
                "normalizer 'NFC' is not supported");
  expectRefused(withMembers(R"("pre_tokenizer":{"type":"BertPreTokenizer"})"),
                "pre-tokenizer 'BertPreTokenizer' is not supported");
  expectRefused(withMembers(R"("post_processor":{"type":"BertProcessing"})"),
                "post-processor 'BertProcessing' is not supported");
  expectRefused(withMembers(R"("decoder":{"type":"CTC"})"),
                "decoder 'CTC' is not supported");
  expectRefused(R"({"model":{"type":"Unigram","vocab":[["a",0.5]]}})",
                "expected a model of type BPE, found 'Unigram'");
}

TEST(Tokenizer, RefusesUnsupportedPatterns) {
  auto split = [](const std::string &regex) {
    return withMembers(R"("pre_tokenizer":{"type":"Split","behavior":)"
                       R"("Isolated","pattern":{"Regex":")" +
                       regex + "\"}}");
  };
  expectRefused(split("[a-z&&[^b]]"), "a set operation in brackets");
  expectRefused(split("[\\\\W]"), "'\\W' inside brackets");
  expectRefused(split("(a"), "cannot compile the regular expression '(a'");
  expectRefused(split("a\\\\"), "cannot compile the regular expression");
  EXPECT_EQ(messageOf(split("[]a][[:alpha:]]")), "no error");
}

TEST(Tokenizer, RefusesMalformedFiles) {
  expectRefused("", "tokenizer.json: ");
  expectRefused("[]", "expected an object at the top");
  expectRefused("{}", "expected a model of type BPE");
  expectRefused(R"({"model":7})", "expected a model of type BPE");
  expectRefused(R"({"model":{"vocab":{"a":"x"}}})",
                "expected an integer in model.vocab");
  expectRefused(R"({"model":{"vocab":{"a":{}}}})",
                "expected an integer in model.vocab");
  expectRefused(R"({"model":{"vocab":{"a":-1}}})", "token 'a' has id -1");
  expectRefused(R"({"model":{"vocab":{"a":99999999999}}})",
                "token 'a' has id 99999999999");
  expectRefused(R"({"model":{"vocab":{"a":0},"merges":["a"]}})",
                "two words with one space");
  expectRefused(R"({"model":{"vocab":{"a":0},"merges":[["a"]]}})",
                "pairs of strings");
  expectRefused(R"({"model":{"vocab":{"a":0},"merges":[7]}})",
                "pairs of strings");
  expectRefused(R"({"model":{"vocab":{"a":0},"merges":["a a"]}})",
                "a merge needs token 'aa'");
  expectRefused(R"({"model":{"vocab":{"a":0},"unk_token":"u"}})",
                "unk_token 'u' is not in the vocabulary");
  expectRefused(withMembers(R"("added_tokens":[{"id":3}])"), "content");
  expectRefused(withMembers(R"("decoder":[])"), "tokenizer.json: ");
  expectRefused(withMembers(R"("post_processor":{"type":"TemplateProcessing",)"
                            R"("single":[]})"),
                "the template lacks the sequence");
  expectRefused(std::string(100000, '['), "nested deeper than 64 levels");
}

TEST(Tokenizer, SurvivesEveryTruncation) {
  std::string json = makeByteTokenizer();
  for (size_t size = 0; size < json.size(); ++size)
    EXPECT_NE(messageOf(json.substr(0, size)), "no error") << size;
}

#if defined(__GLIBC__) && defined(__has_feature)
#if !__has_feature(address_sanitizer)
// A token and a merge each, 59 bytes, and a little for the rest.
TEST(Tokenizer, TakesLittleMemory) {
  constexpr int64_t kTokens = 20000, kLetters = 26;
  auto letter = [](int64_t i) { return std::string(1, char('a' + i)); };
  std::vector<std::string> spellings;
  std::string vocab, merges;
  auto add = [&](const std::string &spelling) {
    vocab += (vocab.empty() ? "\"" : ",\"") + spelling +
             "\":" + std::to_string(spellings.size());
    spellings.push_back(spelling);
  };
  for (int64_t i = 0; i < kLetters; ++i)
    add(letter(i));
  // Each but a letter is another and a letter more.
  for (size_t last = 0; int64_t(spellings.size()) < kTokens; ++last)
    for (int64_t i = 0; i < kLetters; ++i) {
      merges += (merges.empty() ? "\"" : ",\"") + spellings[last] + " " +
                letter(i) + "\"";
      add(spellings[last] + letter(i));
    }
  std::string json = R"({"model":{"type":"BPE","vocab":{)" + vocab +
                     R"(},"merges":[)" + merges + "]}}";
  size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  Tokenizer tokenizer(json);
  size_t taken = mallinfo2().uordblks + mallinfo2().hblkhd - before;
  EXPECT_LT(taken, spellings.size() * 80);
  // By the merges "a a", the first of all, and "aa b".
  EXPECT_EQ(tokenizer.encode("aab").size(), 1u);
}
#endif
#endif
