//===- Tokenizer.h - text to token ids and back -----------------*- C++ -*-===//
//
// Reads the tokenizer.json of Hugging Face's `tokenizers` package and gives the
// same ids and text. Supported is byte-pair encoding with the splitting rules
// of GPT-2, Llama 2 and Llama 3 and their relatives; anything else is refused
// by name.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_RUNTIME_TOKENIZER_H
#define TERN_RUNTIME_TOKENIZER_H

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tern::runtime {

/// Turns the tokens of one sequence into text as they come.
class TextStream {
public:
  virtual ~TextStream() = default;

  /// Returns the text that is certain after `token`: complete UTF-8, perhaps
  /// empty. Special tokens and unknown ids give none.
  virtual std::string push(int64_t token) = 0;

  /// Ends the sequence and returns what was held back.
  virtual std::string finish() = 0;
};

/// Immutable once made, but for keepDecoderOnly.
class Tokenizer {
public:
  /// \param json  the bytes of tokenizer.json.
  /// \throws InputError if it is malformed or uses an unsupported part.
  explicit Tokenizer(std::string_view json);
  Tokenizer(Tokenizer &&) noexcept;
  Tokenizer &operator=(Tokenizer &&) noexcept;
  ~Tokenizer();

  /// Returns the ids of `text`, with the tokens that the tokenizer adds to
  /// every sequence (the begin token). Invalid UTF-8 counts as U+FFFD; special
  /// tokens in the text are recognised. O(n log n).
  std::vector<int64_t> encode(std::string_view text) const;

  /// Frees what `encode` and `findToken` need, most of the memory of a large
  /// vocabulary: they throw std::logic_error from then on. Streams go on.
  void keepDecoderOnly();

  /// Returns the text of `tokens` without special tokens.
  std::string decode(const std::vector<int64_t> &tokens) const;

  /// A stream at the start of a sequence. The tokenizer outlives it.
  std::unique_ptr<TextStream> makeTextStream() const;

  /// The id of the token that is spelled `token` in the vocabulary.
  std::optional<int64_t> findToken(std::string_view token) const;

private:
  /// \throws std::logic_error after keepDecoderOnly.
  void checkEncodes() const;

  struct Parts;
  std::unique_ptr<Parts> parts;
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_TOKENIZER_H
