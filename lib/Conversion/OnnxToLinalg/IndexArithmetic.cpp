//===- IndexArithmetic.cpp - indices that fold ----------------------------===//

#include "Movement.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tern::onnx;

// Deeper expressions than a shape's are not worth a proof.
static constexpr unsigned maxProofDepth = 8;

// Sizes and their sums and products fit these types.
static bool holdsSizes(Type type) {
  return type.isIndex() || type.isInteger(64);
}

static bool isNonNegative(OpFoldResult index, unsigned depth) {
  if (std::optional<int64_t> constant = getConstantIntValue(index))
    return *constant >= 0;
  Operation *def = cast<Value>(index).getDefiningOp();
  if (!def || depth == 0 || !holdsSizes(def->getResult(0).getType()))
    return false;
  if (isa<tensor::DimOp>(def))
    return true;
  auto operand = [&](unsigned i) {
    return isNonNegative(OpFoldResult(def->getOperand(i)), depth - 1);
  };
  if (isa<arith::IndexCastOp>(def))
    return operand(0);
  if (isa<arith::MaxSIOp>(def))
    return operand(0) || operand(1);
  if (isa<arith::AddIOp, arith::MulIOp, arith::MinSIOp, arith::DivSIOp,
          arith::CeilDivSIOp>(def))
    return operand(0) && operand(1);
  if (isa<arith::SelectOp>(def))
    return operand(1) && operand(2);
  return false;
}

bool tern::onnx::isNonNegative(OpFoldResult index) {
  return ::isNonNegative(index, maxProofDepth);
}

Value tern::onnx::indexValue(ImplicitLocOpBuilder &b, OpFoldResult index) {
  return getValueOrCreateConstantIndexOp(b, b.getLoc(), index);
}

SmallVector<Value> tern::onnx::indexValues(ImplicitLocOpBuilder &b,
                                           ArrayRef<OpFoldResult> indices) {
  return getValueOrCreateConstantIndexOp(b, b.getLoc(), indices);
}

template <typename Op>
static OpFoldResult foldIndex(ImplicitLocOpBuilder &b, OpFoldResult lhs,
                              OpFoldResult rhs) {
  return getAsOpFoldResult(
      b.createOrFold<Op>(indexValue(b, lhs), indexValue(b, rhs)));
}

OpFoldResult tern::onnx::minIndex(ImplicitLocOpBuilder &b, OpFoldResult lhs,
                                  OpFoldResult rhs) {
  if (areSameSize(lhs, rhs))
    return lhs;
  return foldIndex<arith::MinSIOp>(b, lhs, rhs);
}

OpFoldResult tern::onnx::maxIndex(ImplicitLocOpBuilder &b, OpFoldResult lhs,
                                  OpFoldResult rhs) {
  if (areSameSize(lhs, rhs))
    return lhs;
  if (isConstantIntValue(lhs, 0) && isNonNegative(rhs))
    return rhs;
  if (isConstantIntValue(rhs, 0) && isNonNegative(lhs))
    return lhs;
  return foldIndex<arith::MaxSIOp>(b, lhs, rhs);
}

OpFoldResult tern::onnx::ceilDivide(ImplicitLocOpBuilder &b, OpFoldResult lhs,
                                    OpFoldResult rhs) {
  if (isConstantIntValue(rhs, 1))
    return lhs;
  return foldIndex<arith::CeilDivSIOp>(b, lhs, rhs);
}

OpFoldResult tern::onnx::productOf(ImplicitLocOpBuilder &b,
                                   ArrayRef<OpFoldResult> sizes) {
  OpFoldResult product = b.getIndexAttr(1);
  for (OpFoldResult size : sizes)
    product = multiplySizes(b, product, size);
  return product;
}

FailureOr<Sizes> tern::onnx::indicesFromInput(LoweringContext &ctx,
                                              unsigned index) {
  if (!ctx.input(index))
    return ctx.error() << "input " << index << " is missing";
  RankedTensorType type = ctx.type(index);
  if (type.getRank() > 1 || !type.hasStaticShape() ||
      !type.getElementType().isIntOrIndex())
    return ctx.error() << "input " << index << " has type " << type
                       << "; expected integers of static size and rank at "
                          "most 1";
  Sizes indices;
  for (Value scalar : scalarsOf(ctx.b, ctx.input(index)))
    indices.push_back(sizeFromScalar(ctx.b, scalar));
  return indices;
}

LogicalResult tern::onnx::checkSameSize(LoweringContext &ctx, OpFoldResult lhs,
                                        OpFoldResult rhs, StringRef message) {
  if (areSameSize(lhs, rhs))
    return success();
  std::optional<int64_t> lhsSize = getConstantIntValue(lhs);
  std::optional<int64_t> rhsSize = getConstantIntValue(rhs);
  if (lhsSize && rhsSize)
    return ctx.error() << message << ": found " << *lhsSize << " and "
                       << *rhsSize << "; expected equal sizes";
  ctx.check(ctx.b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq,
                                              indexValue(ctx.b, lhs),
                                              indexValue(ctx.b, rhs)),
            message);
  return success();
}

void tern::onnx::checkAtMost(LoweringContext &ctx, OpFoldResult lhs,
                             OpFoldResult rhs, StringRef message) {
  if (areSameSize(lhs, rhs) ||
      (isConstantIntValue(lhs, 0) && isNonNegative(rhs)))
    return;
  ctx.check(ctx.b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::sle,
                                              indexValue(ctx.b, lhs),
                                              indexValue(ctx.b, rhs)),
            message);
}

FailureOr<std::optional<SmallVector<int64_t>>>
tern::onnx::axesOf(LoweringContext &ctx, unsigned index, int64_t rank) {
  std::optional<SmallVector<int64_t>> axes;
  if (std::optional<ArrayRef<int64_t>> attr = ctx.node.getInts("axes")) {
    axes.emplace(*attr);
  } else if (ctx.input(index)) {
    axes = ctx.constantInts(index);
    if (!axes)
      return ctx.error() << "found axes that are computed; expected constants";
  }
  if (!axes)
    return axes;
  for (int64_t &axis : *axes) {
    FailureOr<int64_t> normalized = normalizeAxis(ctx, axis, rank);
    if (failed(normalized))
      return failure();
    axis = *normalized;
  }
  llvm::sort(*axes);
  auto repeated = llvm::adjacent_find(*axes);
  if (repeated != axes->end())
    return ctx.error() << "axis " << *repeated << " is named twice";
  return axes;
}
