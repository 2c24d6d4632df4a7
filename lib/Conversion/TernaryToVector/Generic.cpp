//===- Generic.cpp - products in plain vector code for any CPU ------------===//

#include "VectorTarget.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tern::ternary;

/// The sums of neighbouring elements (signed), in elements of twice the width.
/// Shifts do this on any machine without moving data between lanes.
static Value buildPairSums(OpBuilder &b, Location loc, Value vector,
                           unsigned width) {
  Value wide = buildBitcast(b, loc, vector, 2 * width);
  Value amount = buildSplat(b, loc, cast<VectorType>(wide.getType()), width);
  Value high = arith::ShRSIOp::create(b, loc, wide, amount);
  Value low = arith::ShLIOp::create(b, loc, wide, amount);
  low = arith::ShRSIOp::create(b, loc, low, amount);
  return arith::AddIOp::create(b, loc, low, high);
}

namespace {
/// A code is the trit plus one, so an activation is added no time, once or
/// twice; there is neither a multiplication nor a negation, which would
/// overflow for -128.
class GenericTarget : public VectorTarget {
public:
  GenericTarget()
      : VectorTarget("generic", /*lanes=*/16, /*blockTokens=*/2,
                     /*blockStrips=*/1) {}

  Value buildHighProduct(OpBuilder &b, Location loc, Value lhs,
                         Value rhs) const override {
    return arith::MulUIExtendedOp::create(b, loc, lhs, rhs).getHigh();
  }

  void buildStep(OpBuilder &b, Location loc, StepOperands &operands,
                 Accumulators &accumulators) const override {
    for (int64_t strip = 0; strip < operands.strips; ++strip)
      for (int64_t token = 0; token < operands.tokens; ++token) {
        // At most 5 planes of 4 x 128: the sum of a step fits 16 bits.
        Value sums;
        for (int64_t plane = 0; plane < operands.planes; ++plane) {
          Value pairs = buildProducts(b, loc, operands.getCodes(strip, plane),
                                      operands.getActivations(token, plane));
          sums = sums ? arith::AddIOp::create(b, loc, sums, pairs) : pairs;
        }
        Value &acc = accumulators.get(token, strip, 0);
        acc =
            arith::AddIOp::create(b, loc, acc, buildPairSums(b, loc, sums, 16));
      }
  }

private:
  static Value buildProducts(OpBuilder &b, Location loc, Value codes, Value x) {
    auto type = cast<VectorType>(codes.getType());
    Value zero = buildSplat(b, loc, type, 0);
    Value two = buildSplat(b, loc, type, 2);
    Value isAdded =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, codes, zero);
    Value isAddedTwice =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, codes, two);
    Value once = arith::SelectOp::create(b, loc, isAdded, x, zero);
    Value twice = arith::SelectOp::create(b, loc, isAddedTwice, x, zero);
    return arith::AddIOp::create(b, loc, buildPairSums(b, loc, once, 8),
                                 buildPairSums(b, loc, twice, 8));
  }
};
} // namespace

std::unique_ptr<VectorTarget> tern::ternary::createGenericTarget() {
  return std::make_unique<GenericTarget>();
}
