//===- CpuFeatures.cpp - which of a model's variants runs here ------------===//
//
// Bit numbers: Intel SDM volume 2A, CPUID; volume 1, section 13.3 (XCR0).
// Permission for AMX: Linux, Documentation/arch/x86/xstate.rst.
//
//===----------------------------------------------------------------------===//

#include "tern/Runtime/CpuFeatures.h"

#include "tern/Runtime/Error.h"

#include <cstdlib>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace tern::runtime;

#if defined(__x86_64__)

namespace {

struct Registers {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

/// All zeros if the CPU does not know the leaf.
Registers cpuid(unsigned leaf, unsigned subleaf) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

bool hasBits(uint64_t value, uint64_t bits) { return (value & bits) == bits; }

/// Register states that the operating system saves.
uint64_t readXcr0() {
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

/// Asks for the tiles' registers, whose 8 KiB Linux saves for processes that
/// asked only. False if it knows no such request (before 5.16) or refuses.
bool requestTiles() {
#ifdef __linux__
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

} // namespace

uint64_t tern::runtime::detectCpuFeatures() {
  constexpr unsigned kOsxsave = 1u << 27;
  constexpr uint64_t kYmmState = 0x06, kZmmState = 0xE6, kTileState = 0x60000;
  Registers basic = cpuid(1, 0);
  if (!hasBits(basic.ecx, kOsxsave))
    return 0;
  uint64_t state = readXcr0();
  Registers extended = cpuid(7, 0);
  Registers extended1 = cpuid(7, 1);
  Registers amd = cpuid(0x80000001, 0);

  // x86-64-v3: FMA, MOVBE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT.
  constexpr unsigned kBasicV3 =
      (1u << 12) | (1u << 22) | (1u << 28) | (1u << 29);
  constexpr unsigned kExtendedV3 = (1u << 3) | (1u << 5) | (1u << 8);
  if (!hasBits(state, kYmmState) || !hasBits(basic.ecx, kBasicV3) ||
      !hasBits(extended.ebx, kExtendedV3) || !hasBits(amd.ecx, 1u << 5))
    return 0;
  uint64_t features = TERN_FEATURE_AVX2;
  if (hasBits(extended1.eax, 1u << 4))
    features |= TERN_FEATURE_AVXVNNI;

  // x86-64-v4: AVX-512 F, DQ, CD, BW, VL.
  constexpr unsigned kExtendedV4 =
      (1u << 16) | (1u << 17) | (1u << 28) | (1u << 30) | (1u << 31);
  if (!hasBits(state, kZmmState) || !hasBits(extended.ebx, kExtendedV4))
    return features;
  features |= TERN_FEATURE_AVX512;
  if (hasBits(extended.ecx, 1u << 11))
    features |= TERN_FEATURE_AVX512VNNI;
  if (hasBits(extended.ecx, 1u << 1))
    features |= TERN_FEATURE_AVX512VBMI;

  constexpr unsigned kTileAndInt8 = (1u << 24) | (1u << 25), kGfni = 1u << 8;
  if (hasBits(state, kTileState) && hasBits(extended.edx, kTileAndInt8) &&
      hasBits(extended.ecx, kGfni) && requestTiles())
    features |= TERN_FEATURE_AMX;
  return features;
}

#else

uint64_t tern::runtime::detectCpuFeatures() { return 0; }

#endif

bool tern::runtime::isSupported(const TernVariant &variant, uint64_t features) {
  return (variant.features & ~features) == 0;
}

/// "avx2, portable (this CPU runs: portable)".
static std::string listVariants(const TernModel &model, uint64_t features) {
  std::string all, supported;
  for (int32_t i = 0; i < model.num_variants; ++i) {
    const TernVariant &variant = model.variants[i];
    all += (i ? ", " : "") + std::string(variant.name);
    if (isSupported(variant, features))
      supported += (supported.empty() ? "" : ", ") + std::string(variant.name);
  }
  return all + " (this CPU runs: " + (supported.empty() ? "none" : supported) +
         ")";
}

const TernVariant &tern::runtime::selectVariant(const TernModel &model,
                                                uint64_t features,
                                                std::string_view name) {
  for (int32_t i = 0; i < model.num_variants; ++i) {
    const TernVariant &variant = model.variants[i];
    if ((name.empty() || name == variant.name) &&
        isSupported(variant, features))
      return variant;
  }
  std::string wanted = name.empty()
                           ? "this CPU runs none of the model's variants"
                           : "cannot run variant '" + std::string(name) + "'";
  throw InputError(wanted + "; the model has " + listVariants(model, features));
}

const TernVariant &
tern::runtime::selectVariantForThisCpu(const TernModel &model) {
  const char *name = std::getenv("TERN_VARIANT");
  return selectVariant(model, detectCpuFeatures(), name ? name : "");
}
