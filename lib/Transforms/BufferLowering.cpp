//===- BufferLowering.cpp - temporaries that the host provides ------------===//

#include "BufferLowering.h"

#include "BufferBytes.h"
#include "MemRefCasts.h"

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tern;

BufferLowering::BufferLowering(ModuleOp module)
    : module(module), converter(module.getContext()) {}

LLVM::LLVMFuncOp BufferLowering::createForwarder(StringRef name,
                                                 LLVM::LLVMFunctionType type,
                                                 HostField field) {
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  auto function =
      LLVM::LLVMFuncOp::create(b, name, type, LLVM::Linkage::Internal);
  // What it does is worth no copy at each call.
  function.setPassthroughAttr(b.getStrArrayAttr({"noinline"}));
  b.setInsertionPointToStart(function.addEntryBlock(b));
  HostFunction callee = loadHostFunction(b, function.getArgument(0), field);
  SmallVector<Value> arguments = {callee.address, callee.self};
  llvm::append_range(arguments, function.getArguments().drop_front());
  auto call = LLVM::CallOp::create(b, type, arguments);
  LLVM::ReturnOp::create(b, call.getResults());
  return function;
}

LLVM::LLVMFuncOp BufferLowering::getAllocate() {
  if (!allocate) {
    Builder b(module.getContext());
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    allocate = createForwarder(
        "tern_allocate",
        LLVM::LLVMFunctionType::get(pointer, {pointer, b.getI64Type()}),
        HostField::Allocate);
    allocate.setResultAttr(0, LLVM::LLVMDialect::getNoAliasAttrName(),
                           b.getUnitAttr());
  }
  return allocate;
}

LLVM::LLVMFuncOp BufferLowering::getRelease() {
  if (!release) {
    Builder b(module.getContext());
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    release = createForwarder(
        "tern_release",
        LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                    {pointer, pointer, b.getI64Type()}),
        HostField::Release);
  }
  return release;
}

/// The bytes of a buffer of `type` with these dynamic `sizes`, of i64.
static Value buildBytes(ImplicitLocOpBuilder &b, MemRefType type,
                        ValueRange sizes) {
  Value bytes = LLVM::ConstantOp::create(
      b, b.getI64IntegerAttr(*tern::getStaticBytes(type)));
  for (Value size : sizes)
    bytes = LLVM::MulOp::create(b, bytes, size);
  return bytes;
}

void BufferLowering::lower(memref::AllocOp op, Value host) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  SmallVector<Value> sizes;
  for (Value size : op.getDynamicSizes())
    sizes.push_back(arith::IndexCastOp::create(b, b.getI64Type(), size));
  Value bytes = buildBytes(b, op.getType(), sizes);
  Value address =
      LLVM::CallOp::create(b, getAllocate(), ValueRange{host, bytes})
          .getResult();
  op.replaceAllUsesWith(
      tern::createMemRef(b, converter, op.getType(), address, sizes));
  op.erase();
}

void BufferLowering::lower(memref::DeallocOp op, Value host) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  auto type = cast<MemRefType>(op.getMemref().getType());
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      sizes.push_back(arith::IndexCastOp::create(
          b, b.getI64Type(), memref::DimOp::create(b, op.getMemref(), dim)));
  Value address =
      memref::ExtractAlignedPointerAsIndexOp::create(b, op.getMemref());
  address = LLVM::IntToPtrOp::create(
      b, LLVM::LLVMPointerType::get(b.getContext()),
      arith::IndexCastOp::create(b, b.getI64Type(), address), nullptr);
  LLVM::CallOp::create(b, getRelease(),
                       ValueRange{host, address, buildBytes(b, type, sizes)});
  op.erase();
}

void BufferLowering::lower(ternary::TrimOp op, Value host) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  HostFunction trim = loadHostFunction(b, host, HostField::Trim);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  LLVM::CallOp::create(b,
                       LLVM::LLVMFunctionType::get(
                           LLVM::LLVMVoidType::get(b.getContext()), {pointer}),
                       ValueRange{trim.address, trim.self});
  op.erase();
}

void BufferLowering::lower(func::FuncOp function) {
  SmallVector<Operation *> found;
  function.walk([&](Operation *op) {
    bool isMarked = isa<memref::AllocOp, memref::DeallocOp>(op) &&
                    op->hasAttr(tern::kTemporaryAttr);
    if (isMarked || isa<ternary::TrimOp>(op))
      found.push_back(op);
  });
  Value host = function.getArgument(0);
  for (Operation *op : found) {
    if (auto alloc = dyn_cast<memref::AllocOp>(op))
      lower(alloc, host);
    else if (auto dealloc = dyn_cast<memref::DeallocOp>(op))
      lower(dealloc, host);
    else
      lower(cast<ternary::TrimOp>(op), host);
  }
}
