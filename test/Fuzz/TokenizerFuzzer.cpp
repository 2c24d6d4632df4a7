//===- TokenizerFuzzer.cpp - hostile tokenizer.json files -----------------===//
//
// An input is a tokenizer.json, optionally followed by a zero byte and a text.
// Nothing but InputError may come out, and what a tokenizer makes of a text
// must be ids that it knows.
//
//===----------------------------------------------------------------------===//

#include "tern/Runtime/Error.h"
#include "tern/Runtime/Tokenizer.h"
#include "tern/Runtime/Utf8.h"

#include <cstdlib>

using namespace tern::runtime;

/// Letters, digits, spaces, line feeds, an apostrophe, two scripts, an emoji,
/// invalid UTF-8 and what special tokens look like.
static constexpr std::string_view kText =
    "Hello  world's 12345\n\n\t<s>caf\xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC "
    "\xF0\x9F\x99\x82\xFF<|end|> \xE2\x96\x81x ";

static void tokenize(const Tokenizer &tokenizer, std::string_view text) {
  std::vector<int64_t> ids = tokenizer.encode(text);
  std::string decoded = tokenizer.decode(ids);
  if (repairUtf8(decoded) != decoded)
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view input(reinterpret_cast<const char *>(data), size);
  size_t end = input.find('\0');
  std::string_view text =
      end == std::string_view::npos ? kText : input.substr(end + 1);
  try {
    Tokenizer tokenizer(input.substr(0, end));
    tokenize(tokenizer, text);
    tokenizer.decode({-1, 0, 1, 2, 3, 255, 256, INT64_MAX, INT64_MIN});
    tokenizer.findToken("</s>");
  } catch (const InputError &) {
  }
  return 0;
}
