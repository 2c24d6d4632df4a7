//===- Regex.h - Oniguruma's patterns on PCRE2 ------------------*- C++ -*-===//
//
// tokenizer.json writes its patterns for Oniguruma (Ruby syntax). PCRE2 reads
// nearly the same language; translateOniguruma rewrites what it reads
// differently.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_RUNTIME_TOKENIZER_REGEX_H
#define TERN_LIB_RUNTIME_TOKENIZER_REGEX_H

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tern::runtime {

/// Bytes [begin, end) of a text.
struct TextRange {
  size_t begin;
  size_t end;
};

/// What the regex crate of Rust takes for a character of a word, as a set for
/// use inside brackets. The `tokenizers` package uses that crate where no
/// pattern of tokenizer.json is involved.
inline constexpr const char *kRustWordSet =
    R"(\p{Alphabetic}\p{L}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D})";

/// Rewrites a pattern from Oniguruma's Ruby syntax into PCRE2's with UTF and
/// UCP: the white space and word characters are Unicode's, `(?m)` is dot-all,
/// `\h` is a hexadecimal digit.
/// \throws InputError for set operations inside brackets.
std::string translateOniguruma(std::string_view pattern);

/// A compiled pattern.
class Regex {
public:
  /// \param pattern  in Oniguruma's syntax.
  /// \throws InputError if it does not compile.
  explicit Regex(std::string_view pattern);
  /// A pattern that matches `text` itself.
  static Regex literal(std::string_view text);
  Regex(Regex &&) noexcept;
  Regex &operator=(Regex &&) noexcept;
  ~Regex();

  /// Returns the leftmost matches in `text` (valid UTF-8) from left to right,
  /// without overlaps, and without an empty one right behind another.
  /// \throws InputError if the search exceeds PCRE2's limits.
  std::vector<TextRange> findAll(std::string_view text) const;

private:
  struct Code;
  std::unique_ptr<const Code> code;
};

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_TOKENIZER_REGEX_H
