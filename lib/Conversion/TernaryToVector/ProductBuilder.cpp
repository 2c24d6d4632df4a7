//===- ProductBuilder.cpp - what the parts of a kernel share --------------===//

#include "ProductBuilder.h"

#include "Kernel.h"

#include "tern/Conversion/Streams.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tern::ternary;

Value tern::ternary::buildSplat(OpBuilder &b, Location loc, VectorType type,
                                int64_t value) {
  APInt bits(type.getElementTypeBitWidth(), value, /*isSigned=*/false,
             /*implicitTrunc=*/true);
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, bits));
}

Value tern::ternary::buildBitcast(OpBuilder &b, Location loc, Value vector,
                                  unsigned width) {
  auto type = cast<VectorType>(vector.getType());
  int64_t size = type.getNumElements() * type.getElementTypeBitWidth() / width;
  return vector::BitCastOp::create(
      b, loc, VectorType::get(size, b.getIntegerType(width)), vector);
}

ProductBuilder::ProductBuilder(OpBuilder &builder, Location loc,
                               const VectorTarget &target, MatrixType matrix,
                               Value x, Value bytes, Value out)
    : b(builder), loc(loc), target(target), matrix(matrix), x(x), bytes(bytes),
      out(out), layout(matrix.getLayout()), planes(layout.getCodesPerByte()),
      stepColumns(layout.getStepColumns()),
      steps(matrix.getPaddedCols() / stepColumns),
      stripsPerTile(kernelTile / target.lanes),
      strips(matrix.getPaddedRows() / target.lanes),
      stripBytes(4 * target.lanes),
      accType(VectorType::get(target.lanes, b.getI32Type())),
      codesType(VectorType::get(stripBytes, b.getI8Type())) {}

Value ProductBuilder::getIndex(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value ProductBuilder::add(Value lhs, Value rhs) {
  return arith::AddIOp::create(b, loc, lhs, rhs);
}

Value ProductBuilder::add(Value lhs, int64_t rhs) {
  return rhs == 0 ? lhs : add(lhs, getIndex(rhs));
}

Value ProductBuilder::mul(Value lhs, int64_t rhs) {
  return arith::MulIOp::create(b, loc, lhs, getIndex(rhs));
}

void ProductBuilder::forEach(Value begin, Value end, int64_t step,
                             LoopBody body) {
  scf::ForOp::create(b, loc, begin, end, getIndex(step), ValueRange(),
                     [&](OpBuilder &, Location, Value i, ValueRange) {
                       body(i);
                       scf::YieldOp::create(b, loc);
                     });
}

void ProductBuilder::forEachOnThreads(Value end, int64_t step, LoopBody body) {
  scf::ParallelOp::create(
      b, loc, getIndex(0), end, getIndex(step),
      [&](OpBuilder &, Location, ValueRange i) { body(i[0]); });
}

Value ProductBuilder::getStripOffset(Value strip) {
  int64_t tileBytes = steps * 4 * kernelTile;
  if (stripsPerTile == 1)
    return mul(strip, tileBytes);
  Value perTile = getIndex(stripsPerTile);
  Value tile = arith::DivUIOp::create(b, loc, strip, perTile);
  Value inTile = arith::RemUIOp::create(b, loc, strip, perTile);
  return add(mul(tile, tileBytes), mul(inTile, stripBytes));
}

Value ProductBuilder::loadPacked(Value offset) {
  return vector::LoadOp::create(b, loc, codesType, bytes, ValueRange{offset});
}

void ProductBuilder::prefetchAhead(Value offset, int64_t stream) {
  prefetch(bytes, add(offset, getPrefetchBytes(stream)), /*isWrite=*/false);
}

void ProductBuilder::prefetch(Value memref, ValueRange place, bool isWrite) {
  memref::PrefetchOp::create(b, loc, memref, place, isWrite,
                             /*localityHint=*/3, /*isDataCache=*/true);
}

Value ProductBuilder::loadActivations(Value token, Value column) {
  auto type = VectorType::get(4, b.getI8Type());
  Value four =
      vector::LoadOp::create(b, loc, type, x, ValueRange{token, column});
  Value word = vector::ExtractOp::create(b, loc, buildBitcast(b, loc, four, 32),
                                         ArrayRef<int64_t>{0});
  return buildBitcast(b, loc, broadcast(word), 8);
}

Value ProductBuilder::buildRowSum(Value token) {
  auto wide = VectorType::get(stepColumns, b.getI32Type());
  auto narrow = VectorType::get(stepColumns, b.getI8Type());
  auto loop = scf::ForOp::create(
      b, loc, getIndex(0), getIndex(steps), getIndex(1),
      buildSplat(b, loc, wide, 0),
      [&](OpBuilder &, Location, Value step, ValueRange sums) {
        Value part = vector::LoadOp::create(
            b, loc, narrow, x, ValueRange{token, mul(step, stepColumns)});
        part = arith::ExtSIOp::create(b, loc, wide, part);
        scf::YieldOp::create(b, loc, add(sums[0], part));
      });
  return vector::ReductionOp::create(b, loc, vector::CombiningKind::ADD,
                                     loop.getResult(0));
}

Value ProductBuilder::broadcast(Value sum) {
  return vector::BroadcastOp::create(b, loc, accType, sum);
}

void ProductBuilder::storeSums(Value sums, Value token, Value strip) {
  vector::StoreOp::create(b, loc, sums, out,
                          ValueRange{token, mul(strip, target.lanes)});
}
