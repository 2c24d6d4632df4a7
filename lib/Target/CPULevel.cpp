//===- CPULevel.cpp - the CPUs that a model's variants are made for -------===//

#include "tern/Target/CPULevel.h"

#include "tern/Runtime/ModelABI.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;
using namespace tern;

/// Best first; the last runs on any x86-64.
static std::vector<CPULevel> getX86Levels() {
  constexpr uint64_t avx512 = TERN_FEATURE_AVX2 | TERN_FEATURE_AVX512;
  return {
      {"avx512vnni", "x86-64-v4", "+avx512vnni", "avx512vnni",
       avx512 | TERN_FEATURE_AVX512VNNI},
      {"avxvnni", "x86-64-v3", "+avxvnni", "avxvnni",
       TERN_FEATURE_AVX2 | TERN_FEATURE_AVXVNNI},
      {"avx2", "x86-64-v3", "", "avx2", TERN_FEATURE_AVX2},
      {"generic", "x86-64-v2", "", "generic", 0},
  };
}

/// True if this machine has what LLVM's feature string asks for. Levels are
/// defined by x86-64-v3 and v4, whose members the host lists one by one.
static bool hostRuns(const CPULevel &level) {
  StringMap<bool> host = sys::getHostCPUFeatures();
  auto has = [&](std::initializer_list<const char *> names) {
    return all_of(names, [&](const char *name) { return host.lookup(name); });
  };
  if ((level.required & TERN_FEATURE_AVX2) &&
      !has({"avx2", "fma", "f16c", "bmi", "bmi2", "lzcnt", "movbe"}))
    return false;
  if ((level.required & TERN_FEATURE_AVX512) &&
      !has({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}))
    return false;
  if ((level.required & TERN_FEATURE_AVX512VNNI) && !has({"avx512vnni"}))
    return false;
  return !(level.required & TERN_FEATURE_AVXVNNI) || has({"avxvnni"});
}

/// The level of a CPU that LLVM knows by name, from that CPU's features.
static std::optional<CPULevel> getLevelOfCPU(StringRef triple, StringRef cpu) {
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(Triple(triple), error);
  if (!target)
    return std::nullopt;
  std::unique_ptr<MCSubtargetInfo> info(
      target->createMCSubtargetInfo(Triple(triple), "", ""));
  if (!info || !info->isCPUStringValid(cpu))
    return std::nullopt;
  info.reset(target->createMCSubtargetInfo(Triple(triple), cpu, ""));
  auto level = [&](unsigned index) {
    CPULevel result = getX86Levels()[index];
    result.cpu = cpu;
    result.features = "";
    return result;
  };
  if (info->checkFeatures("+avx512vnni") && info->checkFeatures("+avx512vl"))
    return level(0);
  if (info->checkFeatures("+avxvnni"))
    return level(1);
  return level(info->checkFeatures("+avx2") ? 2 : 3);
}

Expected<std::vector<CPULevel>> tern::getCPULevels(StringRef triple,
                                                   StringRef cpu) {
  if (!Triple(triple).isX86())
    return std::vector<CPULevel>{
        {"generic", cpu == "all" || cpu == "generic" ? "" : cpu.str(), "",
         "generic", 0}};
  std::vector<CPULevel> levels = getX86Levels();
  if (cpu == "all")
    return levels;
  if (cpu == "native") {
    for (const CPULevel &level : levels)
      if (hostRuns(level))
        return std::vector<CPULevel>{level};
  }
  if (cpu == "x86-64-v4")
    return std::vector<CPULevel>{levels[0], levels[2]};
  StringRef name = cpu == "x86-64-v3"   ? "avx2"
                   : cpu == "x86-64-v2" ? "generic"
                                        : cpu;
  for (const CPULevel &level : levels)
    if (level.name == name)
      return std::vector<CPULevel>{level};
  if (std::optional<CPULevel> level = getLevelOfCPU(triple, cpu))
    return std::vector<CPULevel>{*level};
  return createStringError(
      "unknown CPU '" + cpu +
      "'; expected all, native, generic, x86-64-v2, x86-64-v3, x86-64-v4, "
      "avx2, "
      "avxvnni, avx512vnni, or a CPU that LLVM knows for " +
      triple);
}
