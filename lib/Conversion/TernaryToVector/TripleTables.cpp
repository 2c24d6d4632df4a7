//===- TripleTables.cpp - products of three trits, looked up --------------===//

#include "TripleTables.h"

#include "VectorTarget.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <array>

using namespace mlir;
using namespace tern::ternary;

static constexpr int64_t kCombinations = 27;
static constexpr int64_t kLanes = TripleTables::words / 2;

/// The trits of an entry; none beyond the combinations.
static std::array<int8_t, TripleTables::planes> getTrits(int64_t entry) {
  if (entry >= kCombinations)
    return {0, 0, 0};
  auto trit = [&](int64_t weight) {
    return static_cast<int8_t>(entry / weight % 3 - 1);
  };
  return {trit(1), trit(3), trit(9)};
}

/// The entry that lane `lane` of a half holds before both are packed to words:
/// vpackssdw takes four lanes of either in turns.
static int64_t getEntry(int64_t half, int64_t lane) {
  return lane / 4 * 8 + half * 4 + lane % 4;
}

TripleTables::TripleTables(OpBuilder &builder, Location loc)
    : b(builder), loc(loc),
      bytesType(VectorType::get(4 * kLanes, builder.getI8Type())),
      wordsType(VectorType::get(words, builder.getI16Type())),
      lanesType(VectorType::get(kLanes, builder.getI32Type())) {}

Value TripleTables::call(StringRef name, Type type, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr(name),
                                       operands)
      .getResult(0);
}

Value TripleTables::buildTrits(int64_t half) {
  SmallVector<int8_t> bytes;
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    llvm::append_range(bytes, getTrits(getEntry(half, lane)));
    bytes.push_back(0);
  }
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(bytesType, ArrayRef(bytes)));
}

Value TripleTables::buildBias(int64_t half) {
  SmallVector<int32_t> lanes;
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    int32_t sum = 0;
    for (int8_t trit : getTrits(getEntry(half, lane)))
      sum += trit;
    lanes.push_back(-128 * sum);
  }
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(lanesType, ArrayRef(lanes)));
}

// vpdpbusd takes one side unsigned: activations plus 128.
SmallVector<Value, 4> TripleTables::buildTables(Value columns, Value excess) {
  constexpr int64_t none = 0; // meets the byte of the trits that is 0
  SmallVector<int64_t> order;
  for (int64_t table = 0; table < tables; ++table)
    order.append({4 + table, 8 + table, 12 + table, none});
  auto type = cast<VectorType>(columns.getType());
  Value biased =
      arith::XOrIOp::create(b, loc, columns, buildSplat(b, loc, type, -128));
  Value triples = vector::ShuffleOp::create(b, loc, biased, biased, order);
  triples = buildBitcast(b, loc, triples, 32);

  SmallVector<Value, 4> result;
  for (int64_t table = 0; table < tables; ++table) {
    Value triple =
        vector::ExtractOp::create(b, loc, triples, ArrayRef<int64_t>{table});
    Value everywhere = buildBitcast(
        b, loc, vector::BroadcastOp::create(b, loc, lanesType, triple), 8);
    SmallVector<Value, 2> halves;
    for (int64_t half = 0; half < 2; ++half) {
      Value start = buildBias(half);
      if (table == 0)
        start = arith::SubIOp::create(b, loc, start, excess);
      halves.push_back(call("llvm.x86.avx512.vpdpbusd.512", lanesType,
                            {start, everywhere, buildTrits(half)}));
    }
    result.push_back(call("llvm.x86.avx512.packssdw.512", wordsType, halves));
  }
  return result;
}

SmallVector<Value, 4> TripleTables::buildIndices(Value first, Value second) {
  SmallVector<Value, 4> result;
  for (int64_t table = 0; table < tables; ++table) {
    SmallVector<int64_t> order;
    for (int64_t row = 0; row < kLanes; ++row) {
      int64_t byte = 4 * row + table;
      int64_t other = byte + 4 * kLanes;
      order.append({byte, byte, other, other});
    }
    Value bytes = vector::ShuffleOp::create(b, loc, first, second, order);
    result.push_back(buildBitcast(b, loc, bytes, 16));
  }
  return result;
}

Value TripleTables::buildLookup(Value table, Value indices) {
  return call("llvm.x86.avx512.permvar.hi.512", wordsType, {table, indices});
}

Value TripleTables::addStrip(Value acc, Value sums, int64_t strip) {
  // Pairs of words times 1 and 0, or 0 and 1.
  Value factors = buildBitcast(
      b, loc, buildSplat(b, loc, lanesType, strip == 0 ? 1 : 1 << 16), 16);
  return call("llvm.x86.avx512.vpdpwssd.512", lanesType, {acc, sums, factors});
}
