//===- ProfileCommand.cpp - shows where a run's time went -----------------===//

#include "tern/Runtime/Commands.h"

#include "tern/Runtime/CpuFeatures.h"
#include "tern/Runtime/Profile.h"

#include <cstdio>

using namespace tern::runtime;

void tern::runtime::showProfile(const CommandLine &line, const TernModel &model,
                                const Profile &profile) {
  const Probe &probe =
      selectProbe(detectCpuFeatures(), selectVariantForThisCpu(model).name);
  std::string text =
      formatProfile(profile, measureMachine(probe, line.threads),
                    line.profile == CommandLine::ProfileForm::Json);
  std::fputs(text.c_str(), stderr);
}
