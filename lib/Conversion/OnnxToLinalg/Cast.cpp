//===- Cast.cpp - conversions between element types -----------------------===//

#include "Broadcast.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

Value tern::onnx::convertFloat(ImplicitLocOpBuilder &b, Value scalar,
                               Type type) {
  if (scalar.getType() == type)
    return scalar;
  unsigned from = scalar.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  // f16 and bf16 meet in f32.
  if (from == to)
    return convertFloat(b, convertFloat(b, scalar, b.getF32Type()), type);
  if (from < to)
    return arith::ExtFOp::create(b, type, scalar);
  return arith::TruncFOp::create(b, type, scalar);
}

static Value compare(ImplicitLocOpBuilder &b, arith::CmpFPredicate predicate,
                     Value scalar, double bound) {
  Value constant = scalarConstant(b, scalar.getType(), bound);
  return arith::CmpFOp::create(b, predicate, scalar, constant);
}

// Both bounds are powers of two, so every float type holds them exactly.
static Value floatToInteger(ImplicitLocOpBuilder &b, Value scalar,
                            IntegerType type, bool isUnsigned) {
  unsigned width = type.getWidth();
  if (scalar.getType().getIntOrFloatBitWidth() < 32)
    scalar = convertFloat(b, scalar, b.getF32Type());
  double low = isUnsigned ? 0 : -std::ldexp(1.0, width - 1);
  double high = std::ldexp(1.0, isUnsigned ? width : width - 1);
  // An unsigned conversion truncates (-1, 0) to 0, which `low` gives as well.
  Value isBelow = compare(b, arith::CmpFPredicate::OLT, scalar, low);
  Value isAbove = compare(b, arith::CmpFPredicate::OGE, scalar, high);
  Value isInside = arith::AndIOp::create(
      b, compare(b, arith::CmpFPredicate::OGE, scalar, low),
      compare(b, arith::CmpFPredicate::OLT, scalar, high));
  Value zero = scalarConstant(b, scalar.getType(), 0);
  Value safe = arith::SelectOp::create(b, isInside, scalar, zero);
  Value converted = isUnsigned
                        ? arith::FPToUIOp::create(b, type, safe).getResult()
                        : arith::FPToSIOp::create(b, type, safe).getResult();
  APInt least =
      isUnsigned ? APInt::getMinValue(width) : APInt::getSignedMinValue(width);
  APInt greatest =
      isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  auto limit = [&](const APInt &value) -> Value {
    return arith::ConstantOp::create(b, b.getIntegerAttr(type, value));
  };
  converted = arith::SelectOp::create(b, isBelow, limit(least), converted);
  return arith::SelectOp::create(b, isAbove, limit(greatest), converted);
}

static Value integerToFloat(ImplicitLocOpBuilder &b, Value scalar,
                            bool isUnsigned, Type type) {
  // LLVM converts to half types through library calls that libgcc lacks.
  Type wide = type.getIntOrFloatBitWidth() < 32 ? b.getF32Type() : type;
  Value converted = isUnsigned
                        ? arith::UIToFPOp::create(b, wide, scalar).getResult()
                        : arith::SIToFPOp::create(b, wide, scalar).getResult();
  return convertFloat(b, converted, type);
}

static Value integerToInteger(ImplicitLocOpBuilder &b, Value scalar,
                              bool isUnsigned, Type type) {
  unsigned from = scalar.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (from == to)
    return scalar;
  if (from > to)
    return arith::TruncIOp::create(b, type, scalar);
  if (isUnsigned)
    return arith::ExtUIOp::create(b, type, scalar);
  return arith::ExtSIOp::create(b, type, scalar);
}

static Value toBool(ImplicitLocOpBuilder &b, Value scalar) {
  Value zero = scalarConstant(b, scalar.getType(), 0);
  if (isa<FloatType>(scalar.getType())) // NaN is true.
    return arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, scalar, zero);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, scalar, zero);
}

Value tern::onnx::convertScalar(ImplicitLocOpBuilder &b, Value scalar,
                                bool isUnsigned, Type type, bool toUnsigned) {
  Type from = scalar.getType();
  // A bool is 0 or 1, not 0 or -1.
  isUnsigned |= from.isInteger(1);
  if (type.isInteger(1))
    return from.isInteger(1) ? scalar : toBool(b, scalar);
  if (isa<FloatType>(from))
    return isa<FloatType>(type)
               ? convertFloat(b, scalar, type)
               : floatToInteger(b, scalar, cast<IntegerType>(type), toUnsigned);
  return isa<FloatType>(type) ? integerToFloat(b, scalar, isUnsigned, type)
                              : integerToInteger(b, scalar, isUnsigned, type);
}

// Cast and CastLike: the output's type says what to convert to.
static LoweringResult lowerCast(LoweringContext &ctx) {
  auto declared = dyn_cast<TensorType>(ctx.node.getOutputs()[0].getType());
  Type to = declared ? declared.getElementType() : Type();
  auto isSupported = [](Type type) {
    auto integer = dyn_cast<IntegerType>(type);
    return type.isF16() || type.isBF16() || type.isF32() || type.isF64() ||
           (integer && (integer.getWidth() == 1 || integer.getWidth() >= 8));
  };
  Type from = ctx.type(0).getElementType();
  if (!to || !isSupported(to) || !isSupported(from))
    return ctx.error() << "cannot convert " << ctx.inputTypes[0] << " to "
                       << ctx.node.getOutputs()[0].getType();
  // Integers of one width differ in how they are read only.
  if (lowerElementType(to) == from)
    return single(ctx.input(0));
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange args) {
    return convertScalar(b, args[0], ctx.isUnsigned(0), lowerElementType(to),
                         ctx.isUnsignedOutput(0));
  };
  return single(elementwise(ctx, ctx.input(0), lowerElementType(to), body));
}

void tern::onnx::addCastLowerings(LoweringTable &table) {
  table["Cast"] = table["CastLike"] = lowerCast;
}
