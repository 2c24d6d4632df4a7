//===- MeasureCommand.cpp - shows how fast the machine is -----------------===//

#include "tern/Runtime/Commands.h"

#include "MachineFormat.h"

#include "tern/Runtime/CpuFeatures.h"
#include "tern/Runtime/MachineProbe.h"
#include "tern/Runtime/Session.h"

using namespace tern::runtime;

MachineSpeed tern::runtime::measureMachineFor(const TernModel &model,
                                              int threads) {
  const Probe &probe =
      selectProbe(detectCpuFeatures(), selectVariantForThisCpu(model).name);
  return measureMachine(probe, threads, findWeights(&model, getFetched(model)));
}

int tern::runtime::measureMachine(const CommandLine &line,
                                  const TernModel &model) {
  MachineSpeed speed = measureMachineFor(model, line.threads);
  if (line.json)
    writeOutput(makeJson(speed).dump() + "\n");
  else
    writeOutput("reads " + formatReading(speed) + ", multiplies " +
                formatMultiplying(speed) + "\n");
  return 0;
}
