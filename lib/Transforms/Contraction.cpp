//===- Contraction.cpp - float sums of products, recognised ---------------===//

#include "Contraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tern;

SmallVector<Value> ContractionOperand::getIndices(OpBuilder &builder,
                                                  Location loc,
                                                  ValueRange loops) const {
  SmallVector<Value> indices;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      indices.push_back(loops[dim.getPosition()]);
    else
      indices.push_back(arith::ConstantIndexOp::create(builder, loc, 0));
  }
  return indices;
}

/// The argument of the body that `value` is, maybe a shorter float or a code of
/// i8 made f32.
static BlockArgument getFactor(Value value) {
  if (auto widened = value.getDefiningOp<arith::ExtFOp>())
    value = widened.getIn();
  else if (auto code = value.getDefiningOp<arith::SIToFPOp>();
           code && code.getIn().getType().isInteger(8))
    value = code.getIn();
  return dyn_cast<BlockArgument>(value);
}

/// The body's two factors, if it is a sum of products that may be reassociated.
static std::optional<std::pair<unsigned, unsigned>>
matchBody(linalg::GenericOp op) {
  Block *body = op.getBody();
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      op.hasIndexSemantics())
    return std::nullopt;
  auto sum =
      body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!sum || !sum.getType().isF32() ||
      !arith::bitEnumContainsAll(sum.getFastmath(),
                                 arith::FastMathFlags::reassoc))
    return std::nullopt;
  BlockArgument accumulator = op.getRegionOutputArgs().front();
  Value term = sum.getLhs() == accumulator ? sum.getRhs() : sum.getLhs();
  if (term == accumulator ||
      (sum.getLhs() != accumulator && sum.getRhs() != accumulator))
    return std::nullopt;
  auto product = term.getDefiningOp<arith::MulFOp>();
  if (!product)
    return std::nullopt;
  BlockArgument lhs = getFactor(product.getLhs());
  BlockArgument rhs = getFactor(product.getRhs());
  auto isInput = [&](BlockArgument factor) {
    return factor && factor.getOwner() == body && factor != accumulator;
  };
  if (!isInput(lhs) || !isInput(rhs) || lhs == rhs)
    return std::nullopt;
  return std::pair(lhs.getArgNumber(), rhs.getArgNumber());
}

/// Whether the last index of `operand` is `loop`, in steps of one element.
static bool isContiguousIn(const ContractionOperand &operand, unsigned loop) {
  auto type = cast<MemRefType>(operand.memref.getType());
  if (type.getRank() == 0 || !type.isLastDimUnitStride())
    return false;
  auto last = dyn_cast<AffineDimExpr>(operand.map.getResults().back());
  return last && last.getPosition() == loop;
}

/// Sorts the loops by which operands they index. Fails for one that indexes
/// only one of them.
static LogicalResult sortLoops(Contraction &contraction) {
  SmallVector<unsigned> columns;
  SmallVector<unsigned> sums;
  for (unsigned loop = 0; loop < contraction.op.getNumLoops(); ++loop) {
    bool inLhs = contraction.lhs.map.isFunctionOfDim(loop);
    bool inRhs = contraction.rhs.map.isFunctionOfDim(loop);
    bool inOut = contraction.out.map.isFunctionOfDim(loop);
    if (inLhs && inRhs)
      (inOut ? contraction.batch : sums).push_back(loop);
    else if (inOut && (inLhs || inRhs))
      (inLhs ? contraction.rows : columns).push_back(loop);
    else
      return failure();
  }
  if (sums.size() != 1)
    return failure();
  contraction.sum = sums.front();
  // Columns are what has the last index of the result, if that is neither a
  // sum's nor a batch's; else what there is.
  auto last = dyn_cast<AffineDimExpr>(contraction.out.map.getResults().back());
  bool swap =
      columns.empty() ||
      (last && llvm::is_contained(contraction.rows, last.getPosition()));
  if (swap) {
    std::swap(contraction.lhs, contraction.rhs);
    std::swap(contraction.rows, columns);
  }
  if (columns.empty())
    return failure();
  contraction.column = columns.back();
  if (last && llvm::is_contained(columns, last.getPosition()))
    contraction.column = last.getPosition();
  for (unsigned loop : columns)
    if (loop != contraction.column)
      contraction.outerColumns.push_back(loop);
  return success();
}

std::optional<Contraction> tern::matchContraction(linalg::GenericOp op) {
  if (!op.hasPureBufferSemantics() || op.getNumReductionLoops() != 1)
    return std::nullopt;
  auto factors = matchBody(op);
  if (!factors)
    return std::nullopt;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  for (AffineMap map : maps)
    if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return std::nullopt;

  Contraction contraction;
  contraction.op = op;
  auto operand = [&](unsigned index) {
    return ContractionOperand{op->getOperand(index), maps[index]};
  };
  contraction.lhs = operand(factors->first);
  contraction.rhs = operand(factors->second);
  contraction.out = operand(2);
  if (contraction.out.map.getNumResults() == 0 ||
      failed(sortLoops(contraction)))
    return std::nullopt;
  contraction.isOutContiguous =
      isContiguousIn(contraction.out, contraction.column);
  if (isContiguousIn(contraction.lhs, contraction.sum) &&
      isContiguousIn(contraction.rhs, contraction.sum))
    contraction.form = ContractionForm::Dot;
  else if (contraction.isOutContiguous &&
           isContiguousIn(contraction.rhs, contraction.column))
    contraction.form = ContractionForm::Outer;
  else
    return std::nullopt;
  return contraction;
}
