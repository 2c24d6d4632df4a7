//===- TokenizerJson.h - the contents of tokenizer.json ---------*- C++ -*-===//
#ifndef TERN_LIB_RUNTIME_TOKENIZER_TOKENIZERJSON_H
#define TERN_LIB_RUNTIME_TOKENIZER_TOKENIZERJSON_H

#include "Vocabulary.h"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tern::runtime {

/// The two large members, `model.vocab` and `model.merges`, go straight into
/// their tables; `rest` holds everything else.
struct TokenizerJson {
  nlohmann::json rest;
  Vocabulary vocabulary;
  std::vector<std::pair<std::string, std::string>> merges;
};

/// \throws InputError if `text` is no JSON, or the vocabulary or the merges are
/// malformed.
TokenizerJson parseTokenizerJson(std::string_view text);

/// The member `key` of `object`, or `fallback` if it is absent or null.
/// \throws nlohmann::json::exception if it has another type.
template <typename T>
T getOr(const nlohmann::json &object, const char *key, T fallback) {
  auto it = object.find(key);
  return it == object.end() || it->is_null() ? fallback : it->get<T>();
}

/// The member `key`, or null.
const nlohmann::json &getMember(const nlohmann::json &object, const char *key);

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_TOKENIZER_TOKENIZERJSON_H
