//===- FetchLowering.h - constants that the host is told of -----*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_FETCHLOWERING_H
#define TERN_LIB_TRANSFORMS_FETCHLOWERING_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tern {

/// Lowers each `ternary.fetch` of a function, whose first argument is the host,
/// to a call of the host's `fetch` (ModelABI.h).
void lowerFetches(mlir::func::FuncOp function);

/// Lowers each `ternary.announce` to a call of the host's `announce`.
void lowerAnnouncements(mlir::func::FuncOp function);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_FETCHLOWERING_H
