//===- MeasureCommand.cpp - shows how fast the machine is -----------------===//

#include "tern/Runtime/Commands.h"

#include "MachineFormat.h"

#include "tern/Runtime/CpuFeatures.h"
#include "tern/Runtime/MachineProbe.h"
#include "tern/Runtime/Session.h"

using namespace tern::runtime;

int tern::runtime::measureMachine(const CommandLine &line,
                                  const TernModel &model) {
  const Probe &probe =
      selectProbe(detectCpuFeatures(), selectVariantForThisCpu(model).name);
  MachineSpeed speed = measureMachine(probe, line.threads,
                                      findWeights(&model, getFetched(model)));
  if (line.json)
    writeOutput(makeJson(speed).dump() + "\n");
  else
    writeOutput("reads " + formatReading(speed) + ", multiplies " +
                formatMultiplying(speed) + "\n");
  return 0;
}
