//===- Normalizer.h - rewrites text before it is split ----------*- C++ -*-===//
#ifndef TERN_LIB_RUNTIME_TOKENIZER_NORMALIZER_H
#define TERN_LIB_RUNTIME_TOKENIZER_NORMALIZER_H

#include "Regex.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tern::runtime {

/// A pattern of tokenizer.json: {"String": …} or {"Regex": …}.
/// \throws InputError for anything else.
Regex readPattern(const nlohmann::json &pattern);

/// Puts `content` in place of every match.
std::string replaceAll(const Regex &pattern, std::string_view content,
                       std::string_view text);

/// Supports Prepend, Replace, and Sequences of these.
class Normalizer {
public:
  /// \param config  the member `normalizer`; null for none.
  /// \throws InputError that names an unsupported kind.
  explicit Normalizer(const nlohmann::json &config);

  std::string normalize(std::string_view text) const;

private:
  /// Prepends `content` to text that is not empty, or replaces matches by it.
  struct Step {
    std::vector<Regex> pattern; // empty: prepend
    std::string content;
  };

  void add(const nlohmann::json &config);

  std::vector<Step> steps;
};

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_TOKENIZER_NORMALIZER_H
