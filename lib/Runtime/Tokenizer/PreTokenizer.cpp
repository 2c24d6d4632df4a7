//===- PreTokenizer.cpp - splits text into words --------------------------===//

#include "PreTokenizer.h"

#include "Normalizer.h"
#include "Regex.h"
#include "TokenizerJson.h"

#include "tern/Runtime/Error.h"

#include <algorithm>

using namespace tern::runtime;
using nlohmann::json;

namespace {

/// GPT-2's rule (Radford et al. 2019, encoder.py).
constexpr const char *kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// What happens to a match and to the text between two.
enum class Behavior {
  Isolated,           // every match and every gap is a word
  Removed,            // the gaps are words
  MergedWithPrevious, // a match ends the word before it
  MergedWithNext,     // a match starts the word after it
  Contiguous          // adjacent matches are one word
};

Behavior readBehavior(const json &config) {
  std::string name = config.at("behavior").get<std::string>();
  if (name == "Isolated")
    return Behavior::Isolated;
  if (name == "Removed")
    return Behavior::Removed;
  if (name == "MergedWithPrevious")
    return Behavior::MergedWithPrevious;
  if (name == "MergedWithNext")
    return Behavior::MergedWithNext;
  if (name == "Contiguous")
    return Behavior::Contiguous;
  throw InputError("tokenizer.json: unknown split behavior '" + name + "'");
}

struct Part {
  TextRange range;
  bool isMatch;
};

/// Covers `text` by matches and gaps.
std::vector<Part> findParts(const Regex &pattern, std::string_view text,
                            bool invert) {
  std::vector<Part> parts;
  size_t covered = 0;
  for (TextRange match : pattern.findAll(text)) {
    if (match.begin > covered)
      parts.push_back({{covered, match.begin}, invert});
    parts.push_back({match, !invert});
    covered = match.end;
  }
  if (covered < text.size())
    parts.push_back({{covered, text.size()}, invert});
  return parts;
}

/// True if a part joins its neighbour on the side it is merged with.
bool joinsNeighbour(Behavior behavior, bool isMatch, bool neighbourIsMatch) {
  if (behavior == Behavior::Contiguous)
    return isMatch == neighbourIsMatch;
  return isMatch && !neighbourIsMatch;
}

std::vector<Part> mergeParts(std::vector<Part> parts, Behavior behavior) {
  if (behavior == Behavior::Isolated || behavior == Behavior::Removed)
    return parts;
  bool backwards = behavior == Behavior::MergedWithNext;
  if (backwards)
    std::reverse(parts.begin(), parts.end());
  std::vector<Part> merged;
  bool neighbourIsMatch = false;
  for (const Part &part : parts) {
    bool joins = !merged.empty() &&
                 joinsNeighbour(behavior, part.isMatch, neighbourIsMatch);
    if (!joins)
      merged.push_back(part);
    else if (backwards)
      merged.back().range.begin = part.range.begin;
    else
      merged.back().range.end = part.range.end;
    neighbourIsMatch = part.isMatch;
  }
  if (backwards)
    std::reverse(merged.begin(), merged.end());
  return merged;
}

class Splitter final : public PreTokenizer {
public:
  Splitter(Regex pattern, Behavior behavior, bool invert = false)
      : pattern(std::move(pattern)), behavior(behavior), invert(invert) {}

  std::vector<Word> split(std::vector<Word> words) const override {
    std::vector<Word> result;
    for (const Word &word : words) {
      auto parts = mergeParts(findParts(pattern, word.text, invert), behavior);
      for (const Part &part : parts) {
        auto [begin, end] = part.range;
        bool isRemoved = behavior == Behavior::Removed && part.isMatch;
        if (begin < end && !isRemoved)
          result.push_back({word.text.substr(begin, end - begin),
                            word.startsText && begin == 0});
      }
    }
    return result;
  }

private:
  Regex pattern;
  Behavior behavior;
  bool invert;
};

class ByteLevel final : public PreTokenizer {
public:
  ByteLevel(const json &config, const ByteAlphabet &alphabet)
      : alphabet(alphabet),
        addsPrefixSpace(getOr(config, "add_prefix_space", true)),
        splits(getOr(config, "use_regex", true)),
        splitter(Regex(kGpt2Pattern), Behavior::Isolated) {}

  std::vector<Word> split(std::vector<Word> words) const override {
    if (addsPrefixSpace)
      for (Word &word : words)
        if (word.text.front() != ' ')
          word.text.insert(0, " ");
    if (splits)
      words = splitter.split(std::move(words));
    for (Word &word : words)
      word.text = alphabet.spell(word.text);
    return words;
  }

private:
  const ByteAlphabet &alphabet;
  bool addsPrefixSpace;
  bool splits;
  Splitter splitter;
};

/// Writes spaces as a visible character, as SentencePiece does.
class Metaspace final : public PreTokenizer {
public:
  explicit Metaspace(const json &config)
      : replacement(getOr<std::string>(config, "replacement", "\u2581")),
        scheme(getOr<std::string>(
            config, "prepend_scheme",
            getOr(config, "add_prefix_space", true) ? "always" : "never")),
        splits(getOr(config, "split", true)), space(Regex::literal(" ")),
        splitter(Regex::literal(replacement), Behavior::MergedWithNext) {
    if (scheme != "always" && scheme != "first" && scheme != "never")
      throw InputError("tokenizer.json: unknown prepend_scheme '" + scheme +
                       "'");
  }

  std::vector<Word> split(std::vector<Word> words) const override {
    for (Word &word : words) {
      word.text = replaceAll(space, replacement, word.text);
      bool prepends =
          scheme == "always" || (scheme == "first" && word.startsText);
      bool has = word.text.compare(0, replacement.size(), replacement) == 0;
      if (prepends && !has)
        word.text.insert(0, replacement);
    }
    return splits ? splitter.split(std::move(words)) : words;
  }

private:
  std::string replacement;
  std::string scheme;
  bool splits;
  Regex space;
  Splitter splitter;
};

class Sequence final : public PreTokenizer {
public:
  Sequence(const json &config, const ByteAlphabet &alphabet) {
    for (const json &member : config.at("pretokenizers"))
      members.push_back(create(member, alphabet));
  }

  std::vector<Word> split(std::vector<Word> words) const override {
    for (const auto &member : members)
      words = member->split(std::move(words));
    return words;
  }

private:
  std::vector<std::unique_ptr<PreTokenizer>> members;
};

class Identity final : public PreTokenizer {
public:
  std::vector<Word> split(std::vector<Word> words) const override {
    return words;
  }
};

/// The kinds that are one pattern; null for any other.
std::unique_ptr<PreTokenizer> createSplitter(const std::string &type,
                                             const json &config) {
  auto make = [](Regex pattern, Behavior behavior, bool invert = false) {
    return std::make_unique<Splitter>(std::move(pattern), behavior, invert);
  };
  if (type == "Split")
    return make(readPattern(config.at("pattern")), readBehavior(config),
                getOr(config, "invert", false));
  if (type == "Digits")
    return make(Regex(R"(\p{N})"), getOr(config, "individual_digits", false)
                                       ? Behavior::Isolated
                                       : Behavior::Contiguous);
  if (type == "Punctuation")
    return make(Regex(R"([\p{P}$+<=>^`|~])"), readBehavior(config));
  if (type == "Whitespace") {
    std::string word = kRustWordSet;
    return make(Regex("[" + word + "]+|[^" + word + "\\s]+"), Behavior::Removed,
                /*invert=*/true);
  }
  if (type == "WhitespaceSplit")
    return make(Regex(R"(\s)"), Behavior::Removed);
  if (type == "CharDelimiterSplit")
    return make(Regex::literal(config.at("delimiter").get<std::string>()),
                Behavior::Removed);
  return nullptr;
}

} // namespace

std::unique_ptr<PreTokenizer>
PreTokenizer::create(const json &config, const ByteAlphabet &alphabet) {
  if (config.is_null())
    return std::make_unique<Identity>();
  std::string type = config.at("type").get<std::string>();
  if (type == "Sequence")
    return std::make_unique<Sequence>(config, alphabet);
  if (type == "ByteLevel")
    return std::make_unique<ByteLevel>(config, alphabet);
  if (type == "Metaspace")
    return std::make_unique<Metaspace>(config);
  if (auto splitter = createSplitter(type, config))
    return splitter;
  throw InputError("tokenizer.json: pre-tokenizer '" + type +
                   "' is not supported; supported are ByteLevel, "
                   "CharDelimiterSplit, Digits, Metaspace, Punctuation, "
                   "Sequence, Split, Whitespace and WhitespaceSplit");
}
