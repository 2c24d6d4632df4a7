//===- CpuFeatures.h - which of a model's variants runs here ----*- C++ -*-===//
#ifndef TERN_RUNTIME_CPUFEATURES_H
#define TERN_RUNTIME_CPUFEATURES_H

#include "tern/Runtime/ModelABI.h"

#include <cstdint>
#include <string_view>

namespace tern::runtime {

/// The TERN_FEATURE_* bits that this CPU has and whose registers the operating
/// system saves. 0 on anything but x86. Where there is AMX, asks Linux to let
/// all threads of the process use it, as it does not do so by itself.
uint64_t detectCpuFeatures();

/// True if a CPU with `features` can run `variant`.
bool isSupported(const TernVariant &variant, uint64_t features);

/// Returns the variant named `name`, or the best that `features` allow if
/// `name` is empty.
/// \throws InputError that lists the variants if there is none such.
const TernVariant &selectVariant(const TernModel &model, uint64_t features,
                                 std::string_view name);

/// selectVariant for this CPU; the environment variable TERN_VARIANT names a
/// variant, for tests and to find a miscompiled one.
const TernVariant &selectVariantForThisCpu(const TernModel &model);

} // namespace tern::runtime

#endif // TERN_RUNTIME_CPUFEATURES_H
