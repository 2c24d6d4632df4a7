//===- TileRegisters.cpp - AMX's tile registers, by number ----------------===//

#include "TileRegisters.h"

#include "VectorTarget.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tern::ternary;

void TileRegisters::call(StringRef name, ValueRange arguments) {
  LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr(name), arguments);
}

Value TileRegisters::getNumber(int64_t tile) {
  return arith::ConstantIntOp::create(b, loc, tile, 8);
}

Value TileRegisters::getI64(Value index) {
  return arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
}

// Palette 1; from byte 16 on a u16 for the bytes of each register's rows, from
// byte 48 on a u8 for its rows (Intel's manual of instructions, LDTILECFG).
void TileRegisters::configure(ArrayRef<int64_t> some, Value someRows,
                              Value memory, Value offset) {
  constexpr int64_t bytesBegin = 16, rowsBegin = 48;
  SmallVector<int8_t> constant(configurationBytes, 0);
  SmallVector<bool> isOfSome(configurationBytes, false);
  constant[0] = 1;
  for (int64_t tile = 0; tile < registers; ++tile) {
    constant[bytesBegin + 2 * tile] = rowBytes;
    constant[rowsBegin + tile] = rows;
  }
  for (int64_t tile : some)
    isOfSome[rowsBegin + tile] = true;
  auto type = VectorType::get(configurationBytes, b.getI8Type());
  auto flags = VectorType::get(configurationBytes, b.getI1Type());
  Value others = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, ArrayRef<int8_t>(constant)));
  Value mask = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(flags, ArrayRef<bool>(isOfSome)));
  Value count = arith::IndexCastOp::create(b, loc, b.getI8Type(), someRows);
  Value counts = vector::BroadcastOp::create(b, loc, type, count);
  Value all = arith::SelectOp::create(b, loc, mask, counts, others);
  vector::StoreOp::create(b, loc, all, memory, ValueRange{offset});
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memory);
  Value address = arith::AddIOp::create(b, loc, base, offset);
  Value pointer = LLVM::IntToPtrOp::create(
      b, loc, LLVM::LLVMPointerType::get(b.getContext()), getI64(address));
  call("llvm.x86.ldtilecfg", pointer);
}

void TileRegisters::release() { call("llvm.x86.tilerelease", {}); }

void TileRegisters::zero(int64_t tile) {
  call("llvm.x86.tilezero", getNumber(tile));
}

void TileRegisters::load(int64_t tile, Value pointer, Value stride) {
  call("llvm.x86.tileloadd64", {getNumber(tile), pointer, getI64(stride)});
}

void TileRegisters::store(int64_t tile, Value pointer, Value stride) {
  call("llvm.x86.tilestored64", {getNumber(tile), pointer, getI64(stride)});
}

void TileRegisters::multiply(int64_t sum, int64_t lhs, int64_t rhs) {
  call("llvm.x86.tdpbssd", {getNumber(sum), getNumber(lhs), getNumber(rhs)});
}
