//===- CPULevel.h - the CPUs that a model's variants are made for -*- C++
//-*-==//
#ifndef TERN_TARGET_CPULEVEL_H
#define TERN_TARGET_CPULEVEL_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace tern {

/// One level of CPU: what LLVM generates code for, and which vector
/// instructions the ternary kernels use.
struct CPULevel {
  std::string name;         ///< of the variant: "amx", "avx512vnni", …
  std::string cpu;          ///< LLVM's -mcpu
  std::string features;     ///< LLVM's -mattr
  std::string vectorTarget; ///< of convert-ternary-to-vector
  uint64_t required;        ///< TERN_FEATURE_* bits of ModelABI.h
};

/// The levels for `triple` that `cpu` asks for, best first.
///
/// `cpu` is "all" (every level but zen4, chosen at start), "native" (the best
/// level that this machine, and its system, let this process run; zen4 on up to
/// four such cores), "generic" or "x86-64-v2" (the least we support),
/// "x86-64-v3" (AVX2), "x86-64-v4" (AVX-512 with VNNI where it is there), or
/// the name of a level or of a CPU that LLVM knows. Fails for a name that
/// nobody knows, and for targets other than ELF on x86-64, AArch64 and
/// RISC-V 64.
llvm::Expected<std::vector<CPULevel>> getCPULevels(llvm::StringRef triple,
                                                   llvm::StringRef cpu);

} // namespace tern

#endif // TERN_TARGET_CPULEVEL_H
