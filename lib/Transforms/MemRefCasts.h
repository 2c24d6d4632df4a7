//===- MemRefCasts.h - memrefs to and from pointers -------------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_MEMREFCASTS_H
#define TERN_LIB_TRANSFORMS_MEMREFCASTS_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {

/// A memref of `type`, which has the identity layout, over the pointer `data`,
/// with one of the i64 `sizes` for each dynamic dimension.
mlir::Value createMemRef(mlir::ImplicitLocOpBuilder &b,
                         const mlir::LLVMTypeConverter &converter,
                         mlir::MemRefType type, mlir::Value data,
                         mlir::ValueRange sizes);

/// `value` in the form that the LLVM dialect gives its type: the descriptor of
/// a memref, the integer of an index.
mlir::Value convertToLLVM(mlir::ImplicitLocOpBuilder &b,
                          const mlir::LLVMTypeConverter &converter,
                          mlir::Value value);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_MEMREFCASTS_H
