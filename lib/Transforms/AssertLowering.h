//===- AssertLowering.h - assertions that the host reports ------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_ASSERTLOWERING_H
#define TERN_LIB_TRANSFORMS_ASSERTLOWERING_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include "llvm/ADT/StringMap.h"

namespace tern {

/// Lowers the assertions of a module's functions, whose first argument is the
/// host, to calls of the host's `fail` (ModelABI.h).
class AssertLowering {
public:
  explicit AssertLowering(mlir::ModuleOp module) : module(module) {}

  /// `cf.assert %ok, "message"` calls tern_fail(host, message) unless %ok.
  void lower(mlir::func::FuncOp function);

private:
  /// `[[noreturn]] void tern_fail(host, message)`: host->fail(self, message). A
  /// function, since a call through a pointer cannot be marked as the end: the
  /// optimizer would take all memory to be changed behind every assertion.
  mlir::LLVM::LLVMFuncOp getFail();
  /// The address of a zero-terminated copy of `text`, shared by equal texts.
  mlir::Value createMessage(mlir::ImplicitLocOpBuilder &b,
                            llvm::StringRef text);

  mlir::ModuleOp module;
  mlir::LLVM::LLVMFuncOp fail;
  llvm::StringMap<mlir::LLVM::GlobalOp> messages;
};

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_ASSERTLOWERING_H
