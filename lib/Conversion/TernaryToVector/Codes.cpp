//===- Codes.cpp - codes of packed bytes, in vectors ----------------------===//

#include "Codes.h"

#include "VectorTarget.h"

#include "tern/Dialect/Ternary/IR/Storage.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::ternary;

/// The field of two bits that holds the code of a plane: in the byte itself, or
/// for all but the first of t5, whose field is the highest, in what is looked
/// up. Planes that are four apart have the same.
static int64_t getField(Encoding encoding, int64_t plane) {
  return encoding == Encoding::I2 ? plane : (plane + 3) % CodeDecoder::fields;
}

CodeDecoder::CodeDecoder(const VectorTarget &target, Encoding encoding,
                         bool inPlace, Value bytes)
    : target(target), encoding(encoding), inPlace(inPlace), bytes(bytes),
      codes(encoding == Encoding::I2 ? 4 : 5) {}

Value CodeDecoder::getCodes(OpBuilder &b, Location loc, int64_t plane) {
  if (codes[plane])
    return codes[plane];
  if (encoding == Encoding::T5 && !target.hasLookup()) {
    divideT5(b, loc);
    return codes[plane];
  }
  codes[plane] =
      extract(b, loc, getHolder(b, loc, plane), getField(encoding, plane));
  return codes[plane];
}

Value CodeDecoder::getHolder(OpBuilder &b, Location loc, int64_t plane) {
  if (encoding != Encoding::T5)
    return bytes;
  return plane == 0 ? lookUpFirst(b, loc) : lookUpOthers(b, loc);
}

// A code is 0, 1 or 2, so a trit's lowest bit is the code's inverted, and all
// its others are 1 where both bits of the code are 0.
Value CodeDecoder::getTrits(OpBuilder &b, Location loc, int64_t plane) {
  int64_t shift = 2 * getField(encoding, plane);
  std::array<uint8_t, 8> rows;
  rows.fill(3 << shift);
  rows[0] = 1 << shift;
  return target.buildBitMatrix(b, loc, rows, getHolder(b, loc, plane));
}

Value CodeDecoder::extract(OpBuilder &b, Location loc, Value fields,
                           int64_t field) {
  auto type = cast<VectorType>(fields.getType());
  int64_t mask = inPlace ? 3 << (2 * field) : 3;
  Value shifted = fields;
  // x86 shifts no bytes, so shift pairs of them: the mask removes what comes
  // from the neighbour.
  if (!inPlace && field != 0) {
    Value pairs = buildBitcast(b, loc, fields, 16);
    Value amount =
        buildSplat(b, loc, cast<VectorType>(pairs.getType()), 2 * field);
    shifted =
        buildBitcast(b, loc, arith::ShRUIOp::create(b, loc, pairs, amount), 8);
  }
  return arith::AndIOp::create(b, loc, shifted, buildSplat(b, loc, type, mask));
}

int64_t CodeDecoder::getShift(const VectorTarget &target, Encoding encoding,
                              int64_t plane) {
  if (encoding == Encoding::T5 && !target.hasLookup())
    return 0;
  return 2 * getField(encoding, plane);
}

/// A table of what the 64 bytes of t5 from `begin` on hold in the planes from
/// `firstPlane` to `lastPlane`, each in its field.
static SmallVector<int8_t> getTable(uint8_t begin, int64_t firstPlane,
                                    int64_t lastPlane) {
  SmallVector<int8_t> table;
  for (int index = 0; index < 64; ++index) {
    ByteCodes codes = decodeByte(Encoding::T5, begin + index);
    uint8_t entry = 0;
    for (int64_t plane = firstPlane; plane <= lastPlane; ++plane)
      entry |= codes[plane] << (2 * getField(Encoding::T5, plane));
    table.push_back(static_cast<int8_t>(entry));
  }
  return table;
}

Value CodeDecoder::chooseAbove(OpBuilder &b, Location loc,
                               ArrayRef<int8_t> table, Value otherwise) {
  Value limit = buildSplat(b, loc, cast<VectorType>(bytes.getType()), 192);
  Value isAbove =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, bytes, limit);
  Value above = target.buildLookup(b, loc, table, bytes);
  return arith::SelectOp::create(b, loc, isAbove, above, otherwise);
}

// Bytes below 192 have the first code in their highest bits.
Value CodeDecoder::lookUpFirst(OpBuilder &b, Location loc) {
  return chooseAbove(b, loc, getTable(192, 0, 0), bytes);
}

Value CodeDecoder::lookUpOthers(OpBuilder &b, Location loc) {
  if (!others) {
    Value below = target.buildLookup(b, loc, getTable(0, 1, 4), bytes);
    others = chooseAbove(b, loc, getTable(192, 1, 4), below);
  }
  return others;
}

// Taken as signed, bytes below 0 are those of the first code 2 and, 17 each at
// the end, of 1 and 0; from 0 on, they are the first code's 64 of 0 and of 1.
//
// The code of plane j is q(j) - 3 q(j + 1), where q(j) is the other codes'
// number divided by 3^(j - 1). Quotients are taken in pairs of bytes, since x86
// multiplies no bytes; each depends on the number alone, so there is no chain
// from plane to plane.
//
// A quotient is the high half of a product with 2^16 / 3^n, rounded up, which
// is exact for bytes. For the byte in the high half of a pair, 256 times its
// value, it is 256 times the quotient and some more in the low byte.
void CodeDecoder::divideT5(OpBuilder &b, Location loc) {
  auto bytesType = cast<VectorType>(bytes.getType());
  auto splat = [&](int64_t value) {
    return buildSplat(b, loc, bytesType, value);
  };
  auto mask = [&](Value lhs, int64_t rhs) -> Value {
    return arith::AndIOp::create(b, loc, lhs, splat(rhs));
  };
  auto sub = [&](Value lhs, Value rhs) -> Value {
    return arith::SubIOp::create(b, loc, lhs, rhs);
  };
  // `value` where the signed byte is at least `limit`, else 0.
  auto from = [&](int64_t limit, int64_t value) -> Value {
    Value reached = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge,
                                          bytes, splat(limit));
    return arith::SelectOp::create(b, loc, reached, splat(value), splat(0));
  };
  constexpr int64_t firstIsOne = 209 - 256, firstIsZero = 226 - 256;
  codes[0] = sub(sub(sub(splat(2), from(firstIsOne, 1)), from(firstIsZero, 1)),
                 from(64, -1));
  Value isNegative =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, bytes, splat(0));
  Value ofNegative =
      sub(sub(mask(bytes, 127), from(firstIsOne, 17)), from(firstIsZero, 17));
  Value number =
      arith::SelectOp::create(b, loc, isNegative, ofNegative, mask(bytes, 63));

  Value pairs = buildBitcast(b, loc, number, 16);
  auto type = cast<VectorType>(pairs.getType());
  Value lowByte = buildSplat(b, loc, type, 0x00ff);
  Value highByte = buildSplat(b, loc, type, 0xff00);
  Value even = arith::AndIOp::create(b, loc, pairs, lowByte);
  Value odd = arith::AndIOp::create(b, loc, pairs, highByte);
  Value quotient = number;
  int64_t divisor = 1;
  for (int64_t plane = 1; plane < 4; ++plane) {
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
