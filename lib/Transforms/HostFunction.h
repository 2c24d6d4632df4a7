//===- HostFunction.h - services of the host --------------------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_HOSTFUNCTION_H
#define TERN_LIB_TRANSFORMS_HOSTFUNCTION_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {

/// The fields of TernHost (ModelABI.h) behind the first, `self`.
enum class HostField : int32_t {
  ParallelFor = 1,
  Fail,
  Fetch,
  Allocate,
  Release,
  Trim,
  Announce
};

/// What a call of the host takes, both `!llvm.ptr`.
struct HostFunction {
  mlir::Value self;    ///< its first argument
  mlir::Value address; ///< of the function
};

/// Loads a function of `host`, the address of a TernHost.
HostFunction loadHostFunction(mlir::ImplicitLocOpBuilder &b, mlir::Value host,
                              HostField field);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_HOSTFUNCTION_H
