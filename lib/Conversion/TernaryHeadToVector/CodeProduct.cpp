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
      .Cases({"amx", "avx512vbmi", "avx512vnni"}, CodeProduct{16, Dot, 2})
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

/// vpmaddubsw saturates, but not here: two products of a code up to 63 and an
/// int8 are at most 16,128 in magnitude.
static Value buildPairDot(ImplicitLocOpBuilder &b, Value sum, Value codes,
                          Value x) {
  auto i16s = VectorType::get(16, b.getI16Type());
  Value pairs =
      buildIntrinsic(b, "llvm.x86.avx2.pmadd.ub.sw", i16s, {codes, x});
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
/// without moving data between lanes. Codes are positive as i8, too.
static Value buildByShifts(ImplicitLocOpBuilder &b, Value sum, Value codes,
                           Value x) {
  int64_t lanes = cast<VectorType>(sum.getType()).getNumElements();
  auto i16s = VectorType::get(2 * lanes, b.getI16Type());
  Value codePairs = vector::BitCastOp::create(b, i16s, codes);
  Value xPairs = vector::BitCastOp::create(b, i16s, x);
  Value low = arith::MulIOp::create(b, buildLowHalf(b, codePairs, 8),
                                    buildLowHalf(b, xPairs, 8));
  Value high = arith::MulIOp::create(b, buildHighHalf(b, codePairs, 8),
                                     buildHighHalf(b, xPairs, 8));
  // Two products are below 2^15 in magnitude.
  Value pairs = vector::BitCastOp::create(b, sum.getType(),
                                          arith::AddIOp::create(b, low, high));
  sum = arith::AddIOp::create(b, sum, buildLowHalf(b, pairs, 16));
  return arith::AddIOp::create(b, sum, buildHighHalf(b, pairs, 16));
}

Value CodeProduct::build(ImplicitLocOpBuilder &b, Value sum, Value codes,
                         Value x) const {
  switch (form) {
  case Dot:
    return buildIntrinsic(b,
                          lanes == 16 ? "llvm.x86.avx512.vpdpbusd.512"
                                      : "llvm.x86.avx512.vpdpbusd.256",
                          sum.getType(), {sum, codes, x});
  case PairDot:
    return buildPairDot(b, sum, codes, x);
  case Shifts:
    return buildByShifts(b, sum, codes, x);
  }
  llvm_unreachable("covered switch");
}
