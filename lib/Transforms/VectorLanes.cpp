//===- VectorLanes.cpp - how many elements a vector has -------------------===//

#include "VectorLanes.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

LogicalResult tern::checkLanes(Location location, int64_t lanes) {
  if (llvm::isPowerOf2_64(lanes) && lanes >= 4 && lanes <= 64)
    return success();
  return emitError(location)
         << "found " << lanes << " lanes; expected a power of two from 4 to 64";
}
