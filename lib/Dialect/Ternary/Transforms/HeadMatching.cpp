//===- HeadMatching.cpp - finds the head of a language model --------------===//

#include "HeadMatching.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tern::ternary;

/// If `op` does nothing but convert the floats of its one input, notes whether
/// it rounds to bf16, and returns the input. Null for all else, and for f16:
/// what rounds to infinity there is told apart before.
static Value lookThroughConversion(Operation *op, bool &isRounded) {
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return cast.getSource();
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumDpsInputs() != 1 ||
      generic.getNumDpsInits() != 1 ||
      generic.getNumParallelLoops() != generic.getNumLoops() ||
      !llvm::all_of(generic.getIndexingMapsArray(),
                    [](AffineMap map) { return map.isIdentity(); }))
    return {};
  Block &body = *generic.getBody();
  Value value = cast<linalg::YieldOp>(body.getTerminator()).getOperand(0);
  while (Operation *conversion = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(conversion))
      return {};
    if (isa<arith::TruncFOp>(conversion) && !value.getType().isBF16())
      return {};
    isRounded |= value.getType().isBF16();
    value = conversion->getOperand(0);
  }
  return value == body.getArgument(0) ? generic.getInputs()[0] : Value();
}

/// Whether `value` is the argument, perhaps converted to f32.
static bool isArgument(Value value, BlockArgument argument) {
  if (auto extension = value.getDefiningOp<arith::ExtFOp>())
    value = extension.getIn();
  return value == argument;
}

/// Whether the body adds products of its inputs, in f32.
static bool addsProducts(linalg::GenericOp op) {
  Block &body = *op.getBody();
  auto sum = cast<linalg::YieldOp>(body.getTerminator())
                 .getOperand(0)
                 .getDefiningOp<arith::AddFOp>();
  if (!sum || !sum.getType().isF32())
    return false;
  bool isLast = sum.getRhs() == body.getArgument(2);
  if (!isLast && sum.getLhs() != body.getArgument(2))
    return false;
  auto product =
      (isLast ? sum.getLhs() : sum.getRhs()).getDefiningOp<arith::MulFOp>();
  if (!product)
    return false;
  Value lhs = product.getLhs(), rhs = product.getRhs();
  return (isArgument(lhs, body.getArgument(0)) &&
          isArgument(rhs, body.getArgument(1))) ||
         (isArgument(lhs, body.getArgument(1)) &&
          isArgument(rhs, body.getArgument(0)));
}

/// Whether `value` is filled with zeros.
static bool isZero(Value value) {
  Value filling;
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    filling = fill.getInputs()[0];
  else if (auto generic = value.getDefiningOp<linalg::GenericOp>();
           generic && generic.getNumResults() == 1)
    filling =
        cast<linalg::YieldOp>(generic.getBody()->getTerminator()).getOperand(0);
  return filling && matchPattern(filling, m_AnyZeroFloat());
}

/// Whether the product is `y[..., n] = sum_k x[..., k] rows[n, k]`.
static bool readsRows(linalg::GenericOp op, unsigned xIndex) {
  if (op.getNumReductionLoops() != 1)
    return false;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  AffineMap x = maps[xIndex], rows = maps[1 - xIndex], y = maps[2];
  MLIRContext *context = op.getContext();
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  AffineExpr k = getAffineDimExpr(reductions[0], context);
  AffineExpr n = y.getResult(y.getNumResults() - 1);
  return x.isProjectedPermutation() && y.isProjectedPermutation() &&
         x.getNumResults() == y.getNumResults() &&
         op.getNumLoops() == y.getNumResults() + 1 &&
         x.getResults().drop_back() == y.getResults().drop_back() &&
         x.getResults().back() == k && rows.getNumResults() == 2 &&
         rows.getResult(0) == n && rows.getResult(1) == k;
}

std::optional<std::string> tern::ternary::matchHead(func::FuncOp step,
                                                    HeadMatch &match) {
  auto results = cast<func::ReturnOp>(step.front().getTerminator());
  Value logits = results.getOperand(0);
  while (Operation *op = logits.getDefiningOp()) {
    Value source = lookThroughConversion(op, match.isRounded);
    if (!source)
      break;
    if (!logits.hasOneUse())
      return "its logits are used elsewhere, too";
    logits = source;
  }
  auto product = logits.getDefiningOp<linalg::GenericOp>();
  if (!product || !logits.hasOneUse() || product.getNumDpsInputs() != 2 ||
      product.getNumDpsInits() != 1 || !addsProducts(product) ||
      !isZero(product.getDpsInits()[0]))
    return "the logits are no product of two matrices, in f32";
  for (unsigned index : {0, 1}) {
    auto type =
        cast<RankedTensorType>(product.getInputs()[1 - index].getType());
    if (!matchPattern(product.getInputs()[1 - index],
                      m_Constant(&match.constant)) ||
        !isa<DenseElementsAttr, DenseResourceElementsAttr>(match.constant))
      continue;
    if (!readsRows(product, index))
      return "its matrix is not stored row by row";
    auto x = cast<RankedTensorType>(product.getInputs()[index].getType());
    for (int64_t size : x.getShape().drop_back())
      if (size != 1 && !ShapedType::isDynamic(size))
        return "it takes more than one hidden state";
    auto y = cast<RankedTensorType>(product.getResult(0).getType());
    // Far more than any model has.
    constexpr int64_t mostColumns = int64_t(1) << 18;
    if (y.isDynamicDim(y.getRank() - 1) || x.getElementTypeBitWidth() > 32 ||
        type.getElementTypeBitWidth() > 32 || !type.hasStaticShape() ||
        x.isDynamicDim(x.getRank() - 1) || type.getNumElements() == 0 ||
        type.getDimSize(1) > mostColumns)
      return "its types are not those of a head";
    match.product = product;
    match.x = product.getInputs()[index];
    match.rows = product.getInputs()[1 - index];
    return std::nullopt;
  }
  return "its matrix is no constant";
}
