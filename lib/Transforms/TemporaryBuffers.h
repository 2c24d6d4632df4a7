//===- TemporaryBuffers.h - buffers of one block ----------------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_TEMPORARYBUFFERS_H
#define TERN_LIB_TRANSFORMS_TEMPORARYBUFFERS_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace tern {

/// The one deallocation of `alloc`, in the same block; null if it has another,
/// none, or one elsewhere.
mlir::memref::DeallocOp findDealloc(mlir::memref::AllocOp alloc);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_TEMPORARYBUFFERS_H
