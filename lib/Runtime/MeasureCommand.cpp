//===- MeasureCommand.cpp - shows how fast the machine is -----------------===//

#include "tern/Runtime/Commands.h"

#include "tern/Runtime/CpuFeatures.h"
#include "tern/Runtime/MachineProbe.h"
#include "tern/Runtime/Session.h"

#include <nlohmann/json.hpp>

#include <cstdio>

using namespace tern::runtime;

int tern::runtime::measureMachine(const CommandLine &line,
                                  const TernModel &model) {
  const Probe &probe =
      selectProbe(detectCpuFeatures(), selectVariantForThisCpu(model).name);
  WeightSpan rows = getScreenedRows(model);
  MachineSpeed speed =
      measureMachine(probe, line.threads, findWeights(&model, rows));
  double read = speed.readBytesPerSecond / 1e9;
  double weights = speed.weightBytesPerSecond / 1e9;
  double products = speed.productsPerSecond / 1e9;
  double tiles = speed.tileProductsPerSecond / 1e9;
  if (line.json) {
    nlohmann::ordered_json object = {{"threads", speed.threads},
                                     {"read_gb_per_s", read},
                                     {"int8_gmac_per_s", products},
                                     {"level", speed.level}};
    if (weights > 0)
      object["weights_gb_per_s"] = weights;
    if (tiles > 0)
      object["int8_tile_gmac_per_s"] = tiles;
    writeOutput(object.dump() + "\n");
    return 0;
  }
  char ofWeights[64] = "", inTiles[64] = "";
  if (weights > 0)
    std::snprintf(ofWeights, sizeof(ofWeights),
                  ", %.1f of the weights where they lie", weights);
  if (tiles > 0)
    std::snprintf(inTiles, sizeof(inTiles), ", %.1f in tiles", tiles);
  char text[256];
  std::snprintf(text, sizeof(text),
                "reads %.1f GB/s%s, multiplies %.1f GMAC/s in int8%s (%d "
                "threads, %s)\n",
                read, ofWeights, products, inTiles, speed.threads, speed.level);
  writeOutput(text);
  return 0;
}
