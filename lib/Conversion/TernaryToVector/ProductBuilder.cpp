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

scf::ParallelOp ProductBuilder::forEachOnThreads(Value end, int64_t step,
                                                 LoopBody body) {
  return scf::ParallelOp::create(
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

void ProductBuilder::prefetchAhead(Value offset, int64_t stream,
                                   StreamFetch fetch) {
  prefetch(bytes, add(offset, fetch.getDistance(stream)), /*isWrite=*/false,
           fetch.locality);
}

void ProductBuilder::prefetch(Value memref, ValueRange place, bool isWrite,
                              unsigned locality) {
  memref::PrefetchOp::create(b, loc, memref, place, isWrite, locality,
                             /*isDataCache=*/true);
}

Value ProductBuilder::allocate(int64_t size, Type element) {
  return memref::AllocOp::create(b, loc, MemRefType::get(size, element),
                                 ValueRange(), b.getI64IntegerAttr(64));
}

Value ProductBuilder::loadActivations(Value token, Value column) {
  auto type = VectorType::get(4, b.getI8Type());
  Value four =
      vector::LoadOp::create(b, loc, type, x, ValueRange{token, column});
  Value word = vector::ExtractOp::create(b, loc, buildBitcast(b, loc, four, 32),
                                         ArrayRef<int64_t>{0});
  return buildBitcast(b, loc, broadcast(word), 8);
}

// Lengths of vectors are powers of two: LLVM would keep the 20 sums of a step
// of t5 one by one.
Value ProductBuilder::buildRowSum(Value token) {
  constexpr int64_t chunk = 16, rest = 4; // layouts have steps of four columns
  int64_t columns = matrix.getPaddedCols();
  int64_t whole = columns / chunk * chunk;
  auto loadPart = [&](int64_t size, Value column) -> Value {
    Value part =
        vector::LoadOp::create(b, loc, VectorType::get(size, b.getI8Type()), x,
                               ValueRange{token, column});
    return arith::ExtSIOp::create(b, loc, VectorType::get(size, b.getI32Type()),
                                  part);
  };
  auto reduce = [&](Value sums) -> Value {
    return vector::ReductionOp::create(b, loc, vector::CombiningKind::ADD,
                                       sums);
  };
  auto loop = scf::ForOp::create(
      b, loc, getIndex(0), getIndex(whole), getIndex(chunk),
      buildSplat(b, loc, VectorType::get(chunk, b.getI32Type()), 0),
      [&](OpBuilder &, Location, Value column, ValueRange sums) {
        scf::YieldOp::create(b, loc, add(sums[0], loadPart(chunk, column)));
      });
  Value sum = reduce(loop.getResult(0));
  for (int64_t column = whole; column < columns; column += rest)
    sum = add(sum, reduce(loadPart(rest, getIndex(column))));
  return sum;
}

Value ProductBuilder::broadcast(Value sum) {
  return vector::BroadcastOp::create(b, loc, accType, sum);
}

void ProductBuilder::storeSums(Value sums, Value token, Value strip) {
  vector::StoreOp::create(b, loc, sums, out,
                          ValueRange{token, mul(strip, target.lanes)});
}
