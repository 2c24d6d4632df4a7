//===- Commands.h - what a compiled model can be asked ----------*- C++ -*-===//
#ifndef TERN_RUNTIME_COMMANDS_H
#define TERN_RUNTIME_COMMANDS_H

#include "tern/Runtime/CommandLine.h"
#include "tern/Runtime/ModelABI.h"

#include <stdexcept>
#include <string_view>

namespace tern::runtime {

/// Whoever read standard output has gone: no reason for a complaint.
class OutputClosed : public std::runtime_error {
public:
  OutputClosed() : std::runtime_error("standard output is closed") {}
};

/// Writes to standard output at once.
/// \throws OutputClosed, or InputError if the disk is full, say.
void writeOutput(std::string_view text);

/// Each runs one action and returns the exit code. They throw as the parts they
/// use do.
int showInfo(const CommandLine &line, const TernModel &model);
int tokenize(const CommandLine &line, const TernModel &model);
int generate(const CommandLine &line, const TernModel &model);
int measurePerplexity(const CommandLine &line, const TernModel &model);
int bench(const CommandLine &line, const TernModel &model);
int measureMachine(const CommandLine &line, const TernModel &model);
int runTensors(const CommandLine &line, const TernModel &model);

struct MachineSpeed;

/// How fast this machine is in what `model` asks of it: the loops are of the
/// level that its code runs on here, and its weights are read where they lie.
/// `threads` >= 1. \throws std::bad_alloc, std::system_error
MachineSpeed measureMachineFor(const TernModel &model, int threads);

/// Prints `profile` of a model's calls on standard error, as `line` asks for,
/// with what the machine can do at most, which it measures.
class Profile;
void showProfile(const CommandLine &line, const TernModel &model,
                 const Profile &profile);

/// Says on standard error if `line` asks for a copy of the weights and
/// `session` could make none.
class Session;
void warnIfNotCopied(const CommandLine &line, const Session &session);

/// The tokenizer that was compiled in. \throws InputError if there is none.
class Tokenizer;
Tokenizer makeTokenizer(const TernModel &model);

/// Gives memory that was freed, between what is in use too, back to the system:
/// a tokenizer.json takes several times what is kept of it. The program keeps
/// such memory otherwise (see modelMain). Drops the pages of code and constants
/// that the start used, too.
void giveBackStartupMemory();

} // namespace tern::runtime

#endif // TERN_RUNTIME_COMMANDS_H
