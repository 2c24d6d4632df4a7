//===- UnicodeSupplement.h - characters newer than PCRE2's ------*- C++ -*-===//
#ifndef TERN_LIB_RUNTIME_TOKENIZER_UNICODESUPPLEMENT_H
#define TERN_LIB_RUNTIME_TOKENIZER_UNICODESUPPLEMENT_H

#include <string>
#include <string_view>

namespace tern::runtime {

/// Debian 12's PCRE2 knows Unicode 14, the `tokenizers` package Unicode 16.
/// Returns the characters that the general category `category` ("L",
/// "Lu" and so on) has gained in between, as ranges for use inside brackets;
/// empty for a category that is not listed.
std::string getSupplement(std::string_view category);

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_TOKENIZER_UNICODESUPPLEMENT_H
