//===- TokenDecoder.h - spellings of tokens to text -------------*- C++ -*-===//
#ifndef TERN_LIB_RUNTIME_TOKENIZER_TOKENDECODER_H
#define TERN_LIB_RUNTIME_TOKENIZER_TOKENDECODER_H

#include "ByteAlphabet.h"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tern::runtime {

/// One step from the spellings of a sequence's tokens to its text. Takes and
/// gives pieces; what all pieces together say does not depend on how far a
/// step holds them back.
class DecoderStep {
public:
  using Output = std::function<void(std::string)>;

  virtual ~DecoderStep() = default;
  virtual void push(std::string piece, const Output &output) = 0;
  /// The sequence ends: gives what was held back.
  virtual void finish(const Output &) {}
};

/// The member `decoder`. Supports ByteFallback, ByteLevel, Fuse, Metaspace,
/// Replace, Strip and Sequences of these; without one, spaces go between
/// tokens. Immutable: makes the steps for each sequence.
class TokenDecoder {
public:
  using Steps = std::vector<std::unique_ptr<DecoderStep>>;

  /// \throws InputError that names an unsupported kind.
  TokenDecoder(const nlohmann::json &config, const ByteAlphabet &alphabet);

  /// Steps at the start of a sequence.
  Steps makeSteps() const;

private:
  using Factory = std::function<std::unique_ptr<DecoderStep>()>;

  void add(const nlohmann::json &config);
  void addReplace(const nlohmann::json &config);
  void addStrip(const nlohmann::json &config);
  void addMetaspace(const nlohmann::json &config);

  const ByteAlphabet &alphabet;
  /// Behind a step that joins all pieces to one: a piece is then no unit any
  /// more, only what has come so far.
  bool isFused = false;
  std::vector<Factory> factories;
};

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_TOKENIZER_TOKENDECODER_H
