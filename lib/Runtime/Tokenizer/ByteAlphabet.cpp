//===- ByteAlphabet.cpp - GPT-2's printable names of the bytes ------------===//

#include "ByteAlphabet.h"

#include "tern/Runtime/Utf8.h"

using namespace tern::runtime;

/// Printable in Latin-1, without the space, the no-break space and the soft
/// hyphen.
static bool namesItself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
         byte >= 0xAE;
}

ByteAlphabet::ByteAlphabet() {
  byteOf.fill(-1);
  char32_t nextFree = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    char32_t name =
        namesItself(byte) ? static_cast<char32_t>(byte) : nextFree++;
    appendUtf8(names[static_cast<size_t>(byte)], name);
    byteOf[name] = static_cast<int16_t>(byte);
  }
}

std::string ByteAlphabet::spell(std::string_view text) const {
  std::string result;
  result.reserve(text.size());
  for (char c : text)
    result += names[static_cast<uint8_t>(c)];
  return result;
}

std::string ByteAlphabet::unspell(std::string_view token) const {
  std::string result;
  for (size_t index = 0; index < token.size();) {
    CodePoint point = decodeUtf8(token, index);
    if (point.value >= byteOf.size() || byteOf[point.value] < 0)
      return std::string(token);
    result += static_cast<char>(byteOf[point.value]);
    index += point.size;
  }
  return result;
}
