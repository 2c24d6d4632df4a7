//===- CommandLine.cpp - what a compiled model is asked to do -------------===//

#include "tern/Runtime/CommandLine.h"

#include "tern/Runtime/Cores.h"
#include "tern/Runtime/Error.h"

#include <CLI/CLI.hpp>

#include <random>

using namespace tern::runtime;

namespace {

constexpr int kMaxThreads = 1024;
constexpr int kMaxBenchRuns = 1000;

/// Sampling as text generators usually do it: greedy text of a small model runs
/// in circles.
GenerationOptions makeDefaults() {
  GenerationOptions options;
  options.maxTokens = 128;
  options.sampling.temperature = 0.8;
  options.sampling.topK = 40;
  options.sampling.topP = 0.9;
  options.sampling.repetitionPenalty = 1.1;
  return options;
}

uint64_t drawSeed() {
  std::random_device device;
  // 32 bits: short enough to type again.
  return device();
}

std::string describe(const TernModel &model) {
  std::string text = std::string("The model '") + model.name +
                     "', compiled by " + model.producer + ".\n";
  text += model.language_model
              ? "Continues a prompt: it is printed, then the continuation as "
                "it is produced. Speed goes to standard error."
              : "No language model: give it arrays with --inputs and "
                "--outputs.";
  return text;
}

/// Declares the options and reads them.
class Parser {
public:
  explicit Parser(const TernModel &model) : app(describe(model)) {
    line.generation = makeDefaults();
    line.threads = numAvailableCores();
    app.set_version_flag("--version", std::string(model.name) +
                                          ", compiled by " + model.producer);
    app.footer("Exit codes: 0 done, 1 the input is at fault, 2 the command "
               "line, 3 a bug; 130 interrupted.\nTERN_VARIANT=NAME in the "
               "environment chooses the code for a CPU level (see --info).");
    declareActions();
    declareOptions();
  }

  CommandLine parse(int argc, const char *const *argv) {
    try {
      app.parse(argc, argv);
    } catch (const CLI::CallForHelp &) {
      return makeMessage(app.help());
    } catch (const CLI::CallForVersion &version) {
      return makeMessage(std::string(version.what()) + "\n");
    } catch (const CLI::ParseError &error) {
      throw UsageError(error.what());
    }
    line.action = findAction();
    checkOptions();
    return std::move(line);
  }

private:
  CommandLine makeMessage(std::string message) {
    line.action = CommandLine::Action::ShowMessage;
    line.message = std::move(message);
    return std::move(line);
  }

  void declareActions() {
    using Action = CommandLine::Action;
    auto declare = [&](Action action, CLI::Option *option) {
      actions.push_back({action, option});
    };
    declare(Action::Generate,
            app.add_option("prompt", line.text, "Text to continue")
                ->type_name("TEXT"));
    declare(Action::ShowInfo,
            app.add_flag("--info", "Describe the model and this CPU's code"));
    declare(Action::Tokenize,
            app.add_option("--tokenize", line.text,
                           "Print the token ids of TEXT as the model sees them")
                ->type_name("TEXT"));
    declare(Action::Perplexity,
            app.add_option("--perplexity", line.perplexityFile,
                           "Measure how well the model predicts a text file")
                ->type_name("FILE"));
    declare(Action::Bench,
            app.add_option("--bench", benchList,
                           "Measure speed: ppN reads a prompt of N tokens, tgN "
                           "generates N tokens; pp512,tg128 does both")
                ->type_name("TESTS"));
    declare(Action::MeasureMachine,
            app.add_flag("--measure-machine",
                         "Measure what this machine can do at most on "
                         "--threads: bytes read and products in a second"));
    inputs = app.add_option("--inputs", line.inputsFile,
                            "Run the graph once on the arrays of an .npz, by "
                            "input name")
                 ->type_name("IN.npz");
    declare(Action::RunTensors, inputs);
    outputs = app.add_option("--outputs", line.outputsFile,
                             "Where --inputs writes the output arrays")
                  ->type_name("OUT.npz");
    inputs->needs(outputs);
    outputs->needs(inputs);
  }

  void declareOptions() {
    SamplingOptions &sampling = line.generation.sampling;
    app.add_option("-n", line.generation.maxTokens, "Most tokens to generate")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--temperature", sampling.temperature,
                   "Above 0: sample; 0: always the most probable token")
        ->capture_default_str();
    app.add_option("--top-k", sampling.topK,
                   "Sample among the K most probable tokens; 0: all")
        ->capture_default_str();
    app.add_option("--top-p", sampling.topP,
                   "Sample among the most probable tokens that together have "
                   "probability P; 1: all")
        ->capture_default_str();
    app.add_option("--repetition-penalty", sampling.repetitionPenalty,
                   "Makes tokens that have occurred less probable; 1: off")
        ->capture_default_str();
    seed = app.add_option("--seed", sampling.seed,
                          "Repeats a random choice [default: random]");
    app.add_option("--window", line.window,
                   "Tokens that --perplexity reads at a time [default: the "
                   "model's context]")
        ->check(CLI::PositiveNumber);
    app.add_option("--runs", line.benchRuns,
                   "Runs of each of --bench's tests, after one to warm up")
        ->check(CLI::Range(1, kMaxBenchRuns))
        ->needs(app.get_option("--bench"))
        ->capture_default_str();
    app.add_option("--threads", line.threads,
                   "Threads to run on [default: one for every core]")
        ->check(CLI::Range(1, kMaxThreads));
    app.add_flag_callback(
        "--copy-weights", [this] { line.weights = WeightsMemory::Copy; },
        "Copy the weights to memory of this process at first, which may be "
        "faster to read than their file's pages");
    app.add_flag("--json", line.json, "Print JSON, one object a line");
    app.add_flag("--profile{table}", profileForm,
                 "Show on standard error where a prompt's or --bench's time "
                 "went, by kernel; --profile=json: as JSON")
        ->check(CLI::IsMember({"table", "json"}));
  }

  CommandLine::Action findAction() const {
    const Declared *found = nullptr;
    for (const Declared &declared : actions) {
      if (declared.option->count() == 0)
        continue;
      if (found)
        throw UsageError(found->option->get_name() + " excludes " +
                         declared.option->get_name());
      found = &declared;
    }
    if (!found)
      throw UsageError("nothing to do: give a prompt or an option; --help "
                       "lists them");
    return found->action;
  }

  void checkOptions() {
    if (line.action == CommandLine::Action::Bench)
      line.benchTests = parseBenchTests(benchList);
    else if (!profileForm.empty() &&
             line.action != CommandLine::Action::Generate)
      throw UsageError("--profile needs a prompt or --bench");
    if (!profileForm.empty())
      line.profile = profileForm == "json" ? CommandLine::ProfileForm::Json
                                           : CommandLine::ProfileForm::Table;
    if (seed->count() == 0)
      line.generation.sampling.seed = drawSeed();
    try {
      checkSamplingOptions(line.generation.sampling);
    } catch (const InputError &error) {
      throw UsageError(error.what());
    }
  }

  struct Declared {
    CommandLine::Action action;
    CLI::Option *option;
  };

  CommandLine line;
  std::string benchList, profileForm;
  CLI::App app;
  std::vector<Declared> actions;
  CLI::Option *seed = nullptr;
  CLI::Option *inputs = nullptr;
  CLI::Option *outputs = nullptr;
};

} // namespace

CommandLine tern::runtime::parseCommandLine(int argc, const char *const *argv,
                                            const TernModel &model) {
  return Parser(model).parse(argc, argv);
}
