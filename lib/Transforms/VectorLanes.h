//===- VectorLanes.h - how many elements a vector has -----------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_VECTORLANES_H
#define TERN_LIB_TRANSFORMS_VECTORLANES_H

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"

namespace tern {

/// Fails with an error at `location` unless `lanes`, a pass's option, is a
/// power of two from 4 to 64.
mlir::LogicalResult checkLanes(mlir::Location location, int64_t lanes);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_VECTORLANES_H
