//===- Tokenizer.cpp - text to token ids and back -------------------------===//

#include "tern/Runtime/Tokenizer.h"

#include "AddedTokens.h"
#include "BytePairModel.h"
#include "Normalizer.h"
#include "PostProcessor.h"
#include "PreTokenizer.h"
#include "TokenDecoder.h"
#include "TokenizerJson.h"

#include "tern/Runtime/Error.h"
#include "tern/Runtime/Utf8.h"

#include <stdexcept>

using namespace tern::runtime;
using nlohmann::json;

/// The parts of tokenizer.json, in the order in which text goes through them.
struct Tokenizer::Parts {
  explicit Parts(TokenizerJson json)
      : model(std::make_unique<BytePairModel>(json)),
        normalizer(getMember(json.rest, "normalizer")),
        addedTokens(getMember(json.rest, "added_tokens"),
                    model->getVocabulary(), normalizer),
        preTokenizer(PreTokenizer::create(getMember(json.rest, "pre_tokenizer"),
                                          alphabet)),
        postProcessor(getMember(json.rest, "post_processor")),
        decoder(getMember(json.rest, "decoder"), alphabet) {}

  /// Nothing for an id without a token.
  std::optional<std::string_view> findSpelling(int64_t id) const {
    std::optional<std::string_view> added = addedTokens.findSpelling(id);
    if (added)
      return added;
    return model ? model->getVocabulary().findSpelling(id)
                 : spellings->find(id);
  }

  ByteAlphabet alphabet;
  std::unique_ptr<BytePairModel> model;   // null: text is only decoded
  std::optional<SpellingTable> spellings; // then
  Normalizer normalizer;
  AddedTokens addedTokens;
  std::unique_ptr<PreTokenizer> preTokenizer;
  PostProcessor postProcessor;
  TokenDecoder decoder;
};

Tokenizer::Tokenizer(std::string_view text) {
  try {
    parts = std::make_unique<Parts>(parseTokenizerJson(text));
  } catch (const json::exception &error) {
    // A member is missing or has the wrong type.
    throw InputError(std::string("tokenizer.json: ") + error.what());
  }
}

Tokenizer::Tokenizer(Tokenizer &&) noexcept = default;
Tokenizer &Tokenizer::operator=(Tokenizer &&) noexcept = default;
Tokenizer::~Tokenizer() = default;

void Tokenizer::keepDecoderOnly() {
  if (!parts->model)
    return;
  parts->spellings.emplace(parts->model->getVocabulary());
  parts->model.reset();
  parts->preTokenizer.reset();
  parts->addedTokens.dropPatterns();
}

void Tokenizer::checkEncodes() const {
  if (!parts->model)
    throw std::logic_error("the tokenizer only decodes");
}

std::vector<int64_t> Tokenizer::encode(std::string_view text) const {
  checkEncodes();
  std::vector<int64_t> ids;
  auto encodeText = [&](std::string piece, bool startsText) {
    if (piece.empty())
      return;
    std::vector<Word> words;
    words.push_back({std::move(piece), startsText});
    for (const Word &word : parts->preTokenizer->split(std::move(words)))
      parts->model->encode(word.text, ids);
  };

  std::string valid = repairUtf8(text);
  const AddedTokens &added = parts->addedTokens;
  for (const TextPart &part : added.split(valid, /*normalized=*/false)) {
    if (part.id >= 0) {
      ids.push_back(part.id);
      continue;
    }
    auto [begin, end] = part.range;
    std::string normalized = parts->normalizer.normalize(
        std::string_view(valid).substr(begin, end - begin));
    for (const TextPart &inner : added.split(normalized, /*normalized=*/true)) {
      if (inner.id >= 0)
        ids.push_back(inner.id);
      else
        encodeText(normalized.substr(inner.range.begin,
                                     inner.range.end - inner.range.begin),
                   begin == 0 && inner.range.begin == 0);
    }
  }
  return parts->postProcessor.process(ids);
}

namespace {

/// Passes pieces down a chain of steps and collects what comes out.
class StepChain {
public:
  explicit StepChain(TokenDecoder::Steps steps) : steps(std::move(steps)) {}

  std::string push(std::string piece) {
    std::string text;
    pushInto(0, std::move(piece), text);
    return text;
  }

  std::string finish() {
    std::string text;
    for (size_t i = 0; i < steps.size(); ++i)
      steps[i]->finish(
          [&](std::string piece) { pushInto(i + 1, std::move(piece), text); });
    return text;
  }

private:
  void pushInto(size_t index, std::string piece, std::string &text) {
    if (index == steps.size()) {
      text += piece;
      return;
    }
    steps[index]->push(std::move(piece), [&, index](std::string next) {
      pushInto(index + 1, std::move(next), text);
    });
  }

  TokenDecoder::Steps steps;
};

class TokenTextStream final : public TextStream {
public:
  using Lookup = std::function<std::optional<std::string_view>(int64_t)>;

  TokenTextStream(TokenDecoder::Steps steps, Lookup lookup)
      : chain(std::move(steps)), findText(std::move(lookup)) {}

  std::string push(int64_t token) override {
    std::optional<std::string_view> spelling = findText(token);
    return spelling ? chain.push(std::string(*spelling)) : std::string();
  }
  std::string finish() override { return chain.finish(); }

private:
  StepChain chain;
  Lookup findText; // nothing for what stands for no text
};

} // namespace

std::unique_ptr<TextStream> Tokenizer::makeTextStream() const {
  return std::make_unique<TokenTextStream>(
      parts->decoder.makeSteps(),
      [parts = parts.get()](int64_t id) -> std::optional<std::string_view> {
        if (parts->addedTokens.isSpecial(id))
          return std::nullopt;
        return parts->findSpelling(id);
      });
}

std::string Tokenizer::decode(const std::vector<int64_t> &tokens) const {
  std::unique_ptr<TextStream> stream = makeTextStream();
  std::string text;
  for (int64_t token : tokens)
    text += stream->push(token);
  return text += stream->finish();
}

std::optional<int64_t> Tokenizer::findToken(std::string_view token) const {
  checkEncodes();
  if (auto id = parts->addedTokens.findId(std::string(token)))
    return id;
  if (auto id = parts->model->getVocabulary().findId(token))
    return *id;
  return std::nullopt;
}
