//===- Utf8Test.cpp - truth: Unicode 15, tables 3-7 and 3-8 ---------------===//

#include "tern/Runtime/Utf8.h"

#include <gtest/gtest.h>

using namespace tern::runtime;

TEST(Utf8, ReplacesEveryMaximalSubpart) {
  // Table 3-8: non-shortest forms.
  EXPECT_EQ(repairUtf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  // Table 3-9: surrogates.
  EXPECT_EQ(repairUtf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  // Table 3-10: beyond the last code point.
  EXPECT_EQ(repairUtf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA\uFFFD\uFFFDB");
  // Table 3-11: truncated sequences.
  EXPECT_EQ(repairUtf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFDA");
}

TEST(Utf8, KeepsTheEndsOfEveryRange) {
  for (const char *text : {"\x7F", "\u0080", "\u07FF", "\u0800", "\uD7FF",
                           "\uE000", "\uFFFF", "\U00010000", "\U0010FFFF"})
    EXPECT_EQ(repairUtf8(text), text);
}

TEST(Utf8, AppendsWhatItDecodes) {
  for (char32_t value : {0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF}) {
    std::string text;
    appendUtf8(text, value);
    CodePoint point = decodeUtf8(text, 0);
    EXPECT_EQ(point.status, CodePoint::Valid);
    EXPECT_EQ(point.value, value);
    EXPECT_EQ(point.size, text.size());
  }
}

TEST(Utf8Stream, HoldsBackAnIncompleteCodePoint) {
  Utf8Stream stream;
  EXPECT_EQ(stream.push("a\xF0\x9F"), "a");
  EXPECT_EQ(stream.push("\x98"), "");
  EXPECT_EQ(stream.push("\x80z\xC3"), "\U0001F600z");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(stream.finish(), "");
}

TEST(Utf8Stream, DoesNotWaitForWhatCannotCome) {
  Utf8Stream stream;
  EXPECT_EQ(stream.push("\xED\xA0"), "\uFFFD\uFFFD");
  EXPECT_EQ(stream.push("\xE0\x80"), "\uFFFD\uFFFD");
}
