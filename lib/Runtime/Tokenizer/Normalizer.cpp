//===- Normalizer.cpp - rewrites text before it is split ------------------===//

#include "Normalizer.h"

#include "TokenizerJson.h"

#include "tern/Runtime/Error.h"

using namespace tern::runtime;
using nlohmann::json;

Regex tern::runtime::readPattern(const json &pattern) {
  if (pattern.is_object() && pattern.contains("String"))
    return Regex::literal(pattern["String"].get_ref<const std::string &>());
  if (pattern.is_object() && pattern.contains("Regex"))
    return Regex(pattern["Regex"].get_ref<const std::string &>());
  throw InputError("tokenizer.json: expected a String or a Regex pattern, "
                   "found " +
                   pattern.dump());
}

std::string tern::runtime::replaceAll(const Regex &pattern,
                                      std::string_view content,
                                      std::string_view text) {
  std::string result;
  size_t copied = 0;
  for (TextRange match : pattern.findAll(text)) {
    result += text.substr(copied, match.begin - copied);
    result += content;
    copied = match.end;
  }
  return result += text.substr(copied);
}

Normalizer::Normalizer(const json &config) { add(config); }

void Normalizer::add(const json &config) {
  if (config.is_null())
    return;
  std::string type = config.at("type").get<std::string>();
  if (type == "Sequence") {
    for (const json &member : config.at("normalizers"))
      add(member);
    return;
  }
  Step step;
  if (type == "Prepend") {
    step.content = config.at("prepend").get<std::string>();
  } else if (type == "Replace") {
    step.pattern.push_back(readPattern(config.at("pattern")));
    step.content = config.at("content").get<std::string>();
  } else {
    throw InputError("tokenizer.json: normalizer '" + type +
                     "' is not supported; supported are Prepend, Replace and "
                     "Sequence");
  }
  steps.push_back(std::move(step));
}

std::string Normalizer::normalize(std::string_view text) const {
  std::string result(text);
  for (const Step &step : steps) {
    if (!step.pattern.empty())
      result = replaceAll(step.pattern[0], step.content, result);
    else if (!result.empty())
      result = step.content + result;
  }
  return result;
}
