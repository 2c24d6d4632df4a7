//===- ModelMain.cpp - the program around a compiled model ----------------===//

#include "tern/Runtime/ModelMain.h"

#include "tern/Runtime/CommandLine.h"
#include "tern/Runtime/Commands.h"
#include "tern/Runtime/Error.h"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <system_error>

#ifdef __GLIBC__
#include <malloc.h>
#endif

using namespace tern::runtime;

namespace {

enum ExitCode { kDone = 0, kInputAtFault = 1, kWrongUsage = 2, kOurBug = 3 };

void checkIsLanguageModel(const CommandLine &line, const TernModel &model) {
  using Action = CommandLine::Action;
  bool needsText =
      line.action == Action::Generate || line.action == Action::Tokenize ||
      line.action == Action::Perplexity || line.action == Action::Bench;
  if (needsText && !model.language_model)
    throw UsageError(std::string("'") + model.name +
                     "' is not a language model: it maps arrays to arrays. "
                     "Run it with --inputs IN.npz --outputs OUT.npz; --info "
                     "lists its inputs");
}

int runAction(const CommandLine &line, const TernModel &model) {
  checkIsLanguageModel(line, model);
  switch (line.action) {
  case CommandLine::Action::ShowMessage:
    writeOutput(line.message);
    return kDone;
  case CommandLine::Action::Generate:
    return generate(line, model);
  case CommandLine::Action::ShowInfo:
    return showInfo(line, model);
  case CommandLine::Action::Tokenize:
    return tokenize(line, model);
  case CommandLine::Action::Perplexity:
    return measurePerplexity(line, model);
  case CommandLine::Action::Bench:
    return bench(line, model);
  case CommandLine::Action::MeasureMachine:
    return measureMachine(line, model);
  case CommandLine::Action::RunTensors:
    return runTensors(line, model);
  }
  return kOurBug;
}

/// Keeps what one layer frees for the next, which asks for as much. By default
/// glibc returns it to Linux, which then clears a page at a time: that was a
/// quarter of the time of reading a prompt. It takes no larger threshold than
/// 32 MiB. For a program to decide, not for a library.
void keepFreedMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

/// The program's name without its folder.
const char *getProgramName(int argc, char **argv) {
  if (argc < 1)
    return "model";
  const char *slash = std::strrchr(argv[0], '/');
  return slash ? slash + 1 : argv[0];
}

} // namespace

int tern::runtime::modelMain(int argc, char **argv, const TernModel &model) {
  const char *program = getProgramName(argc, argv);
  auto complain = [&](const char *kind, const char *message) {
    std::fprintf(stderr, "%s: %s: %s\n", program, kind, message);
  };
  // A reader that leaves shows as an error of write instead.
  std::signal(SIGPIPE, SIG_IGN);
  keepFreedMemory();
  try {
    return runAction(parseCommandLine(argc, argv, model), model);
  } catch (const OutputClosed &) {
    return kDone;
  } catch (const UsageError &error) {
    complain("error", error.what());
    return kWrongUsage;
  } catch (const InputError &error) {
    complain("error", error.what());
    return kInputAtFault;
  } catch (const std::bad_alloc &error) {
    complain("error", describeOutOfMemory(error));
    return kInputAtFault;
  } catch (const std::system_error &error) { // no more threads, say
    complain("error", error.what());
    return kInputAtFault;
  } catch (const std::exception &error) {
    complain("internal error", error.what());
    return kOurBug;
  }
}
