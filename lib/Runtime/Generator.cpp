//===- Generator.cpp - continues a text -----------------------------------===//

#include "tern/Runtime/Generator.h"

#include "tern/Runtime/Error.h"
#include "tern/Runtime/Stopwatch.h"

#include <algorithm>

using namespace tern::runtime;

double GenerationResult::promptSpeed() const {
  return perSecond(static_cast<double>(promptTokens.size()), promptSeconds);
}

double GenerationResult::decodeSpeed() const {
  return perSecond(static_cast<double>(decodedTokens), decodeSeconds);
}

Generator::Generator(DecodingState &state, const Tokenizer &tokenizer,
                     std::vector<int64_t> endTokens)
    : state(state), tokenizer(tokenizer), endTokens(std::move(endTokens)) {}

bool Generator::isEnd(int64_t token) const {
  return std::find(endTokens.begin(), endTokens.end(), token) !=
         endTokens.end();
}

std::vector<int64_t> Generator::encodePrompt(std::string_view prompt) const {
  std::vector<int64_t> tokens = tokenizer.encode(prompt);
  if (tokens.empty())
    throw InputError("the prompt is empty, and the tokenizer adds no begin "
                     "token: there is nothing to continue");
  if (static_cast<int64_t>(tokens.size()) > state.context())
    throw InputError("the prompt has " + std::to_string(tokens.size()) +
                     " tokens, more than the model's context of " +
                     std::to_string(state.context()));
  return tokens;
}

std::vector<float> Generator::feed(const std::vector<int64_t> &tokens,
                                   Sampler &sampler) {
  int64_t numBest = sampler.numBest();
  std::vector<float> logits = state.feed(tokens, /*numLogits=*/1, numBest);
  if (!state.leavesOutLogits() || sampler.inspect(logits, numBest))
    return logits;
  return state.recall(sampler.numBestAtMost());
}

GenerationResult Generator::generate(std::string_view prompt,
                                     const GenerationOptions &options,
                                     const Emit &emit) {
  return generate(encodePrompt(prompt), options, emit);
}

GenerationResult Generator::generate(std::vector<int64_t> promptTokens,
                                     const GenerationOptions &options,
                                     const Emit &emit) {
  if (options.maxTokens < 0)
    throw InputError("the number of tokens to generate is " +
                     std::to_string(options.maxTokens) +
                     "; expected at least 0");
  Sampler sampler(options.sampling, state.vocab());
  GenerationResult result;
  result.promptTokens = std::move(promptTokens);

  // The prompt's tokens go through the stream too: what the continuation's
  // first token says may depend on them (a leading space, half a character).
  std::unique_ptr<TextStream> stream = tokenizer.makeTextStream();
  Stopwatch promptTime;
  state.reset();
  for (int64_t token : result.promptTokens) {
    sampler.accept(token);
    stream->push(token);
  }
  std::vector<float> logits = feed(result.promptTokens, sampler);
  result.promptSeconds = promptTime.seconds();

  Stopwatch decodeTime;
  auto emitPiece = [&](const std::string &piece) {
    result.text += piece;
    return emit(piece);
  };
  for (;;) {
    if (static_cast<int64_t>(result.tokens.size()) == options.maxTokens) {
      result.stopReason = "length";
      break;
    }
    int64_t token = sampler.sample(std::move(logits));
    if (isEnd(token)) {
      result.stopReason = "end token";
      break;
    }
    sampler.accept(token);
    result.tokens.push_back(token);
    if (!emitPiece(stream->push(token))) {
      result.stopReason = "stopped";
      break;
    }
    if (state.size() == state.context()) {
      result.stopReason = "context";
      break;
    }
    // The last token asked for needs no successor's logits.
    if (static_cast<int64_t>(result.tokens.size()) == options.maxTokens)
      continue;
    logits = feed({token}, sampler);
    ++result.decodedTokens;
  }
  result.decodeSeconds = decodeTime.seconds();
  std::string rest = stream->finish();
  if (!rest.empty())
    emitPiece(rest);
  return result;
}
