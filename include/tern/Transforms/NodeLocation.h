//===- NodeLocation.h - the node that an operation comes from ---*- C++ -*-===//
#ifndef TERN_TRANSFORMS_NODELOCATION_H
#define TERN_TRANSFORMS_NODELOCATION_H

#include "mlir/IR/Location.h"

namespace tern {

/// The location of the ONNX node that `location` is of, or null. A fused
/// operation is of the node that the others were fused into, the first.
mlir::NameLoc findNodeLocation(mlir::Location location);

/// The locations of all nodes that `location` is of: several where products of
/// several nodes were merged, else that one or none.
llvm::SmallVector<mlir::NameLoc> findNodeLocations(mlir::Location location);

/// The name of that node, or "".
llvm::StringRef getNodeName(mlir::Location location);

} // namespace tern

#endif // TERN_TRANSFORMS_NODELOCATION_H
