//===- CommandLine.h - what a compiled model is asked to do -----*- C++ -*-===//
#ifndef TERN_RUNTIME_COMMANDLINE_H
#define TERN_RUNTIME_COMMANDLINE_H

#include "tern/Runtime/Bench.h"
#include "tern/Runtime/Generator.h"
#include "tern/Runtime/ModelABI.h"
#include "tern/Runtime/Session.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tern::runtime {

struct CommandLine {
  enum class Action {
    ShowMessage, ///< --help and --version: print `message`
    Generate,
    ShowInfo,
    Tokenize,
    Perplexity,
    Bench,
    MeasureMachine,
    RunTensors
  };
  Action action = Action::Generate;
  std::string message;
  std::string text; ///< the prompt, or what to tokenize
  GenerationOptions generation;
  std::string perplexityFile;
  int64_t window = 0; ///< tokens; 0: the model's context
  std::vector<BenchTest> benchTests;
  /// Runs of each benchmark, at least 1: enough for a median that one disturbed
  /// run does not move.
  int benchRuns = 5;
  std::string inputsFile, outputsFile;
  int threads = 1; ///< at least 1
  bool json = false;
  WeightsMemory weights = WeightsMemory::File;
  /// How to show where the time went; with Generate and Bench only.
  enum class ProfileForm { None, Table, Json };
  ProfileForm profile = ProfileForm::None;
};

/// \throws UsageError if the arguments are wrong.
CommandLine parseCommandLine(int argc, const char *const *argv,
                             const TernModel &model);

} // namespace tern::runtime

#endif // TERN_RUNTIME_COMMANDLINE_H
