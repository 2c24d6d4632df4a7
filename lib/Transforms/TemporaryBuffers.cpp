//===- TemporaryBuffers.cpp - buffers of one block ------------------------===//

#include "TemporaryBuffers.h"

using namespace mlir;

memref::DeallocOp tern::findDealloc(memref::AllocOp alloc) {
  memref::DeallocOp found;
  for (Operation *user : alloc->getUsers())
    if (auto dealloc = dyn_cast<memref::DeallocOp>(user)) {
      if (found || dealloc->getBlock() != alloc->getBlock())
        return {};
      found = dealloc;
    }
  return found;
}
