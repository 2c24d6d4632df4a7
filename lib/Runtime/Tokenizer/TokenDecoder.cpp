//===- TokenDecoder.cpp - spellings of tokens to text ---------------------===//

#include "TokenDecoder.h"

#include "Normalizer.h"
#include "TokenizerJson.h"

#include "tern/Runtime/Error.h"
#include "tern/Runtime/Utf8.h"

#include <algorithm>
#include <utility>

using namespace tern::runtime;
using nlohmann::json;

namespace {

class SpaceBetween final : public DecoderStep {
public:
  void push(std::string piece, const Output &output) override {
    output(std::exchange(isFirst, false) ? piece : " " + piece);
  }

private:
  bool isFirst = true;
};

class ByteLevelStep final : public DecoderStep {
public:
  explicit ByteLevelStep(const ByteAlphabet &alphabet) : alphabet(alphabet) {}
  void push(std::string piece, const Output &output) override {
    output(bytes.push(alphabet.unspell(piece)));
  }
  void finish(const Output &output) override { output(bytes.finish()); }

private:
  const ByteAlphabet &alphabet;
  Utf8Stream bytes;
};

/// A run of <0xNN> is text if all of it is valid UTF-8; else each of its bytes
/// is a U+FFFD. So a run is held until it ends.
class ByteFallbackStep final : public DecoderStep {
public:
  void push(std::string piece, const Output &output) override {
    int byte = parseByte(piece);
    if (byte >= 0) {
      run += static_cast<char>(byte);
      return;
    }
    finish(output);
    output(std::move(piece));
  }

  void finish(const Output &output) override {
    if (run.empty())
      return;
    std::string text = std::exchange(run, {});
    if (repairUtf8(text) == text)
      return output(text);
    for (size_t i = 0; i < text.size(); ++i)
      output("\uFFFD");
  }

private:
  /// Returns NN of "<0xNN>", -1 for anything else.
  static int parseByte(std::string_view piece) {
    if (piece.size() != 6 || piece.substr(0, 3) != "<0x" || piece[5] != '>')
      return -1;
    int value = 0;
    for (char c : piece.substr(3, 2)) {
      if (c >= '0' && c <= '9')
        value = 16 * value + (c - '0');
      else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        value = 16 * value + ((c | 0x20) - 'a' + 10);
      else
        return -1;
    }
    return value;
  }

  std::string run;
};

class ReplaceStep final : public DecoderStep {
public:
  ReplaceStep(std::shared_ptr<const Regex> pattern, std::string content)
      : pattern(std::move(pattern)), content(std::move(content)) {}
  void push(std::string piece, const Output &output) override {
    output(replaceAll(*pattern, content, piece));
  }

private:
  std::shared_ptr<const Regex> pattern;
  std::string content;
};

/// Removes up to `start` leading and `stop` trailing characters that equal
/// `content`, of every piece, or of all of them together if they are fused
/// (then nothing trails).
class StripStep final : public DecoderStep {
public:
  StripStep(std::string content, int64_t start, int64_t stop, bool isFused)
      : content(std::move(content)), start(start), stop(stop), isFused(isFused),
        left(start) {}

  void push(std::string piece, const Output &output) override {
    if (!isFused)
      left = start;
    std::string_view rest = piece;
    while (left > 0 && !rest.empty()) {
      if (rest.substr(0, content.size()) != content) {
        left = 0;
        break;
      }
      rest.remove_prefix(content.size());
      --left;
    }
    for (int64_t i = 0; i < stop && endsWithContent(rest); ++i)
      rest.remove_suffix(content.size());
    output(std::string(rest));
  }

private:
  bool endsWithContent(std::string_view text) const {
    return text.size() >= content.size() &&
           text.substr(text.size() - content.size()) == content;
  }

  std::string content;
  int64_t start, stop;
  bool isFused;
  int64_t left; // leading characters that may still go
};

/// Spaces for their visible form; none from the first token if the tokenizer
/// prepends one.
class MetaspaceStep final : public DecoderStep {
public:
  MetaspaceStep(std::shared_ptr<const Regex> pattern, bool dropsFirst)
      : pattern(std::move(pattern)), dropsNext(dropsFirst) {}
  void push(std::string piece, const Output &output) override {
    bool drops = std::exchange(dropsNext, false);
    output(replaceAll(*pattern, drops ? "" : " ", piece));
  }

private:
  std::shared_ptr<const Regex> pattern;
  bool dropsNext;
};

} // namespace

TokenDecoder::TokenDecoder(const json &config, const ByteAlphabet &alphabet)
    : alphabet(alphabet) {
  if (config.is_null())
    factories.push_back([] { return std::make_unique<SpaceBetween>(); });
  else
    add(config);
}

void TokenDecoder::add(const json &config) {
  std::string type = config.at("type").get<std::string>();
  if (type == "Sequence") {
    for (const json &member : config.at("decoders"))
      add(member);
  } else if (type == "ByteLevel") {
    isFused = true;
    factories.push_back(
        [this] { return std::make_unique<ByteLevelStep>(alphabet); });
  } else if (type == "ByteFallback") {
    factories.push_back([] { return std::make_unique<ByteFallbackStep>(); });
  } else if (type == "Fuse") {
    isFused = true;
  } else if (type == "Replace") {
    addReplace(config);
  } else if (type == "Strip") {
    addStrip(config);
  } else if (type == "Metaspace") {
    addMetaspace(config);
  } else {
    throw InputError("tokenizer.json: decoder '" + type +
                     "' is not supported; supported are ByteFallback, "
                     "ByteLevel, Fuse, Metaspace, Replace, Sequence and Strip");
  }
}

void TokenDecoder::addReplace(const json &config) {
  const json &pattern = config.at("pattern");
  if (isFused)
    throw InputError("tokenizer.json: a Replace decoder behind one that joins "
                     "the tokens is not supported");
  auto regex = std::make_shared<const Regex>(readPattern(pattern));
  auto content = config.at("content").get<std::string>();
  factories.push_back(
      [=] { return std::make_unique<ReplaceStep>(regex, content); });
}

void TokenDecoder::addStrip(const json &config) {
  auto content = config.at("content").get<std::string>();
  int64_t start = getOr<int64_t>(config, "start", 0);
  int64_t stop = getOr<int64_t>(config, "stop", 0);
  if (content.empty())
    throw InputError("tokenizer.json: a Strip decoder without a character");
  if (isFused && stop != 0)
    throw InputError("tokenizer.json: a Strip decoder that takes the end of "
                     "the whole text is not supported");
  bool fused = isFused;
  factories.push_back(
      [=] { return std::make_unique<StripStep>(content, start, stop, fused); });
}

void TokenDecoder::addMetaspace(const json &config) {
  auto replacement = getOr<std::string>(config, "replacement", "\u2581");
  auto scheme = getOr<std::string>(
      config, "prepend_scheme",
      getOr(config, "add_prefix_space", true) ? "always" : "never");
  auto regex = std::make_shared<const Regex>(Regex::literal(replacement));
  factories.push_back([=] {
    return std::make_unique<MetaspaceStep>(regex, scheme != "never");
  });
}

TokenDecoder::Steps TokenDecoder::makeSteps() const {
  Steps steps;
  for (const Factory &factory : factories)
    steps.push_back(factory());
  return steps;
}
