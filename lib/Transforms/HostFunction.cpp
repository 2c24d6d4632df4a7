//===- HostFunction.cpp - services of the host ----------------------------===//

#include "HostFunction.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

tern::HostFunction tern::loadHostFunction(ImplicitLocOpBuilder &b, Value host,
                                          HostField field) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value self = LLVM::LoadOp::create(b, pointer, host);
  Value slot =
      LLVM::GEPOp::create(b, pointer, pointer, host,
                          ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(field)});
  return {self, LLVM::LoadOp::create(b, pointer, slot)};
}
