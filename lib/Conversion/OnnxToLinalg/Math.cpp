//===- Math.cpp - functions of one element --------------------------------===//

#include "Broadcast.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

namespace {
/// Builds expressions over scalars of one type, so that formulas read as such.
struct Formula {
  ImplicitLocOpBuilder &b;
  Type type;

  Value constant(double value) const { return scalarConstant(b, type, value); }
  Value add(Value lhs, Value rhs) const {
    return arith::AddFOp::create(b, lhs, rhs);
  }
  Value mul(Value lhs, Value rhs) const {
    return arith::MulFOp::create(b, lhs, rhs);
  }
  Value div(Value lhs, Value rhs) const {
    return arith::DivFOp::create(b, lhs, rhs);
  }
  Value neg(Value x) const { return arith::NegFOp::create(b, x); }
  Value exp(Value x) const { return math::ExpOp::create(b, x); }
  Value max(Value lhs, Value rhs) const {
    return arith::MaximumFOp::create(b, lhs, rhs);
  }
  Value min(Value lhs, Value rhs) const {
    return arith::MinimumFOp::create(b, lhs, rhs);
  }
  Value isPositive(Value x) const {
    return arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x, constant(0));
  }
  Value select(Value condition, Value yes, Value no) const {
    return arith::SelectOp::create(b, condition, yes, no);
  }
  Value sigmoid(Value x) const {
    Value one = constant(1);
    return div(one, add(one, exp(neg(x))));
  }
  /// log(1 + exp(x)) without overflow.
  Value softplus(Value x) const {
    Value distance = neg(math::AbsFOp::create(b, x));
    Value rest = math::Log1pOp::create(b, exp(distance));
    return add(max(x, constant(0)), rest);
  }
  /// min(max(alpha x + beta, 0), 1)
  Value hardSigmoid(Value x, double alpha, double beta) const {
    Value line = add(mul(x, constant(alpha)), constant(beta));
    return min(max(line, constant(0)), constant(1));
  }
};
} // namespace

// Applies a formula to the elements of input 0, which are floats.
static LoweringResult
mapFloats(LoweringContext &ctx,
          llvm::function_ref<Value(const Formula &, Value)> formula) {
  Type type = ctx.type(0).getElementType();
  if (!isa<FloatType>(type))
    return ctx.error() << "found elements of " << type << "; expected floats";
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) {
    return formula(Formula{b, type}, args[0]);
  };
  return single(elementwise(ctx, ctx.input(0), type, body));
}

//===----------------------------------------------------------------------===//
// Functions that are one operation
//===----------------------------------------------------------------------===//

template <typename Op>
static LoweringResult unaryNode(LoweringContext &ctx) {
  return mapFloats(ctx, [](const Formula &f, Value x) -> Value {
    return Op::create(f.b, x);
  });
}

static LoweringResult lowerReciprocal(LoweringContext &ctx) {
  return mapFloats(
      ctx, [](const Formula &f, Value x) { return f.div(f.constant(1), x); });
}

//===----------------------------------------------------------------------===//
// Functions that integers have too
//===----------------------------------------------------------------------===//

static LoweringResult lowerAbs(LoweringContext &ctx) {
  if (ctx.isUnsigned(0))
    return single(ctx.input(0));
  Type type = ctx.type(0).getElementType();
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    if (isa<FloatType>(type))
      return math::AbsFOp::create(b, args[0]);
    return math::AbsIOp::create(b, args[0]);
  };
  return single(elementwise(ctx, ctx.input(0), type, body));
}

static LoweringResult lowerNeg(LoweringContext &ctx) {
  Type type = ctx.type(0).getElementType();
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    if (isa<FloatType>(type))
      return arith::NegFOp::create(b, args[0]);
    return arith::SubIOp::create(b, scalarConstant(b, type, 0), args[0]);
  };
  return single(elementwise(ctx, ctx.input(0), type, body));
}

static LoweringResult lowerRelu(LoweringContext &ctx) {
  Type type = ctx.type(0).getElementType();
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    Value zero = scalarConstant(b, type, 0);
    if (isa<FloatType>(type))
      return arith::MaximumFOp::create(b, args[0], zero);
    return arith::MaxSIOp::create(b, args[0], zero);
  };
  return single(elementwise(ctx, ctx.input(0), type, body));
}

// Zeros and NaN stay as they are.
static Value signOf(ImplicitLocOpBuilder &b, Value x, bool isUnsigned) {
  Type type = x.getType();
  Value zero = scalarConstant(b, type, 0);
  Value isPositive, isNegative;
  if (isa<FloatType>(type)) {
    using P = arith::CmpFPredicate;
    isPositive = arith::CmpFOp::create(b, P::OGT, x, zero);
    isNegative = arith::CmpFOp::create(b, P::OLT, x, zero);
  } else {
    using P = arith::CmpIPredicate;
    isPositive =
        arith::CmpIOp::create(b, isUnsigned ? P::ugt : P::sgt, x, zero);
    isNegative =
        arith::CmpIOp::create(b, isUnsigned ? P::ult : P::slt, x, zero);
  }
  Value minusOne = scalarConstant(b, type, -1);
  Value rest = arith::SelectOp::create(b, isNegative, minusOne, x);
  return arith::SelectOp::create(b, isPositive, scalarConstant(b, type, 1),
                                 rest);
}

static LoweringResult lowerSign(LoweringContext &ctx) {
  auto body = [isUnsigned = ctx.isUnsigned(0)](ImplicitLocOpBuilder &b,
                                               ValueRange args) {
    return signOf(b, args[0], isUnsigned);
  };
  return single(
      elementwise(ctx, ctx.input(0), ctx.type(0).getElementType(), body));
}

//===----------------------------------------------------------------------===//
// Predicates
//===----------------------------------------------------------------------===//

static LoweringResult lowerIsNaN(LoweringContext &ctx) {
  auto body = [](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    return arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, args[0],
                                 args[0]);
  };
  return single(elementwise(ctx, ctx.input(0), ctx.b.getI1Type(), body));
}

static LoweringResult lowerIsInf(LoweringContext &ctx) {
  bool positive = ctx.node.getInt("detect_positive", 1);
  bool negative = ctx.node.getInt("detect_negative", 1);
  auto body = [=](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
    auto isInfinity = [&](double sign) -> Value {
      Value infinity = scalarConstant(b, args[0].getType(), sign * HUGE_VAL);
      return arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, args[0],
                                   infinity);
    };
    Value result = scalarConstant(b, b.getI1Type(), 0);
    if (positive)
      result = arith::OrIOp::create(b, result, isInfinity(1));
    if (negative)
      result = arith::OrIOp::create(b, result, isInfinity(-1));
    return result;
  };
  return single(elementwise(ctx, ctx.input(0), ctx.b.getI1Type(), body));
}

//===----------------------------------------------------------------------===//
// Activation functions
//===----------------------------------------------------------------------===//

static LoweringResult lowerSigmoid(LoweringContext &ctx) {
  return mapFloats(ctx, [](const Formula &f, Value x) { return f.sigmoid(x); });
}

static LoweringResult lowerSoftplus(LoweringContext &ctx) {
  return mapFloats(ctx,
                   [](const Formula &f, Value x) { return f.softplus(x); });
}

static LoweringResult lowerSoftsign(LoweringContext &ctx) {
  return mapFloats(ctx, [](const Formula &f, Value x) {
    return f.div(x, f.add(f.constant(1), math::AbsFOp::create(f.b, x)));
  });
}

static LoweringResult lowerMish(LoweringContext &ctx) {
  return mapFloats(ctx, [](const Formula &f, Value x) {
    return f.mul(x, math::TanhOp::create(f.b, f.softplus(x)));
  });
}

// x sigmoid(alpha x)
static LoweringResult swish(LoweringContext &ctx, double alpha) {
  return mapFloats(ctx, [&](const Formula &f, Value x) {
    Value inner = alpha == 1 ? x : f.mul(x, f.constant(alpha));
    return f.mul(x, f.sigmoid(inner));
  });
}

static LoweringResult lowerSwish(LoweringContext &ctx) {
  return swish(ctx, ctx.node.getFloat("alpha", 1));
}

static LoweringResult lowerQuickGelu(LoweringContext &ctx) {
  return swish(ctx, ctx.node.getFloat("alpha", 1.702f));
}

static LoweringResult lowerHardSigmoid(LoweringContext &ctx) {
  return mapFloats(ctx, [&](const Formula &f, Value x) {
    return f.hardSigmoid(x, ctx.node.getFloat("alpha", 0.2f),
                         ctx.node.getFloat("beta", 0.5f));
  });
}

static LoweringResult lowerHardSwish(LoweringContext &ctx) {
  return mapFloats(ctx, [](const Formula &f, Value x) {
    return f.mul(x, f.hardSigmoid(x, 1.0 / 6.0, 0.5));
  });
}

static LoweringResult lowerLeakyRelu(LoweringContext &ctx) {
  return mapFloats(ctx, [&](const Formula &f, Value x) {
    Value below = f.mul(x, f.constant(ctx.node.getFloat("alpha", 0.01f)));
    Value isNegative =
        arith::CmpFOp::create(f.b, arith::CmpFPredicate::OLT, x, f.constant(0));
    return f.select(isNegative, below, x);
  });
}

static LoweringResult lowerThresholdedRelu(LoweringContext &ctx) {
  return mapFloats(ctx, [&](const Formula &f, Value x) {
    Value threshold = f.constant(ctx.node.getFloat("alpha", 1));
    Value isAbove =
        arith::CmpFOp::create(f.b, arith::CmpFPredicate::OGT, x, threshold);
    return f.select(isAbove, x, f.constant(0));
  });
}

// gamma x above 0 and gamma alpha (exp(x / scale) - 1) below.
static LoweringResult exponentialUnit(LoweringContext &ctx, double alpha,
                                      double gamma, double scale) {
  return mapFloats(ctx, [&](const Formula &f, Value x) {
    Value inner = scale == 1 ? x : f.div(x, f.constant(scale));
    Value below = f.mul(f.constant(alpha), math::ExpM1Op::create(f.b, inner));
    Value value = f.select(f.isPositive(x), x, below);
    return gamma == 1 ? value : f.mul(f.constant(gamma), value);
  });
}

static LoweringResult lowerElu(LoweringContext &ctx) {
  return exponentialUnit(ctx, ctx.node.getFloat("alpha", 1), 1, 1);
}

static LoweringResult lowerCelu(LoweringContext &ctx) {
  double alpha = ctx.node.getFloat("alpha", 1);
  return exponentialUnit(ctx, alpha, 1, alpha);
}

static LoweringResult lowerSelu(LoweringContext &ctx) {
  return exponentialUnit(ctx, ctx.node.getFloat("alpha", 1.67326319217681884f),
                         ctx.node.getFloat("gamma", 1.05070102214813232f), 1);
}

// x Phi(x), or the formula with tanh that comes near it.
static Value gelu(const Formula &f, Value x, bool withTanh) {
  Value half = f.mul(f.constant(0.5), x);
  Value inner;
  if (withTanh) {
    Value cube = f.mul(f.mul(x, x), x);
    Value sum = f.add(x, f.mul(f.constant(0.044715), cube));
    constexpr double sqrtTwoOverPi = 0.7978845608028654;
    inner = math::TanhOp::create(f.b, f.mul(f.constant(sqrtTwoOverPi), sum));
  } else {
    constexpr double sqrtHalf = 0.7071067811865476;
    inner = math::ErfOp::create(f.b, f.mul(x, f.constant(sqrtHalf)));
  }
  return f.mul(half, f.add(f.constant(1), inner));
}

static LoweringResult lowerGelu(LoweringContext &ctx) {
  StringRef approximate = ctx.node.getString("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    return ctx.error() << "found approximate = '" << approximate
                       << "'; expected none or tanh";
  return mapFloats(ctx, [&](const Formula &f, Value x) {
    return gelu(f, x, approximate == "tanh");
  });
}

static LoweringResult lowerPRelu(LoweringContext &ctx) {
  Type type = ctx.type(0).getElementType();
  if (!isa<FloatType>(type))
    return ctx.error() << "found elements of " << type << "; expected floats";
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) {
    Formula f{b, type};
    Value isNegative = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT,
                                             args[0], f.constant(0));
    return f.select(isNegative, f.mul(args[1], args[0]), args[0]);
  };
  return single(elementwise(ctx, ctx.inputs, type, body));
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static void addFunctions(LoweringTable &table) {
  table["Acos"] = unaryNode<math::AcosOp>;
  table["Acosh"] = unaryNode<math::AcoshOp>;
  table["Asin"] = unaryNode<math::AsinOp>;
  table["Asinh"] = unaryNode<math::AsinhOp>;
  table["Atan"] = unaryNode<math::AtanOp>;
  table["Atanh"] = unaryNode<math::AtanhOp>;
  table["Ceil"] = unaryNode<math::CeilOp>;
  table["Cos"] = unaryNode<math::CosOp>;
  table["Cosh"] = unaryNode<math::CoshOp>;
  table["Erf"] = unaryNode<math::ErfOp>;
  table["Exp"] = unaryNode<math::ExpOp>;
  table["Floor"] = unaryNode<math::FloorOp>;
  table["Log"] = unaryNode<math::LogOp>;
  table["Round"] = unaryNode<math::RoundEvenOp>;
  table["Sin"] = unaryNode<math::SinOp>;
  table["Sinh"] = unaryNode<math::SinhOp>;
  table["Sqrt"] = unaryNode<math::SqrtOp>;
  table["Tan"] = unaryNode<math::TanOp>;
  table["Tanh"] = unaryNode<math::TanhOp>;
  table["Reciprocal"] = lowerReciprocal;
  table["Abs"] = lowerAbs;
  table["Neg"] = lowerNeg;
  table["Sign"] = lowerSign;
  table["IsNaN"] = lowerIsNaN;
  table["IsInf"] = lowerIsInf;
}

static void addActivations(LoweringTable &table) {
  table["Relu"] = lowerRelu;
  table["LeakyRelu"] = lowerLeakyRelu;
  table["PRelu"] = lowerPRelu;
  table["ThresholdedRelu"] = lowerThresholdedRelu;
  table["Sigmoid"] = lowerSigmoid;
  table["HardSigmoid"] = lowerHardSigmoid;
  table["Swish"] = lowerSwish;
  table["HardSwish"] = lowerHardSwish;
  table["Softplus"] = lowerSoftplus;
  table["Softsign"] = lowerSoftsign;
  table["Mish"] = lowerMish;
  table["Elu"] = lowerElu;
  table["Celu"] = lowerCelu;
  table["Selu"] = lowerSelu;
  table["Gelu"] = table["com.microsoft::Gelu"] = lowerGelu;
  table["com.microsoft::QuickGelu"] = lowerQuickGelu;
}

void tern::onnx::addMathLowerings(LoweringTable &table) {
  addFunctions(table);
  addActivations(table);
}
