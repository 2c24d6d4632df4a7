//===- Regex.cpp - Oniguruma's patterns on PCRE2 --------------------------===//

#include "Regex.h"

#include "tern/Runtime/Error.h"
#include "tern/Runtime/Utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

using namespace tern::runtime;

namespace {

struct MatchDeleter {
  void operator()(pcre2_match_data *data) const { pcre2_match_data_free(data); }
};
struct ContextDeleter {
  void operator()(pcre2_compile_context *context) const {
    pcre2_compile_context_free(context);
  }
};

std::string describeError(int error) {
  PCRE2_UCHAR buffer[256] = {};
  pcre2_get_error_message(error, buffer, sizeof(buffer));
  return reinterpret_cast<const char *>(buffer);
}

PCRE2_SPTR toPcre(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data() ? text.data() : "");
}

} // namespace

struct Regex::Code {
  pcre2_code *code;
  explicit Code(pcre2_code *code) : code(code) {}
  ~Code() { pcre2_code_free(code); }
};

Regex::Regex(std::string_view pattern) {
  std::string translated = translateOniguruma(pattern);
  std::unique_ptr<pcre2_compile_context, ContextDeleter> context(
      pcre2_compile_context_create(nullptr));
  if (!context)
    throw std::bad_alloc();
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE offset = 0;
  // In Ruby, ^ and $ always stand for the ends of a line.
  pcre2_code *compiled = pcre2_compile(toPcre(translated), translated.size(),
                                       PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE,
                                       &error, &offset, context.get());
  if (!compiled)
    throw InputError("cannot compile the regular expression '" +
                     std::string(pattern) + "': " + describeError(error));
  code = std::make_unique<Code>(compiled);
  // Without it (no executable memory, say) the interpreter matches the same.
  pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
}

Regex Regex::literal(std::string_view text) {
  std::string pattern;
  for (char c : text) {
    bool isWord = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                  (c >= 'a' && c <= 'z') || (c & 0x80);
    if (!isWord)
      pattern += '\\';
    pattern += c;
  }
  return Regex(pattern);
}

Regex::Regex(Regex &&) noexcept = default;
Regex &Regex::operator=(Regex &&) noexcept = default;
Regex::~Regex() = default;

std::vector<TextRange> Regex::findAll(std::string_view text) const {
  std::unique_ptr<pcre2_match_data, MatchDeleter> data(
      pcre2_match_data_create(1, nullptr));
  if (!data)
    throw std::bad_alloc();
  const PCRE2_SIZE *range = pcre2_get_ovector_pointer(data.get());
  std::vector<TextRange> matches;
  size_t start = 0;
  while (start <= text.size()) {
    // The text is checked once, at the tokenizer's entrance: PCRE2 would check
    // all of it again at every match.
    int result = pcre2_match(code->code, toPcre(text), text.size(), start,
                             PCRE2_NO_UTF_CHECK, data.get(), nullptr);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT)
      result =
          pcre2_match(code->code, toPcre(text), text.size(), start,
                      PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data.get(), nullptr);
    if (result == PCRE2_ERROR_NOMATCH)
      break;
    if (result < 0)
      throw InputError("cannot split the text: " + describeError(result));
    bool isEmptyBehindMatch = range[0] == range[1] && !matches.empty() &&
                              matches.back().end == range[1];
    if (isEmptyBehindMatch) {
      start += start < text.size() ? decodeUtf8(text, start).size : 1;
      continue;
    }
    matches.push_back({range[0], range[1]});
    start = range[1];
  }
  return matches;
}
