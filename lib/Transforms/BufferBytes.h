//===- BufferBytes.h - how much memory a buffer takes -----------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_BUFFERBYTES_H
#define TERN_LIB_TRANSFORMS_BUFFERBYTES_H

#include "mlir/IR/BuiltinTypes.h"

#include <limits>
#include <optional>

namespace tern {

/// Stands for any number of bytes that does not fit a signed index.
constexpr int64_t kTooManyBytes = std::numeric_limits<int64_t>::max();

/// The bytes that a buffer of `type` takes for each combination of its dynamic
/// sizes: all of them, where it has none. At least those of an element, as an
/// empty dimension counts for 1 and so hides no other one. kTooManyBytes where
/// they are as many or more; nullopt where the type does not tell, as the
/// elements are no numbers, or strides keep dynamic dimensions apart.
std::optional<int64_t> getStaticBytes(mlir::MemRefType type);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_BUFFERBYTES_H
