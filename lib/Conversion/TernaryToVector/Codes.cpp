//===- Codes.cpp - codes of packed bytes, in vectors ----------------------===//

#include "Codes.h"

#include "VectorTarget.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::ternary;

CodeDecoder::CodeDecoder(Encoding encoding, bool inPlace, Value bytes)
    : encoding(encoding), inPlace(inPlace), bytes(bytes),
      codes(encoding == Encoding::I2 ? 4 : 5) {}

Value CodeDecoder::getCodes(OpBuilder &b, Location loc, int64_t plane) {
  if (!codes[plane]) {
    if (encoding == Encoding::I2)
      codes[plane] = decodeI2(b, loc, plane);
    else
      decodeT5(b, loc);
  }
  return codes[plane];
}

Value CodeDecoder::decodeI2(OpBuilder &b, Location loc, int64_t plane) {
  auto type = cast<VectorType>(bytes.getType());
  int64_t mask = inPlace ? 3 << (2 * plane) : 3;
  Value shifted = bytes;
  // x86 shifts no bytes, so shift pairs of them: the mask removes what comes
  // from the neighbour.
  if (!inPlace && plane != 0) {
    Value pairs = buildBitcast(b, loc, bytes, 16);
    Value amount =
        buildSplat(b, loc, cast<VectorType>(pairs.getType()), 2 * plane);
    shifted = buildBitcast(
        b, loc, arith::ShRUIOp::create(b, loc, pairs, amount), 8);
  }
  return arith::AndIOp::create(b, loc, shifted, buildSplat(b, loc, type, mask));
}

/// The high half of the product of 16-bit elements and 2^16 / divisor, rounded
/// up: `v / divisor` for v below 256, and 256 times that (and more in the low
/// byte) for 256 v. For 3, 9, 27 and 81 the rounding changes no quotient.
static Value buildQuotient(OpBuilder &b, Location loc, Value v,
                           int64_t divisor) {
  Value factor = buildSplat(b, loc, cast<VectorType>(v.getType()),
                            llvm::divideCeil(65536, divisor));
  return arith::MulUIExtendedOp::create(b, loc, v, factor).getHigh();
}

// The code of plane j is q(j) - 3 q(j + 1), where q(j) is the byte divided by
// 3^j. Quotients are taken in pairs of bytes, since x86 multiplies no bytes;
// each depends on the byte alone, so there is no chain from plane to plane.
void CodeDecoder::decodeT5(OpBuilder &b, Location loc) {
  Value pairs = buildBitcast(b, loc, bytes, 16);
  auto type = cast<VectorType>(pairs.getType());
  Value lowByte = buildSplat(b, loc, type, 0x00ff);
  Value highByte = buildSplat(b, loc, type, 0xff00);
  Value even = arith::AndIOp::create(b, loc, pairs, lowByte);
  Value odd = arith::AndIOp::create(b, loc, pairs, highByte);
  Value quotient = bytes;
  int64_t divisor = 1;
  for (int64_t plane = 0; plane < 4; ++plane) {
    divisor *= 3;
    Value low = buildQuotient(b, loc, even, divisor);
    Value high = buildQuotient(b, loc, odd, divisor);
    high = arith::AndIOp::create(b, loc, high, highByte);
    Value both = arith::OrIOp::create(b, loc, low, high);
    Value next = buildBitcast(b, loc, both, 8);
    Value twice = arith::AddIOp::create(b, loc, next, next);
    Value thrice = arith::AddIOp::create(b, loc, twice, next);
    codes[plane] = arith::SubIOp::create(b, loc, quotient, thrice);
    quotient = next;
  }
  codes[4] = quotient;
}
