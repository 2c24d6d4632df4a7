//===- FetchLowering.cpp - constants that the host is told of -------------===//

#include "FetchLowering.h"

#include "HostFunction.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace tern;

/// The bytes of consecutive elements of a memref of `type`.
static int64_t getBytes(Type type, int64_t numElements) {
  return cast<MemRefType>(type).getElementTypeBitWidth() / 8 * numElements;
}

/// The address of `buffer[row]`, or of the buffer without a row.
static Value buildAddress(ImplicitLocOpBuilder &b, Value buffer, Value row) {
  auto parts = memref::ExtractStridedMetadataOp::create(b, buffer);
  Value offset = parts.getOffset();
  if (row)
    offset = arith::AddIOp::create(
        b, offset, arith::MulIOp::create(b, row, Value(parts.getStrides()[0])));
  int64_t size = getBytes(buffer.getType(), 1);
  offset =
      arith::MulIOp::create(b, offset, arith::ConstantIndexOp::create(b, size));
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, buffer);
  Value address = arith::AddIOp::create(b, base, offset);
  return LLVM::IntToPtrOp::create(
      b, LLVM::LLVMPointerType::get(b.getContext()),
      arith::IndexCastOp::create(b, b.getI64Type(), address), nullptr);
}

static void lower(ternary::FetchOp op, Value host) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  HostFunction fetch = loadHostFunction(b, host, HostField::Fetch);
  auto rows = cast<MemRefType>(op.getRows().getType());
  Value bytes = LLVM::ConstantOp::create(
      b, b.getI64IntegerAttr(getBytes(rows, rows.getDimSize(1))));
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                  {pointer, pointer, pointer, b.getI64Type()});
  LLVM::CallOp::create(b, type,
                       ValueRange{fetch.address, fetch.self,
                                  buildAddress(b, op.getRows(), op.getRow()),
                                  buildAddress(b, op.getTarget(), Value()),
                                  bytes});
  op.erase();
}

static void lower(ternary::AnnounceOp op, Value host) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type i64 = b.getI64Type();
  HostFunction announce = loadHostFunction(b, host, HostField::Announce);
  Value size = b.createOrFold<memref::DimOp>(op.getConstant(), 0);
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), {pointer, pointer, i64, i64});
  LLVM::CallOp::create(
      b, type,
      ValueRange{announce.address, announce.self,
                 buildAddress(b, op.getConstant(), Value()),
                 arith::IndexCastOp::create(b, i64, size),
                 LLVM::ConstantOp::create(b, op.getStreamsAttr())});
  op.erase();
}

/// Lowers each `Op` of a function, whose first argument is the host.
template <typename Op>
static void lowerAll(func::FuncOp function) {
  SmallVector<Op> found;
  function.walk([&](Op op) { found.push_back(op); });
  for (Op op : found)
    lower(op, function.getArgument(0));
}

void tern::lowerFetches(func::FuncOp function) {
  lowerAll<ternary::FetchOp>(function);
}

void tern::lowerAnnouncements(func::FuncOp function) {
  lowerAll<ternary::AnnounceOp>(function);
}
