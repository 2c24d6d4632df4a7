//===- AddedTokens.cpp - tokens that are found before splitting -----------===//

#include "AddedTokens.h"

#include "TokenizerJson.h"

#include "tern/Runtime/Utf8.h"

#include <algorithm>

using namespace tern::runtime;
using nlohmann::json;

/// Unicode's property White_Space.
static bool isWhiteSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// Returns where the last code point of `text`, which is not empty, starts.
static size_t findLastCodePoint(std::string_view text) {
  size_t index = text.size() - 1;
  while (index > 0 && (text[index] & 0xC0) == 0x80)
    --index;
  return index;
}

static size_t skipSpaceBackward(std::string_view text, size_t end) {
  while (end > 0) {
    size_t last = findLastCodePoint(text.substr(0, end));
    if (!isWhiteSpace(decodeUtf8(text, last).value))
      break;
    end = last;
  }
  return end;
}

static size_t skipSpaceForward(std::string_view text, size_t begin) {
  while (begin < text.size()) {
    CodePoint point = decodeUtf8(text, begin);
    if (!isWhiteSpace(point.value))
      break;
    begin += point.size;
  }
  return begin;
}

AddedTokens::AddedTokens(const json &config, const Vocabulary &vocabulary,
                         const Normalizer &normalizer)
    : asWritten(1), inNormalized(1),
      wordCharacter(std::string("[") + kRustWordSet + "]") {
  for (const json &entry : config) {
    Token token;
    token.spelling = entry.at("content").get<std::string>();
    // A token that the model knows keeps the model's id.
    std::optional<int32_t> known = vocabulary.findId(token.spelling);
    token.id = known ? *known : entry.at("id").get<int64_t>();
    token.singleWord = getOr(entry, "single_word", false);
    token.leftStrip = getOr(entry, "lstrip", false);
    token.rightStrip = getOr(entry, "rstrip", false);
    bool isSpecial = getOr(entry, "special", false);
    bool isNormalized = getOr(entry, "normalized", !isSpecial);
    if (token.spelling.empty() ||
        !ids.try_emplace(token.spelling, token.id).second)
      continue;
    if (isSpecial)
      special.insert(token.id);
    int32_t index = static_cast<int32_t>(tokens.size());
    if (isNormalized) {
      token.spelling = normalizer.normalize(token.spelling);
      insert(inNormalized, token.spelling, index);
    } else {
      insert(asWritten, token.spelling, index);
    }
    byId[token.id] = index;
    tokens.push_back(std::move(token));
  }
}

void AddedTokens::insert(Tree &tree, std::string_view pattern, int32_t token) {
  size_t node = 0;
  for (char c : pattern) {
    auto &children = tree[node].children;
    auto it = std::find_if(children.begin(), children.end(),
                           [&](const auto &child) { return child.first == c; });
    if (it != children.end()) {
      node = static_cast<size_t>(it->second);
      continue;
    }
    children.emplace_back(c, static_cast<int32_t>(tree.size()));
    node = tree.size();
    tree.emplace_back();
  }
  // The first of several equal patterns wins; an empty one never matches.
  if (node != 0 && tree[node].token < 0)
    tree[node].token = token;
}

/// Returns the token with the longest pattern that `text` starts with, or -1.
int32_t AddedTokens::findLongest(const Tree &tree, std::string_view text,
                                 size_t &size) {
  int32_t longest = -1;
  size_t node = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto &children = tree[node].children;
    auto it =
        std::find_if(children.begin(), children.end(),
                     [&](const auto &child) { return child.first == text[i]; });
    if (it == children.end())
      break;
    node = static_cast<size_t>(it->second);
    if (tree[node].token >= 0) {
      longest = tree[node].token;
      size = i + 1;
    }
  }
  return longest;
}

bool AddedTokens::isWord(std::string_view character) const {
  return !wordCharacter.findAll(character).empty();
}

bool AddedTokens::isSingleWord(std::string_view text, TextRange range) const {
  if (range.begin > 0) {
    size_t last = findLastCodePoint(text.substr(0, range.begin));
    if (isWord(text.substr(last, range.begin - last)))
      return false;
  }
  if (range.end == text.size())
    return true;
  return !isWord(text.substr(range.end, decodeUtf8(text, range.end).size));
}

std::vector<TextPart> AddedTokens::split(std::string_view text,
                                         bool normalized) const {
  const Tree &tree = normalized ? inNormalized : asWritten;
  std::vector<TextPart> parts;
  size_t covered = 0;
  size_t size = 0;
  for (size_t index = 0; index < text.size(); index += size) {
    int32_t found = findLongest(tree, text.substr(index), size);
    if (found < 0) {
      size = 1;
      continue;
    }
    const Token &token = tokens[static_cast<size_t>(found)];
    TextRange range = {index, index + size};
    if (token.singleWord && !isSingleWord(text, range))
      continue;
    // The token before may have taken the space already.
    if (token.leftStrip)
      range.begin = std::max(skipSpaceBackward(text, range.begin), covered);
    if (token.rightStrip)
      range.end = skipSpaceForward(text, range.end);
    if (covered < range.begin)
      parts.push_back({{covered, range.begin}, -1});
    parts.push_back({range, token.id});
    covered = range.end;
  }
  if (covered < text.size())
    parts.push_back({{covered, text.size()}, -1});
  return parts;
}

void AddedTokens::dropPatterns() {
  asWritten = inNormalized = Tree(1);
  ids = {};
}

std::optional<std::string_view> AddedTokens::findSpelling(int64_t id) const {
  auto it = byId.find(id);
  if (it == byId.end())
    return std::nullopt;
  return tokens[static_cast<size_t>(it->second)].spelling;
}

std::optional<int64_t> AddedTokens::findId(const std::string &spelling) const {
  auto it = ids.find(spelling);
  if (it == ids.end())
    return std::nullopt;
  return it->second;
}
