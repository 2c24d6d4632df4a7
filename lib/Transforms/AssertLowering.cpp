//===- AssertLowering.cpp - assertions that the host reports --------------===//

#include "AssertLowering.h"

#include "HostFunction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tern;

// Of a message that states values. The host cuts what it keeps as well.
static constexpr int64_t kMessageBytes = 512;

LLVM::LLVMFuncOp AssertLowering::createFail(ImplicitLocOpBuilder &b,
                                            StringRef name, TypeRange types) {
  b.setInsertionPointToEnd(module.getBody());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), llvm::to_vector(types));
  auto function =
      LLVM::LLVMFuncOp::create(b, name, type, LLVM::Linkage::Internal);
  function.setPassthroughAttr(b.getStrArrayAttr({"cold", "noreturn"}));
  b.setInsertionPointToStart(function.addEntryBlock(b));
  return function;
}

LLVM::LLVMFuncOp AssertLowering::getFail() {
  if (fail)
    return fail;
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  fail = createFail(b, "tern_fail", {pointer, pointer});
  HostFunction hostFail =
      loadHostFunction(b, fail.getArgument(0), HostField::Fail);
  LLVM::CallOp::create(
      b, fail.getFunctionType(),
      ValueRange{hostFail.address, hostFail.self, fail.getArgument(1)});
  LLVM::UnreachableOp::create(b);
  return fail;
}

LLVM::LLVMFuncOp AssertLowering::getSnprintf(ImplicitLocOpBuilder &b) {
  if (auto present = module.lookupSymbol<LLVM::LLVMFuncOp>("snprintf"))
    return present;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(module.getBody());
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  return LLVM::LLVMFuncOp::create(
      b, "snprintf",
      LLVM::LLVMFunctionType::get(b.getI32Type(),
                                  {pointer, b.getI64Type(), pointer},
                                  /*isVarArg=*/true));
}

LLVM::LLVMFuncOp AssertLowering::getFormattedFail(size_t numValues) {
  LLVM::LLVMFuncOp &function = formattedFails[numValues];
  if (function)
    return function;
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  SmallVector<Type> types(2 + numValues, b.getI64Type());
  types[0] = types[1] = pointer;
  function =
      createFail(b, ("tern_fail_" + Twine(numValues)).str(), TypeRange(types));
  Value size = LLVM::ConstantOp::create(b, b.getI64IntegerAttr(kMessageBytes));
  Value text = LLVM::AllocaOp::create(b, pointer, b.getI8Type(), size);
  SmallVector<Value> arguments = {text, size};
  llvm::append_range(arguments, function.getArguments().drop_front());
  LLVM::CallOp::create(b, getSnprintf(b), arguments);
  LLVM::CallOp::create(b, getFail(), ValueRange{function.getArgument(0), text});
  LLVM::UnreachableOp::create(b);
  return function;
}

void AssertLowering::lower(cf::AssertOp op, Value host) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  auto branch = scf::IfOp::create(b, op.getArg(), /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.elseBlock());
  createFailure(b, host, op.getMsg());
  op.erase();
}

void AssertLowering::createFailure(ImplicitLocOpBuilder &b, Value host,
                                   StringRef text) {
  Value message = createMessage(b, text);
  LLVM::CallOp::create(b, getFail(), ValueRange{host, message});
}

/// The format for which snprintf writes `texts` with values of i64 in between.
static std::string getFormat(ArrayAttr texts) {
  std::string format;
  for (auto [index, text] : llvm::enumerate(texts.getAsRange<StringAttr>())) {
    format += index ? "%lld" : "";
    for (char c : text.getValue())
      format += c == '%' ? "%%" : std::string(1, c);
  }
  return format;
}

void AssertLowering::lower(ternary::AssertOp op, Value host) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  auto branch =
      scf::IfOp::create(b, op.getCondition(), /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.elseBlock());
  if (op.getValues().empty()) {
    createFailure(b, host, cast<StringAttr>(op.getTexts()[0]).getValue());
  } else {
    SmallVector<Value> arguments = {host,
                                    createMessage(b, getFormat(op.getTexts()))};
    for (Value value : op.getValues())
      arguments.push_back(arith::IndexCastOp::create(b, b.getI64Type(), value));
    LLVM::CallOp::create(b, getFormattedFail(op.getValues().size()), arguments);
  }
  op.erase();
}

void AssertLowering::lower(func::FuncOp function) {
  SmallVector<Operation *> asserts;
  function.walk([&](Operation *op) {
    if (isa<cf::AssertOp, ternary::AssertOp>(op))
      asserts.push_back(op);
  });
  Value host = function.getArgument(0);
  for (Operation *op : asserts) {
    if (auto plain = dyn_cast<cf::AssertOp>(op))
      lower(plain, host);
    else
      lower(cast<ternary::AssertOp>(op), host);
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
