//===- CodeProduct.cpp - sums of four products of bytes -------------------===//

#include "CodeProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tern::ternary;

std::optional<CodeProduct> CodeProduct::get(StringRef target) {
  return llvm::StringSwitch<std::optional<CodeProduct>>(target)
      .Cases({"amx", "zen4", "avx512vbmi", "avx512vnni"},
             CodeProduct{16, Dot, 2})
      .Case("avxvnni", CodeProduct{8, Dot, 1})
      .Case("avx2", CodeProduct{8, PairDot, 1})
      .Case("generic", CodeProduct{16, Shifts, 1})
      .Default(std::nullopt);
}

Value tern::ternary::buildIntegerSplat(ImplicitLocOpBuilder &b, Type type,
                                       int64_t value) {
  auto vector = cast<VectorType>(type);
  APInt bits(vector.getElementTypeBitWidth(), value, /*isSigned=*/true,
             /*implicitTrunc=*/true);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(vector, bits));
}

static Value buildIntrinsic(ImplicitLocOpBuilder &b, StringRef name, Type type,
                            ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(name), operands)
      .getResult(0);
}

// A code up to that of the lowest fine level is counted twice, and so is what
// is above that of the highest. A lookup of 64 bytes, which AVX512-VBMI has,
// would be one instruction instead of five, but the screen is read no faster.
Value tern::ternary::buildLevels(ImplicitLocOpBuilder &b, Value bytes) {
  auto splat = [&](int64_t value) {
    return buildIntegerSplat(b, bytes.getType(), value);
  };
  constexpr int64_t lowest = ScreenShape::kZeroCode - ScreenShape::kFineLevels;
  constexpr int64_t highest = ScreenShape::kZeroCode + ScreenShape::kFineLevels;
  Value codes = arith::AndIOp::create(b, bytes, splat(0x3f));
  Value below = arith::MinUIOp::create(b, codes, splat(lowest));
  // What x86 has as a subtraction that stops at 0.
  Value above = arith::SubIOp::create(
      b, arith::MaxUIOp::create(b, codes, splat(highest)), splat(highest));
  return arith::AddIOp::create(b, arith::AddIOp::create(b, codes, below),
                               above);
}

/// vpmaddubsw saturates, but not here: two products of a level up to 86 and an
/// int8 are at most 22,016 in magnitude.
static Value buildPairDot(ImplicitLocOpBuilder &b, Value sum, Value levels,
                          Value x) {
  auto i16s = VectorType::get(16, b.getI16Type());
  Value pairs =
      buildIntrinsic(b, "llvm.x86.avx2.pmadd.ub.sw", i16s, {levels, x});
  Value quads = buildIntrinsic(b, "llvm.x86.avx2.pmadd.wd", sum.getType(),
                               {pairs, buildIntegerSplat(b, i16s, 1)});
  return arith::AddIOp::create(b, sum, quads);
}

/// `vector`, whose elements are moved up by `width` bits, and down again with
/// their sign.
static Value buildLowHalf(ImplicitLocOpBuilder &b, Value vector,
                          int64_t width) {
  Value amount = buildIntegerSplat(b, vector.getType(), width);
  Value high = arith::ShLIOp::create(b, vector, amount);
  return arith::ShRSIOp::create(b, high, amount);
}

static Value buildHighHalf(ImplicitLocOpBuilder &b, Value vector,
                           int64_t width) {
  return arith::ShRSIOp::create(b, vector,
                                buildIntegerSplat(b, vector.getType(), width));
}

/// The bytes of a pair are taken apart in place, which any machine can do
/// without moving data between lanes. Levels are positive as i8, too.
static Value buildByShifts(ImplicitLocOpBuilder &b, Value sum, Value levels,
                           Value x) {
  int64_t lanes = cast<VectorType>(sum.getType()).getNumElements();
  auto i16s = VectorType::get(2 * lanes, b.getI16Type());
  Value levelPairs = vector::BitCastOp::create(b, i16s, levels);
  Value xPairs = vector::BitCastOp::create(b, i16s, x);
  Value low = arith::MulIOp::create(b, buildLowHalf(b, levelPairs, 8),
                                    buildLowHalf(b, xPairs, 8));
  Value high = arith::MulIOp::create(b, buildHighHalf(b, levelPairs, 8),
                                     buildHighHalf(b, xPairs, 8));
  // Two products are below 2^15 in magnitude.
  Value pairs = vector::BitCastOp::create(b, sum.getType(),
                                          arith::AddIOp::create(b, low, high));
  sum = arith::AddIOp::create(b, sum, buildLowHalf(b, pairs, 16));
  return arith::AddIOp::create(b, sum, buildHighHalf(b, pairs, 16));
}

Value CodeProduct::build(ImplicitLocOpBuilder &b, Value sum, Value levels,
                         Value x) const {
  switch (form) {
  case Dot:
    return buildIntrinsic(b,
                          lanes == 16 ? "llvm.x86.avx512.vpdpbusd.512"
                                      : "llvm.x86.avx512.vpdpbusd.256",
                          sum.getType(), {sum, levels, x});
  case PairDot:
    return buildPairDot(b, sum, levels, x);
  case Shifts:
    return buildByShifts(b, sum, levels, x);
  }
  llvm_unreachable("covered switch");
}
