//===- PreTokenizer.h - splits text into words ------------------*- C++ -*-===//
#ifndef TERN_LIB_RUNTIME_TOKENIZER_PRETOKENIZER_H
#define TERN_LIB_RUNTIME_TOKENIZER_PRETOKENIZER_H

#include "ByteAlphabet.h"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>
#include <vector>

namespace tern::runtime {

/// A part of the text that becomes tokens by itself.
struct Word {
  std::string text;
  bool startsText; ///< at the start of the whole text
};

/// Splits or rewrites words. Nothing is merged across the words it is given.
class PreTokenizer {
public:
  virtual ~PreTokenizer() = default;

  /// \param config  the member `pre_tokenizer`; null for none. Supports
  /// ByteLevel, CharDelimiterSplit, Digits, Metaspace, Punctuation, Sequence,
  /// Split, Whitespace and WhitespaceSplit.
  /// \throws InputError that names an unsupported kind.
  static std::unique_ptr<PreTokenizer> create(const nlohmann::json &config,
                                              const ByteAlphabet &alphabet);

  /// Words without text vanish.
  virtual std::vector<Word> split(std::vector<Word> words) const = 0;
};

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_TOKENIZER_PRETOKENIZER_H
