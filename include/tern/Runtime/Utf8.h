//===- Utf8.h - reading and repairing UTF-8 ---------------------*- C++ -*-===//
//
// Invalid bytes become U+FFFD, one for each "maximal subpart" (Unicode 15,
// section 3.9), which is also what Python's errors="replace" and Rust's
// from_utf8_lossy do.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_RUNTIME_UTF8_H
#define TERN_RUNTIME_UTF8_H

#include <cstddef>
#include <string>
#include <string_view>

namespace tern::runtime {

/// One code point, or what stands in its place.
struct CodePoint {
  enum Status {
    Valid,
    Invalid,  ///< no continuation of the text makes these bytes valid
    Truncated ///< the text ends inside a code point
  };
  char32_t value; ///< U+FFFD unless valid
  size_t size;    ///< bytes it takes, at least 1
  Status status;
};

/// Decodes the code point that starts at `text[index]`; requires
/// `index < text.size()`.
CodePoint decodeUtf8(std::string_view text, size_t index);

/// Appends the UTF-8 form of `value`, a Unicode scalar value.
void appendUtf8(std::string &text, char32_t value);

/// Returns `text` with every invalid sequence replaced by U+FFFD.
std::string repairUtf8(std::string_view text);

/// Repairs a stream of bytes whose pieces may end inside a code point.
class Utf8Stream {
public:
  /// Returns what is complete after `bytes`: valid UTF-8, perhaps empty.
  std::string push(std::string_view bytes);

  /// Ends the stream: U+FFFD if it stops inside a code point, else nothing.
  std::string finish();

private:
  std::string pending;
};

} // namespace tern::runtime

#endif // TERN_RUNTIME_UTF8_H
