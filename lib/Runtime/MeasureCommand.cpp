//===- MeasureCommand.cpp - shows how fast the machine is -----------------===//

#include "tern/Runtime/Commands.h"

#include "tern/Runtime/CpuFeatures.h"
#include "tern/Runtime/MachineProbe.h"

#include <nlohmann/json.hpp>

#include <cstdio>

using namespace tern::runtime;

int tern::runtime::measureMachine(const CommandLine &line,
                                  const TernModel &model) {
  const Probe &probe =
      selectProbe(detectCpuFeatures(), selectVariantForThisCpu(model).name);
  MachineSpeed speed = measureMachine(probe, line.threads);
  double read = speed.readBytesPerSecond / 1e9;
  double products = speed.productsPerSecond / 1e9;
  double tiles = speed.tileProductsPerSecond / 1e9;
  if (line.json) {
    nlohmann::ordered_json object = {{"threads", speed.threads},
                                     {"read_gb_per_s", read},
                                     {"int8_gmac_per_s", products},
                                     {"level", speed.level}};
    if (tiles > 0)
      object["int8_tile_gmac_per_s"] = tiles;
    writeOutput(object.dump() + "\n");
    return 0;
  }
  char inTiles[64] = "";
  if (tiles > 0)
    std::snprintf(inTiles, sizeof(inTiles), ", %.1f in tiles", tiles);
  char text[192];
  std::snprintf(text, sizeof(text),
                "reads %.1f GB/s, multiplies %.1f GMAC/s in int8%s (%d "
                "threads, %s)\n",
                read, products, inTiles, speed.threads, speed.level);
  writeOutput(text);
  return 0;
}
