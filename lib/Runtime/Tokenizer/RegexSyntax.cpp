//===- RegexSyntax.cpp - from Oniguruma's syntax to PCRE2's ---------------===//

#include "Regex.h"

#include "UnicodeSupplement.h"

#include "tern/Runtime/Error.h"

using namespace tern::runtime;

namespace {

// Oniguruma's \s is the property; PCRE2's has U+180E on top. Oniguruma's \w has
// the combining marks, all connecting punctuation, and of the numbers that are
// no digits those of Latin-1 (¹, ½ and so on); PCRE2's differs in all of these.
constexpr std::string_view kSpace = "\\p{White_Space}";
constexpr std::string_view kNotSpace = "\\P{White_Space}";
constexpr std::string_view kWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"
                                   "\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}";
constexpr std::string_view kHex = "0-9A-Fa-f";

std::string makeWordSet() {
  return std::string(kWord) + getSupplement("L") + getSupplement("M") +
         getSupplement("Nd");
}

/// One pass over the pattern.
class Translator {
public:
  explicit Translator(std::string_view pattern) : pattern(pattern) {}

  std::string run() {
    while (index < pattern.size()) {
      if (pattern[index] == '\\')
        translateEscape();
      else if (inClass)
        translateInClass();
      else
        translateOutside();
    }
    return std::move(result);
  }

private:
  bool at(std::string_view text) const {
    return pattern.substr(index, text.size()) == text;
  }

  void copy(size_t count) {
    result.append(pattern.substr(index, count));
    index += count;
  }

  void replace(size_t count, std::string_view text) {
    result.append(text);
    index += count;
  }

  /// A set of characters, with brackets unless it stands inside some.
  void replaceBySet(std::string_view set, bool negated) {
    if (inClass && negated)
      throw InputError(
          "unsupported regular expression '" + std::string(pattern) + "': '" +
          std::string(pattern.substr(index, 2)) + "' inside brackets");
    if (inClass)
      return replace(2, set);
    replace(2, std::string(negated ? "[^" : "[") + std::string(set) + "]");
  }

  void translateEscape() {
    switch (index + 1 < pattern.size() ? pattern[index + 1] : '\0') {
    case 's':
      return replace(2, kSpace);
    case 'S':
      return replace(2, kNotSpace);
    case 'w':
      return replaceBySet(makeWordSet(), /*negated=*/false);
    case 'W':
      return replaceBySet(makeWordSet(), /*negated=*/true);
    case 'd':
      return replaceBySet("\\p{Nd}" + getSupplement("Nd"), /*negated=*/false);
    case 'D':
      return replaceBySet("\\p{Nd}" + getSupplement("Nd"), /*negated=*/true);
    case 'h':
      return replaceBySet(kHex, /*negated=*/false);
    case 'H':
      return replaceBySet(kHex, /*negated=*/true);
    case 'p':
      return translateProperty();
    case 'u': {
      std::string digits(pattern.substr(index + 2, 4));
      return replace(6, "\\x{" + digits + "}");
    }
    default:
      return copy(2);
    }
  }

  /// Adds to \p{L} the letters that PCRE2 does not know yet, and so on.
  void translateProperty() {
    size_t end = pattern.find('}', index);
    if (!at("\\p{") || end == std::string_view::npos)
      return copy(2);
    std::string newer =
        getSupplement(pattern.substr(index + 3, end - index - 3));
    std::string set(pattern.substr(index, end + 1 - index));
    if (!newer.empty())
      set = inClass ? set + newer : "[" + set + newer + "]";
    replace(end + 1 - index, set);
  }

  void translateInClass() {
    if (at("&&") || (at("[") && !at("[:")))
      throw InputError("unsupported regular expression '" +
                       std::string(pattern) + "': a set operation in brackets");
    if (at("[:")) {
      size_t end = pattern.find(":]", index);
      return copy(end == std::string_view::npos ? 2 : end + 2 - index);
    }
    if (at("]"))
      inClass = false;
    copy(1);
  }

  void translateOutside() {
    if (at("(?"))
      return translateGroup();
    if (at("[")) {
      inClass = true;
      copy(at("[^") ? 2 : 1);
      // A bracket that closes at once is a literal one.
      if (at("]"))
        copy(1);
      return;
    }
    copy(1);
  }

  /// In Ruby, `m` in `(?im-x:` lets the dot match a line feed: PCRE2's `s`.
  void translateGroup() {
    copy(2);
    size_t end = pattern.find_first_not_of("imx-", index);
    bool areFlags = end != std::string_view::npos &&
                    (pattern[end] == ':' || pattern[end] == ')');
    while (areFlags && index < end) {
      if (at("m"))
        replace(1, "s");
      else
        copy(1);
    }
  }

  std::string_view pattern;
  size_t index = 0;
  bool inClass = false;
  std::string result;
};

} // namespace

std::string tern::runtime::translateOniguruma(std::string_view pattern) {
  return Translator(pattern).run();
}
