//===- InfoCommand.cpp - describes a compiled model -----------------------===//

#include "tern/Runtime/Commands.h"

#include "tern/Runtime/CpuFeatures.h"
#include "tern/Runtime/Error.h"
#include "tern/Runtime/Session.h"

#include <nlohmann/json.hpp>

#include <numeric>

using namespace tern::runtime;
// Keeps the order in which members are added.
using json = nlohmann::ordered_json;

namespace {

const char *describeCache(int32_t kind) {
  switch (kind) {
  case TERN_CACHE_IN_PLACE:
    return "appended in place";
  case TERN_CACHE_RETURNED:
    return "returned by every call";
  default:
    return "none: every token recomputes the sequence";
  }
}

/// Bytes of all buffers, at the whole context.
int64_t countCacheBytes(const TernLanguageModel &model) {
  return std::accumulate(model.caches, model.caches + model.num_caches,
                         int64_t(0),
                         [](int64_t sum, const TernCacheSpec &cache) {
                           return sum + cache.bytes;
                         });
}

json describeSpecs(const TernTensorSpec *specs, int32_t count) {
  json result = json::object();
  for (int32_t i = 0; i < count; ++i)
    result[specs[i].name] = describeSpec(specs[i]);
  return result;
}

json describeModel(const TernModel &model) {
  json info;
  info["name"] = model.name;
  info["producer"] = model.producer;
  info["kind"] = model.language_model ? "language model" : "tensor function";
  if (const TernLanguageModel *language = model.language_model) {
    info["vocabulary"] = language->vocab;
    info["context"] = language->context;
    info["cache"] = describeCache(language->cache_kind);
    if (language->cache_kind == TERN_CACHE_IN_PLACE)
      info["cache_bytes"] = countCacheBytes(*language);
  }
  info["tokenizer_bytes"] = model.tokenizer ? model.tokenizer_size : 0;
  info["inputs"] = describeSpecs(model.inputs, model.num_inputs);
  info["outputs"] = describeSpecs(model.outputs, model.num_outputs);
  info["variants"] = json::array();
  for (int32_t i = 0; i < model.num_variants; ++i)
    info["variants"].push_back(model.variants[i].name);
  return info;
}

/// One "key: value" a line; members of objects indented below their key.
void print(const json &object, const std::string &indent, std::string &text) {
  for (const auto &[key, value] : object.items()) {
    text += indent + key + ":";
    if (value.is_object() && !value.empty()) {
      text += "\n";
      print(value, indent + "  ", text);
      continue;
    }
    text += " " +
            (value.is_string()
                 ? value.get<std::string>()
                 : value.dump(-1, ' ', false, json::error_handler_t::replace)) +
            "\n";
  }
}

} // namespace

int tern::runtime::showInfo(const CommandLine &line, const TernModel &model) {
  json info = describeModel(model);
  info["variant"] = selectVariantForThisCpu(model).name;
  info["threads"] = line.threads;
  if (model.details) {
    json details = json::parse(model.details, nullptr, /*exceptions=*/false);
    if (!details.is_object())
      throw InputError("the model's details are no JSON object");
    info["details"] = std::move(details);
  }
  std::string text;
  if (line.json)
    text = info.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  else
    print(info, "", text);
  writeOutput(text);
  return 0;
}
