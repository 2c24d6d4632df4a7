//===- Commands.cpp - what a compiled model can be asked ------------------===//

#include "tern/Runtime/Commands.h"

#include "tern/Runtime/ColdPages.h"
#include "tern/Runtime/Error.h"
#include "tern/Runtime/Files.h"
#include "tern/Runtime/Npz.h"
#include "tern/Runtime/Perplexity.h"
#include "tern/Runtime/Profile.h"
#include "tern/Runtime/SpecialTokens.h"
#include "tern/Runtime/StartupPages.h"
#include "tern/Runtime/Tokenizer.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <unistd.h>

using namespace tern::runtime;
using nlohmann::json;

void tern::runtime::writeOutput(std::string_view text) {
  if (writeAll(STDOUT_FILENO, text.data(), text.size()))
    return;
  if (errno == EPIPE)
    throw OutputClosed();
  throw InputError(std::string("cannot write to standard output: ") +
                   std::strerror(errno));
}

Tokenizer tern::runtime::makeTokenizer(const TernModel &model) {
  if (!model.tokenizer)
    throw InputError(std::string("the model '") + model.name +
                     "' holds no tokenizer; compile it with --tokenizer");
  std::string_view json(model.tokenizer,
                        static_cast<size_t>(model.tokenizer_size));
  Tokenizer tokenizer(json);
  // Megabytes of the program's file that are not read again.
  ColdPages(json.data(), json.size()).drop();
  return tokenizer;
}

void tern::runtime::giveBackStartupMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  dropStartupPages();
}

static std::string formatNumber(const char *format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), format, value);
  return buffer;
}

int tern::runtime::tokenize(const CommandLine &line, const TernModel &model) {
  std::vector<int64_t> ids = makeTokenizer(model).encode(line.text);
  if (line.json) {
    writeOutput(json{{"tokens", ids}}.dump() + "\n");
    return 0;
  }
  std::string text;
  for (int64_t id : ids)
    text += (text.empty() ? "" : " ") + std::to_string(id);
  writeOutput(text + "\n");
  return 0;
}

void tern::runtime::warnIfNotCopied(const CommandLine &line,
                                    const Session &session) {
  if (line.weights == WeightsMemory::Copy && session.getCopiedBytes() == 0)
    std::fputs("warning: --copy-weights has no effect: the weights are not "
               "aligned to huge pages, as those of large models are on Linux\n",
               stderr);
}

/// Shows on a terminal how far a measurement is.
static void showProgress(int64_t done, int64_t total) {
  if (!isatty(STDERR_FILENO))
    return;
  std::fprintf(stderr, "\r%lld of %lld tokens%s", static_cast<long long>(done),
               static_cast<long long>(total), done == total ? "\n" : "");
}

int tern::runtime::measurePerplexity(const CommandLine &line,
                                     const TernModel &model) {
  Session session(model, line.threads, line.weights);
  warnIfNotCopied(line, session);
  std::unique_ptr<DecodingState> state = DecodingState::create(session);
  Tokenizer tokenizer = makeTokenizer(model);
  std::vector<int64_t> tokens = tokenizer.encode(readFile(line.perplexityFile));
  // The first token of the text is predicted too.
  std::optional<int64_t> begin = findSpecialTokens(model, tokenizer).begin;
  if (begin && (tokens.empty() || tokens.front() != *begin))
    tokens.insert(tokens.begin(), *begin);
  tokenizer.keepDecoderOnly();
  giveBackStartupMemory();

  int64_t window = line.window ? line.window : state->context();
  PerplexityResult result =
      measurePerplexity(*state, tokens, window, showProgress);
  if (line.json)
    writeOutput(json{{"tokens", result.predictions},
                     {"loss", result.loss},
                     {"perplexity", result.perplexity},
                     {"window", window},
                     {"threads", session.numThreads()},
                     {"variant", session.getVariant().name}}
                    .dump() +
                "\n");
  else
    writeOutput("tokens " + std::to_string(result.predictions) + "\nloss " +
                formatNumber("%.6f", result.loss) + "\nperplexity " +
                formatNumber("%.4f", result.perplexity) + "\n");
  return 0;
}

int tern::runtime::bench(const CommandLine &line, const TernModel &model) {
  Session session(model, line.threads, line.weights);
  warnIfNotCopied(line, session);
  std::unique_ptr<DecodingState> state = DecodingState::create(session);
  Profile profile(session.getVariant().kernels);
  bool isProfiled = line.profile != CommandLine::ProfileForm::None;
  giveBackStartupMemory();
  for (const BenchTest &test : line.benchTests) {
    BenchResult result = runBench(*state, test, line.benchRuns, [&] {
      if (isProfiled)
        session.setProfile(&profile);
    });
    session.setProfile(nullptr);
    auto [slowest, fastest] =
        std::minmax_element(result.runs.begin(), result.runs.end());
    if (line.json)
      writeOutput(json{{"name", test.name},
                       {"threads", session.numThreads()},
                       {"variant", session.getVariant().name},
                       {"tokens_per_second", result.median},
                       {"median", result.median},
                       {"runs", result.runs}}
                      .dump() +
                  "\n");
    else
      writeOutput(test.name + ": " + formatNumber("%.1f", result.median) +
                  " tokens/s (median of " + std::to_string(line.benchRuns) +
                  ", " + formatNumber("%.1f", *slowest) + " to " +
                  formatNumber("%.1f", *fastest) + "; " +
                  std::to_string(session.numThreads()) + " threads, " +
                  session.getVariant().name + ")\n");
  }
  if (isProfiled)
    showProfile(line, model, profile);
  return 0;
}

namespace {

/// Finds the array for an input and converts it where that is exact or usual:
/// NumPy has no bfloat16, so such inputs come as float32.
TernTensor bindInput(const TernTensorSpec &spec, NamedTensors &arrays) {
  auto it = std::find_if(arrays.begin(), arrays.end(), [&](const auto &array) {
    return array.first == spec.name;
  });
  if (it == arrays.end())
    throw InputError(std::string("array '") + spec.name +
                     "' is missing; expected " + describeSpec(spec));
  Tensor &tensor = it->second;
  bool narrows = tensor.dtype() == TERN_F32 &&
                 (spec.dtype == TERN_BF16 || spec.dtype == TERN_F16);
  if (narrows) {
    Tensor narrow(spec.dtype, tensor.dims());
    auto convert = spec.dtype == TERN_BF16 ? floatToBfloat16 : floatToHalf;
    std::transform(tensor.data<float>(),
                   tensor.data<float>() + tensor.numElements(),
                   narrow.data<uint16_t>(), convert);
    tensor = std::move(narrow);
  }
  return tensor.raw();
}

void warnAboutUnused(const std::string &file, const NamedTensors &arrays,
                     const TernModel &model) {
  for (const auto &[name, tensor] : arrays) {
    const std::string &wanted = name;
    bool isUsed = std::any_of(
        model.inputs, model.inputs + model.num_inputs,
        [&](const TernTensorSpec &spec) { return spec.name == wanted; });
    if (!isUsed)
      std::fprintf(stderr, "%s: warning: array '%s' is no input of the model\n",
                   file.c_str(), name.c_str());
  }
}

} // namespace

int tern::runtime::runTensors(const CommandLine &line, const TernModel &model) {
  Session session(model, line.threads, line.weights);
  warnIfNotCopied(line, session);
  NamedTensors arrays = readNpz(line.inputsFile);
  warnAboutUnused(line.inputsFile, arrays, model);
  std::vector<Tensor> results;
  try {
    std::vector<TernTensor> inputs;
    for (int32_t i = 0; i < model.num_inputs; ++i)
      inputs.push_back(bindInput(model.inputs[i], arrays));
    results = session.run(inputs);
  } catch (const InputError &error) {
    throw InputError(line.inputsFile + ": " + error.what());
  }
  NamedTensors named;
  for (int32_t i = 0; i < model.num_outputs; ++i)
    named.emplace_back(model.outputs[i].name,
                       std::move(results[static_cast<size_t>(i)]));
  writeNpz(line.outputsFile, named);
  return 0;
}
