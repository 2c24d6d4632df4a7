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
      codes[plane] = extract(b, loc, bytes, plane);
    else if (target.hasLookup())
      lookUpT5(b, loc);
    else
      divideT5(b, loc);
  }
  return codes[plane];
}

Value CodeDecoder::extract(OpBuilder &b, Location loc, Value fields,
                           int64_t plane) {
  auto type = cast<VectorType>(fields.getType());
  int64_t mask = inPlace ? 3 << (2 * plane) : 3;
  Value shifted = fields;
  // x86 shifts no bytes, so shift pairs of them: the mask removes what comes
  // from the neighbour.
  if (!inPlace && plane != 0) {
    Value pairs = buildBitcast(b, loc, fields, 16);
    Value amount =
        buildSplat(b, loc, cast<VectorType>(pairs.getType()), 2 * plane);
    shifted =
        buildBitcast(b, loc, arith::ShRUIOp::create(b, loc, pairs, amount), 8);
  }
  return arith::AndIOp::create(b, loc, shifted, buildSplat(b, loc, type, mask));
}

int64_t CodeDecoder::getShift(const VectorTarget &target, Encoding encoding,
                              int64_t plane) {
  // A table's entry has fields for four of five codes.
  bool hasField = encoding == Encoding::I2 || (target.hasLookup() && plane < 4);
  return hasField ? 2 * plane : 0;
}

/// For each byte of t5, the codes of its first four planes as those of i2.
static SmallVector<int8_t> getFieldsOfT5() {
  SmallVector<int8_t> table(256, 0);
  for (int byte = 0; byte < 243; ++byte) {
    int fields = 0;
    for (int plane = 0, rest = byte; plane < 4; ++plane, rest /= 3)
      fields |= (rest % 3) << (2 * plane);
    table[byte] = static_cast<int8_t>(fields);
  }
  return table;
}

// The last plane's code is the byte divided by 81, that is, how many of 81 and
// 162 the byte reaches.
void CodeDecoder::lookUpT5(OpBuilder &b, Location loc) {
  Value fields = target.buildLookup(b, loc, getFieldsOfT5(), bytes);
  for (int64_t plane = 0; plane < 4; ++plane)
    codes[plane] = extract(b, loc, fields, plane);
  auto type = cast<VectorType>(bytes.getType());
  Value one = buildSplat(b, loc, type, 1), zero = buildSplat(b, loc, type, 0);
  auto reaches = [&](int64_t limit) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, bytes,
                                 buildSplat(b, loc, type, limit));
  };
  Value first = arith::SelectOp::create(b, loc, reaches(81), one, zero);
  Value second = arith::AddIOp::create(b, loc, first, one);
  codes[4] = arith::SelectOp::create(b, loc, reaches(162), second, first);
}

// The code of plane j is q(j) - 3 q(j + 1), where q(j) is the byte divided by
// 3^j. Quotients are taken in pairs of bytes, since x86 multiplies no bytes;
// each depends on the byte alone, so there is no chain from plane to plane.
//
// A quotient is the high half of a product with 2^16 / 3^j, rounded up, which
// is exact for bytes. For the byte in the high half of a pair, 256 times its
// value, it is 256 times the quotient and some more in the low byte.
void CodeDecoder::divideT5(OpBuilder &b, Location loc) {
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
