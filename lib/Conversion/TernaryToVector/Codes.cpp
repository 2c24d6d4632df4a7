//===- Codes.cpp - codes of packed bytes, in vectors ----------------------===//

#include "Codes.h"

#include "VectorTarget.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

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

// From the highest code down: it counts how many of 81 and 162 the byte
// reaches; three times the rest brings the next code to the same place. All of
// it stays in bytes, since the rest is at most 80.
void CodeDecoder::decodeT5(OpBuilder &b, Location loc) {
  auto type = cast<VectorType>(bytes.getType());
  Value one = buildSplat(b, loc, type, 1);
  Value zero = buildSplat(b, loc, type, 0);
  Value weight = buildSplat(b, loc, type, 81);
  Value rest = bytes;
  for (int64_t plane = 4; plane >= 0; --plane) {
    Value code = zero, taken = zero;
    for (int64_t bound : {81, 162}) {
      Value reaches =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, rest,
                                buildSplat(b, loc, type, bound));
      code = arith::AddIOp::create(
          b, loc, code, arith::SelectOp::create(b, loc, reaches, one, zero));
      taken = arith::AddIOp::create(
          b, loc, taken,
          arith::SelectOp::create(b, loc, reaches, weight, zero));
    }
    codes[plane] = code;
    rest = arith::SubIOp::create(b, loc, rest, taken);
    Value twice = arith::AddIOp::create(b, loc, rest, rest);
    rest = arith::AddIOp::create(b, loc, twice, rest);
  }
}
