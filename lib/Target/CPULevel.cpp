//===- CPULevel.cpp - the CPUs that a model's variants are made for -------===//

#include "tern/Target/CPULevel.h"

#include "tern/Runtime/ModelABI.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/Threading.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace llvm;
using namespace tern;

/// Best first; the last runs on any x86-64-v2, which is the least we support.
static std::vector<CPULevel> getX86Levels() {
  constexpr uint64_t avx512vnni =
      TERN_FEATURE_AVX2 | TERN_FEATURE_AVX512 | TERN_FEATURE_AVX512VNNI;
  constexpr uint64_t avx512vbmi = avx512vnni | TERN_FEATURE_AVX512VBMI;
  return {
      // LLVM makes the same code for both of what is not in tiles, which the
      // linker then folds.
      {"amx", "x86-64-v4", "+avx512vnni,+avx512vbmi,+gfni,+amx-tile,+amx-int8",
       "amx", avx512vbmi | TERN_FEATURE_AMX},
      {"avx512vbmi", "x86-64-v4", "+avx512vnni,+avx512vbmi", "avx512vbmi",
       avx512vbmi},
      {"avx512vnni", "x86-64-v4", "+avx512vnni", "avx512vnni", avx512vnni},
      {"avxvnni", "x86-64-v3", "+avxvnni", "avxvnni",
       TERN_FEATURE_AVX2 | TERN_FEATURE_AVXVNNI},
      {"avx2", "x86-64-v3", "", "avx2", TERN_FEATURE_AVX2},
      {"generic", "x86-64-v2", "", "generic", 0},
  };
}

/// Not among all, for whose executables it would be a copy of each layer: the
/// instructions are those of avx512vbmi, but products of many tokens are other
/// ones, which few threads share well.
static CPULevel getZen4Level() {
  for (CPULevel level : getX86Levels())
    if (level.name == "avx512vbmi") {
      level.name = level.vectorTarget = "zen4";
      return level;
    }
  llvm_unreachable("the level is there");
}

static std::optional<CPULevel> findX86Level(StringRef name) {
  if (name == "zen4")
    return getZen4Level();
  for (const CPULevel &level : getX86Levels())
    if (level.name == name)
      return level;
  return std::nullopt;
}

/// True if this process may use AMX's tiles, whose registers Linux saves for
/// those that ask only, and which it may refuse although the CPU has them
/// (Documentation/arch/x86/xstate.rst). So does a model when it starts.
static bool isGrantedTiles() {
#if defined(__x86_64__) && defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
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
  if ((level.required & TERN_FEATURE_AVX512VBMI) && !has({"avx512vbmi"}))
    return false;
  if ((level.required & TERN_FEATURE_AMX) &&
      (!has({"amx-tile", "amx-int8", "gfni"}) || !isGrantedTiles()))
    return false;
  return !(level.required & TERN_FEATURE_AVXVNNI) || has({"avxvnni"});
}

/// True if products by lookups pay on this machine: its cores are Zen 4, and so
/// few that a short prompt has a piece for each (MixedProduct.cpp).
static bool hostIsFewZen4() {
  constexpr unsigned kMostThreads = 4;
  return sys::getHostCPUName() == "znver4" && hostRuns(getZen4Level()) &&
         hardware_concurrency().compute_thread_count() <= kMostThreads;
}

/// What LLVM knows of a CPU; null if it does not know the name.
static std::unique_ptr<MCSubtargetInfo> describeCPU(const Triple &triple,
                                                    StringRef cpu) {
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return nullptr;
  std::unique_ptr<MCSubtargetInfo> info(
      target->createMCSubtargetInfo(triple, "", ""));
  if (!info || !info->isCPUStringValid(cpu))
    return nullptr;
  info.reset(target->createMCSubtargetInfo(triple, cpu, ""));
  return info;
}

/// The level of an x86 CPU that LLVM knows by name, from that CPU's features.
/// LLVM uses all of them: code for a Skylake server needs AVX-512, although its
/// kernels are those of AVX2.
static CPULevel getX86LevelOfCPU(const MCSubtargetInfo &info, StringRef cpu) {
  auto has = [&](const char *feature) { return info.checkFeatures(feature); };
  bool hasAvx512 = has("+avx512vnni") && has("+avx512vl");
  bool hasVbmi = hasAvx512 && has("+avx512vbmi");
  bool hasTiles = hasVbmi && has("+amx-int8") && has("+gfni");
  CPULevel level = *findX86Level(hasTiles          ? "amx"
                                 : cpu == "znver4" ? "zen4"
                                 : hasVbmi         ? "avx512vbmi"
                                 : hasAvx512       ? "avx512vnni"
                                 : has("+avxvnni") ? "avxvnni"
                                 : has("+avx2")    ? "avx2"
                                                   : "generic");
  level.cpu = cpu;
  level.features = "";
  const std::pair<const char *, uint64_t> bits[] = {
      {"+avx2", TERN_FEATURE_AVX2},
      {"+avxvnni", TERN_FEATURE_AVXVNNI},
      {"+avx512f", TERN_FEATURE_AVX512},
      {"+avx512vnni", TERN_FEATURE_AVX512VNNI},
      {"+avx512vbmi", TERN_FEATURE_AVX512VBMI},
      {"+amx-int8", TERN_FEATURE_AMX}};
  for (auto [feature, bit] : bits)
    if (has(feature))
      level.required |= bit;
  return level;
}

static bool isSupported(const Triple &triple) {
  return triple.isOSBinFormatELF() &&
         is_contained({Triple::x86_64, Triple::aarch64, Triple::riscv64},
                      triple.getArch());
}

/// Targets other than x86-64 have one level, for any of their CPUs or for one.
static std::optional<CPULevel> getOnlyLevel(const Triple &triple,
                                            StringRef cpu) {
  CPULevel level = {"generic", "", "", "generic", 0};
  if (cpu == "all" || cpu == "generic")
    return level;
  bool isHost =
      Triple(sys::getDefaultTargetTriple()).getArch() == triple.getArch();
  level.cpu = cpu == "native" && isHost ? sys::getHostCPUName() : cpu;
  if (!describeCPU(triple, level.cpu))
    return std::nullopt;
  return level;
}

Expected<std::vector<CPULevel>> tern::getCPULevels(StringRef name,
                                                   StringRef cpu) {
  Triple triple(name);
  if (!isSupported(triple))
    return createStringError("unknown target '" + name +
                             "'; expected x86_64, aarch64 or riscv64 with ELF "
                             "objects, as x86_64-linux-gnu");
  if (!triple.isX86()) {
    if (std::optional<CPULevel> level = getOnlyLevel(triple, cpu))
      return std::vector<CPULevel>{*level};
    return createStringError("unknown CPU '" + cpu +
                             "'; expected all, generic, native on such a "
                             "machine, or a CPU that LLVM knows for " +
                             name);
  }
  std::vector<CPULevel> levels = getX86Levels();
  if (cpu == "all")
    return levels;
  if (cpu == "native") {
    if (hostIsFewZen4())
      return std::vector<CPULevel>{getZen4Level()};
    for (const CPULevel &level : levels)
      if (hostRuns(level))
        return std::vector<CPULevel>{level};
  }
  if (cpu == "x86-64-v4")
    return std::vector<CPULevel>{*findX86Level("avx512vnni"),
                                 *findX86Level("avx2")};
  StringRef known = cpu == "x86-64-v3"   ? "avx2"
                    : cpu == "x86-64-v2" ? "generic"
                                         : cpu;
  if (std::optional<CPULevel> level = findX86Level(known))
    return std::vector<CPULevel>{*level};
  if (std::unique_ptr<MCSubtargetInfo> info = describeCPU(triple, cpu))
    return std::vector<CPULevel>{getX86LevelOfCPU(*info, cpu)};
  return createStringError(
      "unknown CPU '" + cpu +
      "'; expected all, native, generic, x86-64-v2, x86-64-v3, x86-64-v4, "
      "avx2, avxvnni, avx512vnni, avx512vbmi, zen4, amx, or a CPU that LLVM "
      "knows "
      "for " +
      name);
}
