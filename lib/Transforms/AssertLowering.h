//===- AssertLowering.h - assertions that the host reports ------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_ASSERTLOWERING_H
#define TERN_LIB_TRANSFORMS_ASSERTLOWERING_H

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
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

  /// `cf.assert %ok, "message"` calls tern_fail(host, message) unless %ok;
  /// `ternary.assert`, tern_fail_N(host, format, values).
  void lower(mlir::func::FuncOp function);

private:
  /// `[[noreturn]] void tern_fail(host, message)`: host->fail(self, message). A
  /// function, since a call through a pointer cannot be marked as the end: the
  /// optimizer would take all memory to be changed behind every assertion.
  mlir::LLVM::LLVMFuncOp getFail();
  /// `[[noreturn]] void tern_fail_N(host, format, values)`, for N values of
  /// i64: tern_fail with the text that snprintf makes of them.
  mlir::LLVM::LLVMFuncOp getFormattedFail(size_t numValues);
  void lower(mlir::cf::AssertOp op, mlir::Value host);
  void lower(ternary::AssertOp op, mlir::Value host);
  /// Calls tern_fail(host, text).
  void createFailure(mlir::ImplicitLocOpBuilder &b, mlir::Value host,
                     llvm::StringRef text);
  /// Starts a cold function without a return: `void name(types)`.
  mlir::LLVM::LLVMFuncOp createFail(mlir::ImplicitLocOpBuilder &b,
                                    llvm::StringRef name,
                                    mlir::TypeRange types);
  mlir::LLVM::LLVMFuncOp getSnprintf(mlir::ImplicitLocOpBuilder &b);
  /// The address of a zero-terminated copy of `text`, shared by equal texts.
  mlir::Value createMessage(mlir::ImplicitLocOpBuilder &b,
                            llvm::StringRef text);

  mlir::ModuleOp module;
  mlir::LLVM::LLVMFuncOp fail;
  llvm::SmallDenseMap<size_t, mlir::LLVM::LLVMFuncOp> formattedFails;
  llvm::StringMap<mlir::LLVM::GlobalOp> messages;
};

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_ASSERTLOWERING_H
