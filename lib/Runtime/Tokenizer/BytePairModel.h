//===- BytePairModel.h - merges symbols into tokens -------------*- C++ -*-===//
#ifndef TERN_LIB_RUNTIME_TOKENIZER_BYTEPAIRMODEL_H
#define TERN_LIB_RUNTIME_TOKENIZER_BYTEPAIRMODEL_H

#include "TokenizerJson.h"
#include "Vocabulary.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tern::runtime {

/// Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909): a word starts
/// as its characters; the adjacent pair whose merge has the lowest rank, the
/// leftmost of several, is replaced by its merge until none is left.
class BytePairModel {
public:
  /// Takes the large tables out of `json`.
  /// \throws InputError if the model is of another kind or inconsistent.
  explicit BytePairModel(TokenizerJson &json);

  const Vocabulary &getVocabulary() const { return vocabulary; }

  /// Appends the ids of `word` (valid UTF-8) to `ids`. O(n log n).
  void encode(std::string_view word, std::vector<int64_t> &ids) const;

private:
  struct Symbol;
  struct Candidate;

  void readMerges(TokenizerJson &json);
  std::vector<Symbol> splitIntoSymbols(std::string_view word) const;
  void addUnknown(std::string_view character, bool &lastIsUnknown,
                  std::vector<Symbol> &symbols) const;
  bool addBytes(std::string_view spelling, std::vector<Symbol> &symbols) const;
  void applyMerges(std::vector<Symbol> &symbols) const;

  Vocabulary vocabulary;
  MergeTable merges;
  std::string prefix; // of a character that does not start a word
  std::string suffix; // of the character that ends a word
  std::optional<int32_t> unknown;
  bool fuseUnknown;  // one token for a run of unknown characters
  bool byteFallback; // unknown characters become <0xNN>
  bool ignoreMerges; // a word in the vocabulary is not split
};

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_TOKENIZER_BYTEPAIRMODEL_H
