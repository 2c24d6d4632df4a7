//===- AttentionScores.cpp - the arithmetic of one score ------------------===//

#include "AttentionScores.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace tern::onnx;

Value tern::onnx::negativeInfinity(ImplicitLocOpBuilder &b, Type type) {
  return scalarConstant(b, type, -std::numeric_limits<double>::infinity());
}

Value tern::onnx::replaceFloat(ImplicitLocOpBuilder &b, Value value,
                               Value special, double replacement) {
  Value isSpecial =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, value, special);
  return arith::SelectOp::create(
      b, isSpecial, scalarConstant(b, value.getType(), replacement), value);
}

Value tern::onnx::toFloat(ImplicitLocOpBuilder &b, Value scalar, Type type) {
  if (scalar.getType().isInteger())
    return arith::SIToFPOp::create(b, type, scalar);
  return convertFloat(b, scalar, type);
}

static Value capScore(ImplicitLocOpBuilder &b, Value score, double softcap) {
  Value cap = scalarConstant(b, score.getType(), softcap);
  Value bounded = math::TanhOp::create(b, arith::DivFOp::create(b, score, cap));
  return arith::MulFOp::create(b, bounded, cap);
}

Value tern::onnx::scoreProduct(ImplicitLocOpBuilder &b,
                               const AttentionProblem &problem, Value product,
                               Value keyScale, ScoreStage stage) {
  Type type = product.getType();
  Value score = product;
  if (keyScale)
    score = arith::MulFOp::create(b, score, convertFloat(b, keyScale, type));
  if (problem.scale != 1)
    score =
        arith::MulFOp::create(b, score, scalarConstant(b, type, problem.scale));
  if (stage >= ScoreStage::Capped && problem.softcap != 0)
    score = capScore(b, score, problem.softcap);
  return score;
}

Value tern::onnx::weigh(ImplicitLocOpBuilder &b, Value score, Value maximum) {
  Value finite =
      replaceFloat(b, maximum, negativeInfinity(b, maximum.getType()), 0);
  return math::ExpOp::create(b, arith::SubFOp::create(b, score, finite));
}
