//===- PostProcessor.cpp - tokens that frame every sequence ---------------===//

#include "PostProcessor.h"

#include "TokenizerJson.h"

#include "tern/Runtime/Error.h"

using namespace tern::runtime;
using nlohmann::json;

PostProcessor::PostProcessor(const json &config) { add(config); }

void PostProcessor::add(const json &config) {
  if (config.is_null())
    return;
  std::string type = config.at("type").get<std::string>();
  if (type == "Sequence") {
    for (const json &member : config.at("processors"))
      add(member);
  } else if (type == "TemplateProcessing") {
    addTemplate(config);
  } else if (type != "ByteLevel") {
    throw InputError("tokenizer.json: post-processor '" + type +
                     "' is not supported; supported are ByteLevel, Sequence "
                     "and TemplateProcessing");
  }
}

void PostProcessor::addTemplate(const json &config) {
  std::vector<int64_t> outerBefore, outerAfter;
  bool isSequenceSeen = false;
  for (const json &piece : config.at("single")) {
    if (piece.contains("Sequence")) {
      if (isSequenceSeen)
        throw InputError("tokenizer.json: the template repeats the sequence");
      isSequenceSeen = true;
      continue;
    }
    std::string name = piece.at("SpecialToken").at("id").get<std::string>();
    std::vector<int64_t> &side = isSequenceSeen ? outerAfter : outerBefore;
    const json &ids = config.at("special_tokens").at(name).at("ids");
    for (const json &id : ids)
      side.push_back(id.get<int64_t>());
  }
  if (!isSequenceSeen)
    throw InputError("tokenizer.json: the template lacks the sequence");
  // A later processor of a Sequence frames what the earlier ones made.
  before.insert(before.begin(), outerBefore.begin(), outerBefore.end());
  after.insert(after.end(), outerAfter.begin(), outerAfter.end());
}

std::vector<int64_t>
PostProcessor::process(const std::vector<int64_t> &ids) const {
  std::vector<int64_t> result = before;
  result.insert(result.end(), ids.begin(), ids.end());
  result.insert(result.end(), after.begin(), after.end());
  return result;
}
