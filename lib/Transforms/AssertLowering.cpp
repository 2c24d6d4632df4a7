//===- AssertLowering.cpp - assertions that the host reports --------------===//

#include "AssertLowering.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tern;

LLVM::LLVMFuncOp AssertLowering::getFail() {
  if (fail)
    return fail;
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), {pointer, pointer});
  fail =
      LLVM::LLVMFuncOp::create(b, "tern_fail", type, LLVM::Linkage::Internal);
  fail.setPassthroughAttr(b.getStrArrayAttr({"cold", "noreturn"}));
  b.setInsertionPointToStart(fail.addEntryBlock(b));
  // TernHost: {void *self; parallel_for; fail;}.
  Value host = fail.getArgument(0);
  Value self = LLVM::LoadOp::create(b, pointer, host);
  Value slot =
      LLVM::GEPOp::create(b, pointer, pointer, host, ArrayRef<LLVM::GEPArg>{2});
  Value hostFail = LLVM::LoadOp::create(b, pointer, slot);
  LLVM::CallOp::create(b, type,
                       ValueRange{hostFail, self, fail.getArgument(1)});
  LLVM::UnreachableOp::create(b);
  return fail;
}

void AssertLowering::lower(func::FuncOp function) {
  SmallVector<cf::AssertOp> asserts;
  function.walk([&](cf::AssertOp op) { asserts.push_back(op); });
  for (cf::AssertOp op : asserts) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    auto branch = scf::IfOp::create(b, op.getArg(), /*withElseRegion=*/true);
    b.setInsertionPointToStart(branch.elseBlock());
    Value message = createMessage(b, op.getMsg());
    LLVM::CallOp::create(b, getFail(),
                         ValueRange{function.getArgument(0), message});
    op.erase();
  }
}

Value AssertLowering::createMessage(ImplicitLocOpBuilder &b, StringRef text) {
  LLVM::GlobalOp &message = messages[text];
  if (!message) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    std::string value = (text + Twine('\0')).str();
    auto type = LLVM::LLVMArrayType::get(b.getI8Type(), value.size());
    message = LLVM::GlobalOp::create(
        b, type, /*isConstant=*/true, LLVM::Linkage::Private,
        ("tern_message_" + Twine(messages.size() - 1)).str(),
        b.getStringAttr(value));
  }
  return LLVM::AddressOfOp::create(b, message);
}
