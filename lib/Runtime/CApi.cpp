//===- CApi.cpp - the functions of ModelABI.h -----------------------------===//
//
// No exception leaves this file. Its functions are what a model's shared
// library shows.
//
//===----------------------------------------------------------------------===//

#include "tern/Runtime/Commands.h"
#include "tern/Runtime/Cores.h"
#include "tern/Runtime/Error.h"
#include "tern/Runtime/Generator.h"
#include "tern/Runtime/ModelABI.h"
#include "tern/Runtime/SpecialTokens.h"

#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>

#define TERN_EXPORT __attribute__((visibility("default")))

using namespace tern::runtime;

struct TernSession {
  explicit TernSession(int numThreads) : session(tern_model, numThreads) {}

  /// Made when text is first asked for: a graph needs none of it.
  Generator &getGenerator() {
    if (!generator) {
      tokenizer.emplace(makeTokenizer(tern_model));
      state = DecodingState::create(session);
      generator.emplace(*state, *tokenizer,
                        findSpecialTokens(tern_model, *tokenizer).ends);
    }
    return *generator;
  }

  Session session;

private:
  std::optional<Tokenizer> tokenizer;
  std::unique_ptr<DecodingState> state;
  std::optional<Generator> generator;
};

namespace {

/// As errno: the interface promises the message to the thread that failed.
thread_local std::string lastError;

int fail(TernStatus status, const char *message) {
  try {
    lastError = message;
  } catch (const std::bad_alloc &) {
    lastError.clear();
  }
  return status;
}

/// Runs `body` and turns what it throws into a status.
template <typename Body>
int guard(Body body) {
  try {
    body();
    return TERN_OK;
  } catch (const InputError &error) {
    return fail(TERN_ERROR_INPUT, error.what());
  } catch (const std::bad_alloc &error) {
    return fail(TERN_ERROR_MEMORY, describeOutOfMemory(error));
  } catch (const std::system_error &error) {
    return fail(TERN_ERROR_MEMORY, error.what());
  } catch (const std::exception &error) {
    return fail(TERN_ERROR_INTERNAL, error.what());
  } catch (...) {
    return fail(TERN_ERROR_INTERNAL, "unknown exception");
  }
}

void require(bool condition, const char *message) {
  if (!condition)
    throw InputError(message);
}

SamplingOptions convert(const TernSampling *sampling) {
  SamplingOptions options;
  if (!sampling)
    return options;
  options.temperature = sampling->temperature;
  options.topK = sampling->top_k;
  options.topP = sampling->top_p;
  options.repetitionPenalty = sampling->repetition_penalty;
  options.seed = sampling->seed;
  return options;
}

} // namespace

TERN_EXPORT int tern_open(int threads, TernSession **session) {
  return guard([&] {
    require(session, "'session' is null");
    *session = nullptr;
    require(threads >= 0, "the number of threads is negative");
    *session = new TernSession(threads ? threads : numAvailableCores());
  });
}

TERN_EXPORT void tern_close(TernSession *session) { delete session; }

TERN_EXPORT const char *tern_last_error(void) { return lastError.c_str(); }

TERN_EXPORT const TernModel *tern_get_model(void) { return &tern_model; }

TERN_EXPORT int tern_run(TernSession *session, const TernTensor *inputs,
                         TernTensor *outputs) {
  return guard([&] {
    require(session, "'session' is null");
    require(inputs || tern_model.num_inputs == 0, "'inputs' is null");
    require(outputs || tern_model.num_outputs == 0, "'outputs' is null");
    std::vector<Tensor> results =
        session->session.run({inputs, inputs + tern_model.num_inputs});
    for (size_t i = 0; i < results.size(); ++i)
      outputs[i] = results[i].release();
  });
}

TERN_EXPORT void tern_free(void *data) { std::free(data); }

TERN_EXPORT int tern_generate(TernSession *session, const char *prompt,
                              size_t prompt_size, int64_t max_tokens,
                              const TernSampling *sampling, TernTextFn emit,
                              void *context) {
  return guard([&] {
    require(session, "'session' is null");
    require(prompt || prompt_size == 0, "'prompt' is null");
    require(emit, "'emit' is null");
    GenerationOptions options;
    options.maxTokens = max_tokens;
    options.sampling = convert(sampling);
    std::string_view text(prompt ? prompt : "", prompt_size);
    session->getGenerator().generate(
        text, options, [&](std::string_view piece) {
          return piece.empty() ||
                 emit(context, piece.data(), piece.size()) == 0;
        });
  });
}
