//===- AddedTokens.h - tokens that are found before splitting ---*- C++ -*-===//
#ifndef TERN_LIB_RUNTIME_TOKENIZER_ADDEDTOKENS_H
#define TERN_LIB_RUNTIME_TOKENIZER_ADDEDTOKENS_H

#include "Normalizer.h"
#include "Regex.h"
#include "Vocabulary.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace tern::runtime {

/// A part of a text: an added token, or (id -1) text between two.
struct TextPart {
  TextRange range;
  int64_t id;
};

/// The member `added_tokens`: begin and end tokens and whatever else is one
/// token wherever it stands in a text.
class AddedTokens {
public:
  /// \param config  the member `added_tokens`; null for none.
  AddedTokens(const nlohmann::json &config, const Vocabulary &vocabulary,
              const Normalizer &normalizer);

  /// Cuts `text` at the tokens that are matched as they are written
  /// (`normalized` false), or at those matched in normalised text.
  std::vector<TextPart> split(std::string_view text, bool normalized) const;

  /// In normalised text, for a token that is matched there. Nothing if no added
  /// token has this id.
  std::optional<std::string_view> findSpelling(int64_t id) const;
  std::optional<int64_t> findId(const std::string &spelling) const;
  /// Forgets what `split` and `findId` need: they find nothing more.
  void dropPatterns();

  /// Special tokens stand for no text.
  bool isSpecial(int64_t id) const { return special.count(id) != 0; }

private:
  struct Token {
    int64_t id;
    std::string spelling;
    bool singleWord; ///< only between characters that are not of a word
    bool leftStrip;  ///< takes the white space before it
    bool rightStrip; ///< and after it
  };

  /// A prefix tree over patterns: finds the longest that starts at a place.
  struct Node {
    std::vector<std::pair<char, int32_t>> children;
    int32_t token = -1; // index into tokens of a pattern that ends here
  };
  using Tree = std::vector<Node>;

  static void insert(Tree &tree, std::string_view pattern, int32_t token);
  static int32_t findLongest(const Tree &tree, std::string_view text,
                             size_t &size);
  bool isWord(std::string_view character) const;
  bool isSingleWord(std::string_view text, TextRange range) const;

  std::vector<Token> tokens;
  std::unordered_map<int64_t, int32_t> byId;    // last token with an id
  std::unordered_map<std::string, int64_t> ids; // by spelling
  std::unordered_set<int64_t> special;
  Tree asWritten, inNormalized;
  Regex wordCharacter;
};

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_TOKENIZER_ADDEDTOKENS_H
