//===- FunctionCalls.cpp - who calls a function ---------------------------===//

#include "FunctionCalls.h"

using namespace mlir;

SmallVector<func::CallOp> tern::findCalls(func::FuncOp function,
                                          const SymbolUserMap &users) {
  SmallVector<func::CallOp> calls;
  for (Operation *user : users.getUsers(function)) {
    auto call = dyn_cast<func::CallOp>(user);
    if (!call)
      return {};
    calls.push_back(call);
  }
  return calls;
}
