//===- Elementwise.cpp - arithmetic, comparisons and logic ----------------===//

#include "Broadcast.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tern::onnx;

static bool isFloat(Value scalar) { return isa<FloatType>(scalar.getType()); }

static Type elementType(LoweringContext &ctx, unsigned index = 0) {
  return ctx.type(index).getElementType();
}

static Value constantLike(ImplicitLocOpBuilder &b, Value scalar, double value) {
  return scalarConstant(b, scalar.getType(), value);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

template <typename FloatOp, typename SignedOp, typename UnsignedOp = SignedOp>
static Value arithmetic(ImplicitLocOpBuilder &b, bool isUnsigned, Value lhs,
                        Value rhs) {
  if (isFloat(lhs))
    return FloatOp::create(b, lhs, rhs);
  if (isUnsigned)
    return UnsignedOp::create(b, lhs, rhs);
  return SignedOp::create(b, lhs, rhs);
}

// Operators of two or more inputs: Max and Min take any number.
template <typename FloatOp, typename SignedOp, typename UnsignedOp = SignedOp>
static LoweringResult arithmeticNode(LoweringContext &ctx) {
  // Any number of inputs is right, but none of them is optional.
  for (auto [index, input] : llvm::enumerate(ctx.inputs))
    if (!input)
      return ctx.error() << "input " << index << " is missing";
  bool isUnsigned = ctx.isUnsigned(0);
  auto combine = [&](ImplicitLocOpBuilder &b, ValueRange args) {
    Value result = args.front();
    for (Value arg : args.drop_front())
      result =
          arithmetic<FloatOp, SignedOp, UnsignedOp>(b, isUnsigned, result, arg);
    return result;
  };
  return single(elementwise(ctx, ctx.inputs, elementType(ctx), combine));
}

// A divisor of 0, undefined in ONNX, must not stop the program: it gives 0.
template <typename SignedOp, typename UnsignedOp>
static Value divideSafely(ImplicitLocOpBuilder &b, bool isUnsigned, Value lhs,
                          Value rhs, Value overflow) {
  auto equals = [&](double value) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, rhs,
                                 constantLike(b, rhs, value));
  };
  Value zero = constantLike(b, lhs, 0), one = constantLike(b, lhs, 1);
  Value isZero = equals(0);
  Value divisor = arith::SelectOp::create(b, isZero, one, rhs);
  if (isUnsigned)
    return arith::SelectOp::create(b, isZero, zero,
                                   UnsignedOp::create(b, lhs, divisor));
  // The least integer divided by -1 overflows, which traps on x86.
  Value isMinusOne = equals(-1);
  divisor = arith::SelectOp::create(b, isMinusOne, one, divisor);
  Value result = SignedOp::create(b, lhs, divisor);
  result = arith::SelectOp::create(b, isMinusOne, overflow, result);
  return arith::SelectOp::create(b, isZero, zero, result);
}

static Value divide(ImplicitLocOpBuilder &b, bool isUnsigned, Value lhs,
                    Value rhs) {
  if (isFloat(lhs))
    return arith::DivFOp::create(b, lhs, rhs);
  Value negated = arith::SubIOp::create(b, constantLike(b, lhs, 0), lhs);
  return divideSafely<arith::DivSIOp, arith::DivUIOp>(b, isUnsigned, lhs, rhs,
                                                      negated);
}

static LoweringResult lowerDiv(LoweringContext &ctx) {
  auto body = [isUnsigned = ctx.isUnsigned(0)](ImplicitLocOpBuilder &b,
                                               ValueRange args) {
    return divide(b, isUnsigned, args[0], args[1]);
  };
  return single(elementwise(ctx, ctx.inputs, elementType(ctx), body));
}

// The remainder has the dividend's sign.
static Value truncatedRemainder(ImplicitLocOpBuilder &b, bool isUnsigned,
                                Value lhs, Value rhs) {
  if (isFloat(lhs))
    return arith::RemFOp::create(b, lhs, rhs);
  return divideSafely<arith::RemSIOp, arith::RemUIOp>(b, isUnsigned, lhs, rhs,
                                                      constantLike(b, lhs, 0));
}

// The remainder has the divisor's sign, as in Python.
static Value flooredRemainder(ImplicitLocOpBuilder &b, bool isUnsigned,
                              Value lhs, Value rhs) {
  Value remainder = truncatedRemainder(b, isUnsigned, lhs, rhs);
  if (isUnsigned)
    return remainder;
  Value zero = constantLike(b, lhs, 0);
  Value signsDiffer, isInexact, moved, exact = remainder;
  if (isFloat(lhs)) {
    using P = arith::CmpFPredicate;
    signsDiffer = arith::XOrIOp::create(
        b, arith::CmpFOp::create(b, P::OLT, remainder, zero),
        arith::CmpFOp::create(b, P::OLT, rhs, zero));
    isInexact = arith::CmpFOp::create(b, P::ONE, remainder, zero);
    moved = arith::AddFOp::create(b, remainder, rhs);
    Value isZero = arith::CmpFOp::create(b, P::OEQ, remainder, zero);
    exact = arith::SelectOp::create(
        b, isZero, math::CopySignOp::create(b, zero, rhs), remainder);
  } else {
    using P = arith::CmpIPredicate;
    signsDiffer = arith::CmpIOp::create(
        b, P::slt, arith::XOrIOp::create(b, remainder, rhs), zero);
    isInexact = arith::CmpIOp::create(b, P::ne, remainder, zero);
    moved = arith::AddIOp::create(b, remainder, rhs);
  }
  Value moves = arith::AndIOp::create(b, signsDiffer, isInexact);
  return arith::SelectOp::create(b, moves, moved, exact);
}

static LoweringResult lowerMod(LoweringContext &ctx) {
  bool truncates = ctx.node.getInt("fmod", 0) == 1;
  if (isa<FloatType>(elementType(ctx)) && !truncates &&
      ctx.node.getOpset() < 28)
    return ctx.error() << "found fmod = 0 on floats; expected fmod = 1";
  auto body = [truncates, isUnsigned = ctx.isUnsigned(0)](
                  ImplicitLocOpBuilder &b, ValueRange args) {
    return (truncates ? truncatedRemainder
                      : flooredRemainder)(b, isUnsigned, args[0], args[1]);
  };
  return single(elementwise(ctx, ctx.inputs, elementType(ctx), body));
}

// The value of a constant that is the same everywhere, or nullopt.
static std::optional<double> uniformConstant(Value tensor) {
  DenseElementsAttr elements;
  if (!matchPattern(tensor, m_Constant(&elements)) || !elements.isSplat())
    return std::nullopt;
  Type type = elements.getElementType();
  if (isa<FloatType>(type)) {
    APFloat value = elements.getSplatValue<APFloat>();
    bool losesInfo;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
    return value.convertToDouble();
  }
  return elements.getSplatValue<APInt>().getSExtValue();
}

// Integer powers are computed in f64, as onnxruntime does.
static Value power(ImplicitLocOpBuilder &b, LoweringContext &ctx, Value base,
                   Value exponent) {
  Type result = base.getType();
  Type type = isFloat(base) ? result : b.getF64Type();
  base = convertScalar(b, base, ctx.isUnsigned(0), type, false);
  exponent = convertScalar(b, exponent, ctx.isUnsigned(1), type, false);
  Value value = math::PowFOp::create(b, base, exponent);
  return convertScalar(b, value, false, result, ctx.isUnsigned(0));
}

static LoweringResult lowerPow(LoweringContext &ctx) {
  std::optional<double> exponent = uniformConstant(ctx.input(1));
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    Value base = args[0];
    if (exponent != 2.0 && exponent != 3.0)
      return power(b, ctx, base, args[1]);
    auto multiply = [&](Value lhs, Value rhs) {
      return arithmetic<arith::MulFOp, arith::MulIOp>(b, false, lhs, rhs);
    };
    Value square = multiply(base, base);
    return exponent == 2.0 ? square : multiply(square, base);
  };
  return single(elementwise(ctx, ctx.inputs, elementType(ctx), body));
}

//===----------------------------------------------------------------------===//
// Bits and logic
//===----------------------------------------------------------------------===//

// And, Or, Xor of bools, and their bitwise forms on integers.
template <typename Op>
static LoweringResult logicNode(LoweringContext &ctx) {
  auto body = [](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    return Op::create(b, args[0], args[1]);
  };
  return single(elementwise(ctx, ctx.inputs, elementType(ctx), body));
}

static LoweringResult lowerNot(LoweringContext &ctx) {
  auto body = [](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    return arith::XOrIOp::create(b, args[0], constantLike(b, args[0], -1));
  };
  return single(elementwise(ctx, ctx.inputs, elementType(ctx), body));
}

// Bits that leave are lost. Signed integers, which opset 28 brought, keep their
// sign when shifted right; before, one is an unsigned integer of the wrong
// type.
static LoweringResult lowerBitShift(LoweringContext &ctx) {
  StringRef direction = ctx.node.getString("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    return ctx.error() << "found direction '" << direction
                       << "'; expected LEFT or RIGHT";
  bool isLeft = direction == "LEFT";
  bool keepsSign = !isLeft && !ctx.isUnsigned(0) && ctx.node.getOpset() >= 28;
  auto body = [=](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    Value bits = args[0], distance = args[1];
    unsigned width = bits.getType().getIntOrFloatBitWidth();
    Value leavesSome = arith::CmpIOp::create(
        b, arith::CmpIPredicate::ult, distance, constantLike(b, bits, width));
    if (keepsSign) {
      distance = arith::SelectOp::create(b, leavesSome, distance,
                                         constantLike(b, bits, width - 1));
      return arith::ShRSIOp::create(b, bits, distance);
    }
    Value shifted = isLeft
                        ? arith::ShLIOp::create(b, bits, distance).getResult()
                        : arith::ShRUIOp::create(b, bits, distance).getResult();
    return arith::SelectOp::create(b, leavesSome, shifted,
                                   constantLike(b, bits, 0));
  };
  return single(elementwise(ctx, ctx.inputs, elementType(ctx), body));
}

//===----------------------------------------------------------------------===//
// Comparisons and choices
//===----------------------------------------------------------------------===//

template <arith::CmpFPredicate onFloats, arith::CmpIPredicate onSigned,
          arith::CmpIPredicate onUnsigned = onSigned>
static LoweringResult comparisonNode(LoweringContext &ctx) {
  auto body = [isUnsigned = ctx.isUnsigned(0)](ImplicitLocOpBuilder &b,
                                               ValueRange args) -> Value {
    if (isFloat(args[0]))
      return arith::CmpFOp::create(b, onFloats, args[0], args[1]);
    return arith::CmpIOp::create(b, isUnsigned ? onUnsigned : onSigned, args[0],
                                 args[1]);
  };
  return single(elementwise(ctx, ctx.inputs, ctx.b.getI1Type(), body));
}

static LoweringResult lowerWhere(LoweringContext &ctx) {
  auto body = [](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    return arith::SelectOp::create(b, args[0], args[1], args[2]);
  };
  return single(elementwise(ctx, ctx.inputs, elementType(ctx, 1), body));
}

// A limit of Clip: an input, an attribute before opset 11, or none (null).
static Value clipLimit(LoweringContext &ctx, unsigned index, StringRef name) {
  if (Value limit = ctx.input(index))
    return limit;
  auto attr = dyn_cast_or_null<FloatAttr>(ctx.node.getNodeAttr(name));
  if (!attr)
    return {};
  Value scalar =
      scalarConstant(ctx.b, elementType(ctx), attr.getValueAsDouble());
  return tensorOfScalars(ctx.b, RankedTensorType::get({}, scalar.getType()),
                         scalar);
}

// Where the limits cross, the upper one wins.
static LoweringResult lowerClip(LoweringContext &ctx) {
  Value low = clipLimit(ctx, 1, "min"), high = clipLimit(ctx, 2, "max");
  SmallVector<Value> operands{ctx.input(0)};
  if (low)
    operands.push_back(low);
  if (high)
    operands.push_back(high);
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) {
    Value result = args.front();
    bool isUnsigned = ctx.isUnsigned(0);
    if (low)
      result = arithmetic<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(
          b, isUnsigned, result, args[1]);
    if (high)
      result = arithmetic<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>(
          b, isUnsigned, result, args.back());
    return result;
  };
  if (operands.size() == 1)
    return single(operands.front());
  return single(elementwise(ctx, operands, elementType(ctx), body));
}

static LoweringResult lowerIdentity(LoweringContext &ctx) {
  return single(ctx.input(0));
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

void tern::onnx::addElementwiseLowerings(LoweringTable &table) {
  using FP = arith::CmpFPredicate;
  using IP = arith::CmpIPredicate;
  table["Add"] = arithmeticNode<arith::AddFOp, arith::AddIOp>;
  table["Sub"] = arithmeticNode<arith::SubFOp, arith::SubIOp>;
  table["Mul"] = arithmeticNode<arith::MulFOp, arith::MulIOp>;
  table["Sum"] = arithmeticNode<arith::AddFOp, arith::AddIOp>;
  table["Max"] =
      arithmeticNode<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>;
  table["Min"] =
      arithmeticNode<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>;
  table["Div"] = lowerDiv;
  table["Mod"] = lowerMod;
  table["Pow"] = lowerPow;
  table["And"] = table["BitwiseAnd"] = logicNode<arith::AndIOp>;
  table["Or"] = table["BitwiseOr"] = logicNode<arith::OrIOp>;
  table["Xor"] = table["BitwiseXor"] = logicNode<arith::XOrIOp>;
  table["Not"] = table["BitwiseNot"] = lowerNot;
  table["BitShift"] = lowerBitShift;
  table["Equal"] = comparisonNode<FP::OEQ, IP::eq>;
  table["Less"] = comparisonNode<FP::OLT, IP::slt, IP::ult>;
  table["LessOrEqual"] = comparisonNode<FP::OLE, IP::sle, IP::ule>;
  table["Greater"] = comparisonNode<FP::OGT, IP::sgt, IP::ugt>;
  table["GreaterOrEqual"] = comparisonNode<FP::OGE, IP::sge, IP::uge>;
  table["Where"] = lowerWhere;
  table["Clip"] = lowerClip;
  table["Identity"] = lowerIdentity;
}
