//===- Resources.h - memory of constants that nothing uses ------*- C++ -*-===//
#ifndef TERN_LIB_DRIVER_RESOURCES_H
#define TERN_LIB_DRIVER_RESOURCES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include "llvm/ADT/DenseSet.h"

namespace tern {

/// Resources that a module's constants refer to.
using ResourceSet =
    llvm::DenseSet<mlir::DialectResourceBlobManager::BlobEntry *>;

/// The resources that the operations of `module` refer to.
ResourceSet collectResources(mlir::ModuleOp module);

/// Frees the bytes of those `resources` that `module` no longer uses; they are
/// empty from then on. A context keeps them for ever otherwise: the weights in
/// each form that they ever had.
void releaseResources(const ResourceSet &resources, mlir::ModuleOp module);

} // namespace tern

#endif // TERN_LIB_DRIVER_RESOURCES_H
