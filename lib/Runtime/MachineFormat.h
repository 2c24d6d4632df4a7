//===- MachineFormat.h - what was measured, for people and programs -*- C++
//-*-//
#ifndef TERN_LIB_RUNTIME_MACHINEFORMAT_H
#define TERN_LIB_RUNTIME_MACHINEFORMAT_H

#include "tern/Runtime/MachineProbe.h"

#include <nlohmann/json.hpp>

#include <string>

namespace tern::runtime {

/// An object of rates in 1e9 a second; those that are unknown are not in it.
nlohmann::ordered_json makeJson(const MachineSpeed &machine);

/// "19.2 GB/s, 15.3 of the weights where they lie": what is read in a second.
std::string formatReading(const MachineSpeed &machine);

/// "842.4 GMAC/s in int8, 7350.5 in tiles (2 threads, amx)".
std::string formatMultiplying(const MachineSpeed &machine);

} // namespace tern::runtime

#endif // TERN_LIB_RUNTIME_MACHINEFORMAT_H
