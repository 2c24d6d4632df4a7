//===- Codes.cpp - codes of packed bytes, in vectors ----------------------===//

#include "Codes.h"

#include "VectorTarget.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::ternary;

CodeDecoder::CodeDecoder(const VectorTarget &target, Encoding encoding,
                         bool inPlace, Value bytes)
    : target(target), encoding(encoding), inPlace(inPlace), bytes(bytes),
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
    shifted =
        buildBitcast(b, loc, arith::ShRUIOp::create(b, loc, pairs, amount), 8);
  }
  return arith::AndIOp::create(b, loc, shifted, buildSplat(b, loc, type, mask));
}

// The code of plane j is q(j) - 3 q(j + 1), where q(j) is the byte divided by
// 3^j. Quotients are taken in pairs of bytes, since x86 multiplies no bytes;
// each depends on the byte alone, so there is no chain from plane to plane.
//
// A quotient is the high half of a product with 2^16 / 3^j, rounded up, which
// is exact for bytes. For the byte in the high half of a pair, 256 times its
// value, it is 256 times the quotient and some more in the low byte.
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
    Value factor = buildSplat(b, loc, type, llvm::divideCeil(65536, divisor));
    Value low = target.buildHighProduct(b, loc, even, factor);
    Value high = target.buildHighProduct(b, loc, odd, factor);
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
