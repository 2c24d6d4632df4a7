//===- SpecialTokens.cpp - the ids that begin and end a text --------------===//

#include "tern/Runtime/SpecialTokens.h"

#include "tern/Runtime/Error.h"

#include <nlohmann/json.hpp>

#include <string>

using namespace tern::runtime;
using nlohmann::json;

namespace {

constexpr const char *kBeginNames[] = {"<|begin_of_text|>", "<s>", "<bos>",
                                       "<|startoftext|>"};
constexpr const char *kEndNames[] = {
    "<|end_of_text|>", "<|eot_id|>", "</s>",  "<|endoftext|>",
    "<|im_end|>",      "<|end|>",    "<eos>", "<end_of_turn>"};

void readDetails(const json &details, SpecialTokens &tokens) {
  if (auto it = details.find("bos_token_id");
      it != details.end() && !it->is_null())
    tokens.begin = it->get<int64_t>();
  if (auto it = details.find("eos_token_ids");
      it != details.end() && !it->is_null())
    tokens.ends = it->get<std::vector<int64_t>>();
}

} // namespace

SpecialTokens tern::runtime::findSpecialTokens(const TernModel &model,
                                               const Tokenizer &tokenizer) {
  SpecialTokens tokens;
  try {
    if (model.details)
      readDetails(json::parse(model.details), tokens);
  } catch (const json::exception &error) {
    throw InputError(std::string("the model's details: ") + error.what());
  }
  for (const char *name : kBeginNames)
    if (!tokens.begin)
      tokens.begin = tokenizer.findToken(name);
  if (tokens.ends.empty())
    for (const char *name : kEndNames)
      if (std::optional<int64_t> id = tokenizer.findToken(name))
        tokens.ends.push_back(*id);
  return tokens;
}
