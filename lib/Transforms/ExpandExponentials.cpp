//===- ExpandExponentials.cpp - exponentials that vectorise ---------------===//
//
// exp(x) = 2^n * exp(r), where n is the integer nearest to x / ln 2 and r the
// rest, at most half of ln 2: there a polynomial of degree 6 is exact to 3e-9.
//
//===----------------------------------------------------------------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {
#define GEN_PASS_DEF_EXPANDEXPONENTIALS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

namespace {

/// Below it 2^(n - 1) would have no exponent left: n is at least -126.
constexpr float kLeast = -87.33f;
/// Above it exp overflows; n stays at most 128.
constexpr float kMost = 89.0f;
/// Adding it to a float of magnitude below 2^22 rounds that to an integer,
/// which the lowest bits then hold.
constexpr float kRounder = 0x1.8p23f;
constexpr float kLog2E = 0x1.715476p0f;
/// ln 2 in two parts; the product of the first with n is exact.
constexpr float kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;
/// exp(r) = 1 + r + r^2 * (c[0] + c[1] * r + ...), the least greatest error.
constexpr float kCoefficients[] = {0.49999994f, 0.16666521f, 0.04166839f,
                                   0.008368745f, 0.001381454f};
constexpr int32_t kMantissaBits = 23, kExponentBias = 127;

/// Emits the arithmetic of one exponential.
class ExponentialEmitter {
public:
  explicit ExponentialEmitter(math::ExpOp op)
      : b(op.getLoc(), op), type(op.getType()) {}

  Value emit(Value x) {
    x = clamp(x);
    Value shifted = add(multiply(x, constant(kLog2E)), constant(kRounder));
    Value n = arith::SubFOp::create(b, shifted, constant(kRounder));
    Value r = add(x, multiply(n, constant(-kLn2High)));
    r = add(r, multiply(n, constant(-kLn2Low)));
    // 2^n itself may be too large for a float where the result is not.
    Value half = multiply(emitPolynomial(r), emitHalfPower(shifted));
    return arith::AddFOp::create(b, half, half);
  }

private:
  /// Whatever is no number stays so.
  Value clamp(Value x) {
    auto replace = [&](arith::CmpFPredicate predicate, float limit) {
      Value isBeyond = arith::CmpFOp::create(b, predicate, x, constant(limit));
      x = arith::SelectOp::create(b, isBeyond, constant(limit), x);
    };
    replace(arith::CmpFPredicate::OLT, kLeast);
    replace(arith::CmpFPredicate::OGT, kMost);
    return x;
  }

  Value emitPolynomial(Value r) {
    Value sum = constant(kCoefficients[std::size(kCoefficients) - 1]);
    for (float coefficient : llvm::reverse(ArrayRef(kCoefficients).drop_back()))
      sum = add(multiply(sum, r), constant(coefficient));
    sum = add(multiply(multiply(r, r), sum), r);
    return arith::AddFOp::create(b, sum, constant(1));
  }

  /// 2^(n - 1), n being in the lowest bits of `shifted`; 0 for n = -126.
  Value emitHalfPower(Value shifted) {
    Value bits =
        arith::BitcastOp::create(b, withElement(b.getI32Type()), shifted);
    int32_t bias = kExponentBias - 1 - llvm::bit_cast<int32_t>(kRounder);
    bits = arith::AddIOp::create(b, bits, integer(bias));
    bits = arith::ShLIOp::create(b, bits, integer(kMantissaBits));
    return arith::BitcastOp::create(b, type, bits);
  }

  // Where there is an instruction for both, they may be one.
  Value multiply(Value lhs, Value rhs) {
    return arith::MulFOp::create(b, lhs, rhs, arith::FastMathFlags::contract);
  }
  Value add(Value lhs, Value rhs) {
    return arith::AddFOp::create(b, lhs, rhs, arith::FastMathFlags::contract);
  }
  /// The operand's type, of other elements: a scalar or a vector.
  Type withElement(Type element) {
    auto vector = dyn_cast<VectorType>(type);
    return vector ? Type(vector.clone(element)) : element;
  }
  Value constant(TypedAttr value) {
    Type whole = withElement(value.getType());
    if (auto vector = dyn_cast<VectorType>(whole))
      value = DenseElementsAttr::get(vector, ArrayRef<Attribute>{value});
    return arith::ConstantOp::create(b, value);
  }
  Value constant(float value) { return constant(b.getF32FloatAttr(value)); }
  Value integer(int32_t value) { return constant(b.getI32IntegerAttr(value)); }

  ImplicitLocOpBuilder b;
  /// f32, or vectors of it.
  Type type;
};

struct ExpandExponentialsPass
    : tern::impl::ExpandExponentialsBase<ExpandExponentialsPass> {
  using Base::Base;
  void runOnOperation() override {
    SmallVector<math::ExpOp> found;
    getOperation().walk([&](math::ExpOp op) {
      auto vector = dyn_cast<VectorType>(op.getType());
      if ((vector ? vector.getElementType() : op.getType()).isF32())
        found.push_back(op);
    });
    for (math::ExpOp op : found) {
      Value result = ExponentialEmitter(op).emit(op.getOperand());
      op.replaceAllUsesWith(result);
      op.erase();
    }
  }
};
} // namespace
