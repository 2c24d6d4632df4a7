//===- Utf8.cpp - reading and repairing UTF-8 -----------------------------===//

#include "tern/Runtime/Utf8.h"

#include <cstdint>

using namespace tern::runtime;

namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::string_view kReplacementText = "\xEF\xBF\xBD";

/// What the first byte says about the rest (Unicode 15, table 3-7).
struct Lead {
  size_t size;       ///< bytes of the code point; 0: not a first byte
  uint8_t low, high; ///< limits of the second byte
  uint8_t bits;      ///< payload of the first byte
};

Lead classifyLead(uint8_t byte) {
  if (byte < 0x80)
    return {1, 0, 0, byte};
  if (byte >= 0xC2 && byte <= 0xDF)
    return {2, 0x80, 0xBF, static_cast<uint8_t>(byte & 0x1F)};
  if (byte >= 0xE0 && byte <= 0xEF) {
    uint8_t low = byte == 0xE0 ? 0xA0 : 0x80;  // no overlong forms
    uint8_t high = byte == 0xED ? 0x9F : 0xBF; // no surrogates
    return {3, low, high, static_cast<uint8_t>(byte & 0x0F)};
  }
  if (byte >= 0xF0 && byte <= 0xF4) {
    uint8_t low = byte == 0xF0 ? 0x90 : 0x80;
    uint8_t high = byte == 0xF4 ? 0x8F : 0xBF; // at most U+10FFFF
    return {4, low, high, static_cast<uint8_t>(byte & 0x07)};
  }
  return {0, 0, 0, 0};
}

/// Appends the repaired form of `text` to `result`; returns where a truncated
/// code point at the end starts, or the size of `text`.
size_t repairComplete(std::string_view text, std::string &result) {
  size_t index = 0;
  while (index < text.size()) {
    CodePoint point = decodeUtf8(text, index);
    if (point.status == CodePoint::Truncated)
      return index;
    if (point.status == CodePoint::Valid)
      result.append(text.substr(index, point.size));
    else
      result.append(kReplacementText);
    index += point.size;
  }
  return index;
}

} // namespace

CodePoint tern::runtime::decodeUtf8(std::string_view text, size_t index) {
  Lead lead = classifyLead(static_cast<uint8_t>(text[index]));
  if (lead.size == 0)
    return {kReplacement, 1, CodePoint::Invalid};
  char32_t value = lead.bits;
  for (size_t i = 1; i < lead.size; ++i) {
    if (index + i >= text.size())
      return {kReplacement, i, CodePoint::Truncated};
    uint8_t byte = static_cast<uint8_t>(text[index + i]);
    uint8_t low = i == 1 ? lead.low : 0x80;
    uint8_t high = i == 1 ? lead.high : 0xBF;
    if (byte < low || byte > high)
      return {kReplacement, i, CodePoint::Invalid};
    value = (value << 6) | (byte & 0x3F);
  }
  return {value, lead.size, CodePoint::Valid};
}

void tern::runtime::appendUtf8(std::string &text, char32_t value) {
  auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (value < 0x80) {
    put(value);
    return;
  }
  if (value < 0x800) {
    put(0xC0 | (value >> 6));
  } else if (value < 0x10000) {
    put(0xE0 | (value >> 12));
    put(0x80 | ((value >> 6) & 0x3F));
  } else {
    put(0xF0 | (value >> 18));
    put(0x80 | ((value >> 12) & 0x3F));
    put(0x80 | ((value >> 6) & 0x3F));
  }
  put(0x80 | (value & 0x3F));
}

std::string tern::runtime::repairUtf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  if (repairComplete(text, result) != text.size())
    result.append(kReplacementText);
  return result;
}

std::string Utf8Stream::push(std::string_view bytes) {
  pending.append(bytes);
  std::string result;
  pending.erase(0, repairComplete(pending, result));
  return result;
}

std::string Utf8Stream::finish() {
  std::string result = repairUtf8(pending);
  pending.clear();
  return result;
}
