//===- MachineFormat.cpp - what was measured, for people and programs -----===//

#include "MachineFormat.h"

#include <cstdio>

using namespace tern::runtime;
using nlohmann::ordered_json;

/// `perSecond` in 1e9, by a format of one double.
static std::string print(const char *format, double perSecond) {
  char text[96];
  std::snprintf(text, sizeof(text), format, perSecond / 1e9);
  return text;
}

ordered_json tern::runtime::makeJson(const MachineSpeed &machine) {
  ordered_json object = {{"threads", machine.threads},
                         {"read_gb_per_s", machine.readBytesPerSecond / 1e9},
                         {"int8_gmac_per_s", machine.productsPerSecond / 1e9},
                         {"level", machine.level}};
  if (machine.weightBytesPerSecond > 0)
    object["weights_gb_per_s"] = machine.weightBytesPerSecond / 1e9;
  if (machine.tileProductsPerSecond > 0)
    object["int8_tile_gmac_per_s"] = machine.tileProductsPerSecond / 1e9;
  return object;
}

std::string tern::runtime::formatReading(const MachineSpeed &machine) {
  std::string text = print("%.1f GB/s", machine.readBytesPerSecond);
  if (machine.weightBytesPerSecond > 0)
    text += print(", %.1f of the weights where they lie",
                  machine.weightBytesPerSecond);
  return text;
}

std::string tern::runtime::formatMultiplying(const MachineSpeed &machine) {
  std::string text = print("%.1f GMAC/s in int8", machine.productsPerSecond);
  if (machine.tileProductsPerSecond > 0)
    text += print(", %.1f in tiles", machine.tileProductsPerSecond);
  return text + " (" + std::to_string(machine.threads) + " threads, " +
         machine.level + ")";
}
