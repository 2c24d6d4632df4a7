//===- FunctionCalls.h - who calls a function -------------------*- C++ -*-===//
#ifndef TERN_LIB_TRANSFORMS_FUNCTIONCALLS_H
#define TERN_LIB_TRANSFORMS_FUNCTIONCALLS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"

namespace tern {

/// The calls of a private function, whose type may change with theirs; none if
/// something else in the module refers to it.
llvm::SmallVector<mlir::func::CallOp>
findCalls(mlir::func::FuncOp function, const mlir::SymbolUserMap &users);

} // namespace tern

#endif // TERN_LIB_TRANSFORMS_FUNCTIONCALLS_H
