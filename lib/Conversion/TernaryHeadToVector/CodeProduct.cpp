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
      .Cases({"amx", "zen4", "avx512vbmi"}, CodeProduct{16, Dot, Whole, 2})
      .Case("avx512vnni", CodeProduct{16, Dot, Ends, 2})
      .Case("avxvnni", CodeProduct{8, Dot, Ends, 1})
      .Case("avx2", CodeProduct{8, PairDot, Ends, 1})
      .Case("generic", CodeProduct{16, Shifts, None, 1})
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

//===----------------------------------------------------------------------===//
// Levels
//===----------------------------------------------------------------------===//

/// The level of a code, counted from below 0.
static constexpr int64_t countLevel(int64_t code) {
  return ScreenShape::getLevel(code) + kZeroLevel;
}

/// By how much a level is more than its code, of codes in the middle: there,
/// one follows the other.
constexpr int64_t kMiddleDifference = kZeroLevel - ScreenShape::kZeroCode;

/// What subtracting stops at 0.
static Value buildSaturatedSub(ImplicitLocOpBuilder &b, Value bytes,
                               int64_t amount) {
  Value splat = buildIntegerSplat(b, bytes.getType(), amount);
  return arith::SubIOp::create(b, arith::MaxUIOp::create(b, bytes, splat),
                               splat);
}

static Value buildMin(ImplicitLocOpBuilder &b, Value bytes, int64_t most) {
  return arith::MinUIOp::create(b, bytes,
                                buildIntegerSplat(b, bytes.getType(), most));
}

/// `getEntry` of each byte: of its low six bits, or of its low four for a table
/// of 16, where all bytes are below that.
static Value buildLookup(ImplicitLocOpBuilder &b, Value bytes, int64_t size,
                         function_ref<int64_t(int64_t)> getEntry) {
  auto type = cast<VectorType>(bytes.getType());
  SmallVector<int8_t> entries;
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    entries.push_back(static_cast<int8_t>(getEntry(i % size)));
  Value table = arith::ConstantOp::create(
      b, DenseElementsAttr::get(type, ArrayRef(entries)));
  StringRef name = size == 64 ? "llvm.x86.avx512.permvar.qi.512"
                   : type.getNumElements() == 64 ? "llvm.x86.avx512.pshuf.b.512"
                                                 : "llvm.x86.avx2.pshuf.b";
  return buildIntrinsic(b, name, type, {table, bytes});
}

/// Codes near the ends have entries of their own; those in the middle are the
/// last of the first table, and the first of the second, of 0.
static Value buildByEnds(ImplicitLocOpBuilder &b, Value codes) {
  constexpr int64_t last = 15, first = 48;
  static_assert(ScreenShape::kZeroCode - ScreenShape::kFineCode <= last &&
                ScreenShape::kZeroCode + ScreenShape::kFineCode >= first);
  Value low = buildLookup(b, buildMin(b, codes, last), 16,
                          [](int64_t i) { return countLevel(i) - i; });
  Value high =
      buildLookup(b, buildSaturatedSub(b, codes, first), 16, [](int64_t i) {
        return countLevel(first + i) - (first + i) - kMiddleDifference;
      });
  return arith::AddIOp::create(b, arith::AddIOp::create(b, codes, low), high);
}

/// A code counts once more up to where levels are one apart, and what is above
/// that; and twice more where they are four apart.
static Value buildBySums(ImplicitLocOpBuilder &b, Value codes) {
  auto add = [&](Value lhs, Value rhs) -> Value {
    return arith::AddIOp::create(b, lhs, rhs);
  };
  auto countEnds = [&](int64_t magnitude) -> Value {
    return add(buildMin(b, codes, ScreenShape::kZeroCode - magnitude),
               buildSaturatedSub(b, codes, ScreenShape::kZeroCode + magnitude));
  };
  Value twos = countEnds(ScreenShape::kFineCode);
  Value fours = countEnds(ScreenShape::kMiddleCode);
  return add(add(codes, twos), add(fours, fours));
}

Value CodeProduct::buildLevels(ImplicitLocOpBuilder &b, Value bytes) const {
  if (table == Whole)
    return buildLookup(b, bytes, 64, countLevel);
  Value codes = arith::AndIOp::create(
      b, bytes, buildIntegerSplat(b, bytes.getType(), 0x3f));
  return table == Ends ? buildByEnds(b, codes) : buildBySums(b, codes);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// vpmaddubsw saturates, but not here: two products of a level up to 104 and an
/// int8 are at most 26,624 in magnitude.
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
