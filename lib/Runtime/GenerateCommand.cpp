//===- GenerateCommand.cpp - streams the continuation of a prompt ---------===//

#include "tern/Runtime/Commands.h"

#include "tern/Runtime/Generator.h"
#include "tern/Runtime/Profile.h"
#include "tern/Runtime/SpecialTokens.h"
#include "tern/Runtime/Utf8.h"

#include <nlohmann/json.hpp>

#include <csignal>
#include <cstdio>

using namespace tern::runtime;
using nlohmann::json;

namespace {

constexpr int kInterruptedExitCode = 128 + SIGINT;

// A signal handler can reach nothing but a global.
volatile std::sig_atomic_t interrupted = 0;

/// While it lives, the first Ctrl-C only sets `interrupted`; the second ends
/// the program.
class InterruptGuard {
public:
  InterruptGuard() {
    interrupted = 0;
    struct sigaction action = {};
    action.sa_handler = [](int) { interrupted = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &previous);
  }
  ~InterruptGuard() { sigaction(SIGINT, &previous, nullptr); }

private:
  struct sigaction previous = {};
};

std::string makeJson(const CommandLine &line, const Session &session,
                     const GenerationResult &result) {
  return json{{"text", repairUtf8(line.text) + result.text},
              {"tokens", result.tokens.size()},
              {"prompt_tokens", result.promptTokens.size()},
              {"tokens_per_second", result.decodeSpeed()},
              {"prompt_tokens_per_second", result.promptSpeed()},
              {"token_ids", result.tokens},
              {"prompt_token_ids", result.promptTokens},
              {"stop_reason", result.stopReason},
              {"seed", line.generation.sampling.seed},
              {"threads", session.numThreads()},
              {"variant", session.getVariant().name}}
             .dump() +
         "\n";
}

void showSpeed(const CommandLine &line, const Session &session,
               const GenerationResult &result) {
  std::fprintf(stderr, "\n%s, %d threads, seed %llu; stopped by: %s\n",
               session.getVariant().name, session.numThreads(),
               static_cast<unsigned long long>(line.generation.sampling.seed),
               result.stopReason);
  std::fprintf(stderr, "prompt: %zu tokens, %.1f tokens per second\n",
               result.promptTokens.size(), result.promptSpeed());
  std::fprintf(stderr, "generated: %zu tokens, %.1f tokens per second\n",
               result.tokens.size(), result.decodeSpeed());
}

} // namespace

int tern::runtime::generate(const CommandLine &line, const TernModel &model) {
  Session session(model, line.threads, line.weights);
  warnIfNotCopied(line, session);
  Profile profile(session.getVariant().kernels);
  if (line.profile != CommandLine::ProfileForm::None)
    session.setProfile(&profile);
  std::unique_ptr<DecodingState> state = DecodingState::create(session);
  Tokenizer tokenizer = makeTokenizer(model);
  Generator generator(*state, tokenizer,
                      findSpecialTokens(model, tokenizer).ends);
  std::vector<int64_t> prompt = generator.encodePrompt(line.text);
  // What follows is only decoded.
  tokenizer.keepDecoderOnly();
  giveBackStartupMemory();

  InterruptGuard guard;
  bool isPromptShown = false;
  GenerationResult result = generator.generate(
      std::move(prompt), line.generation, [&](std::string_view piece) {
        // Not before the prompt has proved to fit the model.
        if (!line.json && !isPromptShown)
          writeOutput(repairUtf8(line.text));
        isPromptShown = true;
        if (!line.json)
          writeOutput(piece);
        return !interrupted;
      });
  // Before code and memory for the rest are added to it.
  state.reset();
  if (line.json)
    writeOutput(makeJson(line, session, result));
  else
    writeOutput(isPromptShown ? "\n" : repairUtf8(line.text) + "\n");
  showSpeed(line, session, result);
  if (line.profile != CommandLine::ProfileForm::None)
    showProfile(line, model, profile);
  return interrupted ? kInterruptedExitCode : 0;
}
