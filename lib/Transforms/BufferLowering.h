//===- BufferLowering.h - temporaries that the host provides ----*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_BUFFERLOWERING_H
#define TERN_LIB_TRANSFORMS_BUFFERLOWERING_H

#include "HostFunction.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {

/// Lowers the temporaries of a module's functions, whose first argument is the
/// host, to calls of the host's `allocate`, `release` and `trim` (ModelABI.h).
class BufferLowering {
public:
  explicit BufferLowering(mlir::ModuleOp module);

  /// What `tern-mark-temporaries` marked in `function`, and each
  /// `ternary.trim`.
  void lower(mlir::func::FuncOp function);

private:
  void lower(mlir::memref::AllocOp op, mlir::Value host);
  void lower(mlir::memref::DeallocOp op, mlir::Value host);
  void lower(ternary::TrimOp op, mlir::Value host);
  /// `ptr tern_allocate(host, bytes)`: host->allocate(self, bytes). A function,
  /// since only of one can be said that nothing else points to its result.
  mlir::LLVM::LLVMFuncOp getAllocate();
  /// `void tern_release(host, address, bytes)`: host->release(self, …).
  mlir::LLVM::LLVMFuncOp getRelease();
  /// A function `name` that passes its arguments, with the host's self for the
  /// host, to the function in the host's `field`.
  mlir::LLVM::LLVMFuncOp createForwarder(llvm::StringRef name,
                                         mlir::LLVM::LLVMFunctionType type,
                                         HostField field);

  mlir::ModuleOp module;
  mlir::LLVMTypeConverter converter;
  mlir::LLVM::LLVMFuncOp allocate, release;
};

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_BUFFERLOWERING_H
