//===- ByteAlphabet.h - GPT-2's printable names of the bytes ----*- C++ -*-===//
#ifndef TERN_LIB_RUNTIME_TOKENIZER_BYTEALPHABET_H
#define TERN_LIB_RUNTIME_TOKENIZER_BYTEALPHABET_H

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tern::runtime {

/// Byte-level vocabularies spell each byte as one printable character: itself
/// if it is printable in Latin-1, else the next free one from U+0100 on
/// (Radford et al. 2019, bytes_to_unicode). "Ġ" is the space.
class ByteAlphabet {
public:
  ByteAlphabet();

  /// Spells the bytes of `text`.
  std::string spell(std::string_view text) const;

  /// Returns the bytes that `token` spells, or `token` itself if one of its
  /// characters is no byte's name.
  std::string unspell(std::string_view token) const;

private:
  std::array<std::string, 256> names; // by byte
  std::array<int16_t, 0x180> byteOf;  // by code point; -1: no name
};

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_TOKENIZER_BYTEALPHABET_H
