//===- ProfileCommand.cpp - shows where a run's time went -----------------===//

#include "tern/Runtime/Commands.h"

#include "tern/Runtime/MachineProbe.h"
#include "tern/Runtime/Profile.h"

#include <cstdio>
#include <new>
#include <system_error>

using namespace tern::runtime;

/// How fast this machine is; nullopt where what the model left of it does not
/// suffice to measure that.
static std::optional<MachineSpeed> tryMeasureMachine(const TernModel &model,
                                                     int threads) {
  try {
    return measureMachineFor(model, threads);
  } catch (const std::bad_alloc &) {
    return std::nullopt;
  } catch (const std::system_error &) { // no more threads
    return std::nullopt;
  }
}

void tern::runtime::showProfile(const CommandLine &line, const TernModel &model,
                                const Profile &profile) {
  std::string text =
      formatProfile(profile, tryMeasureMachine(model, line.threads),
                    line.profile == CommandLine::ProfileForm::Json);
  std::fputs(text.c_str(), stderr);
}
