//===- Codes.cpp - codes of packed bytes, in vectors ----------------------===//

#include "Codes.h"

#include "VectorTarget.h"

#include "tern/Dialect/Ternary/IR/Storage.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::ternary;

/// The field of two bits that holds the code of a plane: in the byte itself, or
/// for all but the first of t5, whose field is the highest, in what is looked
/// up. Planes that are four apart have the same.
static int64_t getField(Encoding encoding, int64_t plane) {
  return encoding == Encoding::I2 ? plane : (plane + 3) % CodeDecoder::fields;
}

// The first byte of t5 whose two highest bits are both set: bytes from here on
// hold the numbers beyond 64, and those below are taken as 0 above it.
static constexpr uint8_t kLong = 192;

/// The codes of the planes of t5 from `first` to `last`, each in its field.
static uint8_t putInFields(const ByteCodes &codes, int64_t first,
                           int64_t last) {
  uint8_t fields = 0;
  for (int64_t plane = first; plane <= last; ++plane)
    fields |= codes[plane] << (2 * getField(Encoding::T5, plane));
  return fields;
}

/// What bytes of t5 below 192 whose low six bits are `index` hold in the planes
/// but the first, each in its field.
static uint8_t getCommonCodes(uint8_t index) {
  return putInFields(decodeByte(Encoding::T5, index), 1, 4);
}

/// What is to be flipped for byte 192 + `index`, which has first code 3 and
/// `index`'s codes in the other planes, by what it would be without this: the
/// codes that it holds. The last plane is not flipped, as its code is right,
/// and its field is where the first plane's is.
static uint8_t getDifference(uint8_t index) {
  ByteCodes codes = decodeByte(Encoding::T5, kLong + index);
  constexpr uint8_t invalid = 3;
  if (codes[0] == invalid) // as all bytes below 192 take entry 0
    return 0;
  uint8_t high = kLong;
  return putInFields(codes, 0, 3) ^ ((getCommonCodes(index) & ~high) | high);
}

/// The number that planes 1 to 3 are together.
static uint8_t getTriple(const ByteCodes &codes) {
  return codes[1] + 3 * codes[2] + 9 * codes[3];
}

/// That of bytes of i2 whose planes 1 to 3 are the bits of `fields`.
static uint8_t getTripleOfFields(uint8_t fields) {
  return getTriple(decodeByte(Encoding::I2, fields << 2));
}

/// That of bytes of t5 below 192 whose low six bits are `index`.
static uint8_t getCommonTriple(uint8_t index) {
  return getTriple(decodeByte(Encoding::T5, index));
}

/// What is to be flipped in it for byte 192 + `index`: nothing for byte 192,
/// which no codes give, as all bytes below take its entry.
static uint8_t getTripleDifference(uint8_t index) {
  return getTriple(decodeByte(Encoding::T5, kLong + index)) ^
         getCommonTriple(index);
}

static SmallVector<int8_t> getTable(uint8_t (*getEntry)(uint8_t index)) {
  SmallVector<int8_t> table;
  for (uint8_t index = 0; index < 64; ++index)
    table.push_back(static_cast<int8_t>(getEntry(index)));
  return table;
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

// What the tables give is a difference: bits that are not as they would be in a
// byte below 192.
Value CodeDecoder::getHolder(OpBuilder &b, Location loc, int64_t plane) {
  if (encoding != Encoding::T5)
    return bytes;
  if (plane == 0) {
    // The others are looked up first, so that nothing needs the bytes any more:
    // what combines them with the difference can take their register. A copy of
    // one of 64 bytes is not free (docs/Rationale.md).
    Value flips = lookUpDifference(b, loc);
    getHolder(b, loc, 4);
    return arith::XOrIOp::create(b, loc, bytes, flips);
  }
  Value &others = plane == 4 ? lookedUp : corrected;
  if (others)
    return others;
  if (plane == 4)
    return others = target.buildLookup(b, loc, getTable(getCommonCodes), bytes);
  return others = arith::XOrIOp::create(b, loc, getHolder(b, loc, 4),
                                        lookUpDifference(b, loc));
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

/// `bytes` shifted down, in pairs as x86 shifts no bytes: what a byte loses
/// comes into its neighbour.
static Value shiftInPairs(OpBuilder &b, Location loc, Value bytes,
                          int64_t bits) {
  Value pairs = buildBitcast(b, loc, bytes, 16);
  Value amount = buildSplat(b, loc, cast<VectorType>(pairs.getType()), bits);
  return buildBitcast(b, loc, arith::ShRUIOp::create(b, loc, pairs, amount), 8);
}

Value CodeDecoder::extract(OpBuilder &b, Location loc, Value fields,
                           int64_t field) {
  auto type = cast<VectorType>(fields.getType());
  int64_t mask = inPlace ? 3 << (2 * field) : 3;
  Value shifted = fields;
  // The mask removes what comes from the neighbour.
  if (!inPlace && field != 0)
    shifted = shiftInPairs(b, loc, fields, 2 * field);
  return arith::AndIOp::create(b, loc, shifted, buildSplat(b, loc, type, mask));
}

int64_t CodeDecoder::getShift(const VectorTarget &target, Encoding encoding,
                              int64_t plane) {
  if (encoding == Encoding::T5 && !target.hasLookup())
    return 0;
  return 2 * getField(encoding, plane);
}

Value CodeDecoder::lookUpLong(OpBuilder &b, Location loc,
                              ArrayRef<int8_t> table) {
  if (!longIndex) {
    auto type = cast<VectorType>(bytes.getType());
    longIndex = LLVM::USubSat::create(b, loc, type, bytes,
                                      buildSplat(b, loc, type, kLong));
  }
  return target.buildLookup(b, loc, table, longIndex);
}

Value CodeDecoder::lookUpDifference(OpBuilder &b, Location loc) {
  if (!difference)
    difference = lookUpLong(b, loc, getTable(getDifference));
  return difference;
}

Value CodeDecoder::getTriples(OpBuilder &b, Location loc) {
  if (encoding == Encoding::I2) {
    // A lookup takes the low six bits alone.
    return target.buildLookup(b, loc, getTable(getTripleOfFields),
                              shiftInPairs(b, loc, bytes, 2));
  }
  Value common = target.buildLookup(b, loc, getTable(getCommonTriple), bytes);
  return arith::XOrIOp::create(
      b, loc, common, lookUpLong(b, loc, getTable(getTripleDifference)));
}

// Taken as signed, bytes below 0 are those of the first code 2 and, from 211
// and from 229 on, 17 each of 1 and 0; from 0 on, they are the first code's 64
// of 0 and of 1.
//
// Plane j is q(j) - 3 q(j - 1), where q(j) is the other codes' number divided
// by 3^(4 - j). Quotients are taken in pairs of bytes, since x86 multiplies no
// bytes; each depends on the number alone, so there is no chain from plane to
// plane.
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
  constexpr int64_t isLong = kLong - 256;
  constexpr int64_t firstIsOne = 211 - 256, firstIsZero = 229 - 256;
  codes[0] = sub(sub(sub(splat(2), from(firstIsOne, 1)), from(firstIsZero, 1)),
                 from(64, -1));
  Value isNegative =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, bytes, splat(0));
  Value ofNegative =
      sub(sub(sub(mask(bytes, 127), from(isLong, 1)), from(firstIsOne, 18)),
          from(firstIsZero, 18));
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
  for (int64_t plane = 4; plane > 1; --plane) {
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
  codes[1] = quotient;
}
