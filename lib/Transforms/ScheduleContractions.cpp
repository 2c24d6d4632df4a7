//===- ScheduleContractions.cpp - loop order of reductions ----------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

namespace tern {
#define GEN_PASS_DEF_SCHEDULECONTRACTIONS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// What is gained when loop `dim` is innermost: for each operand, 1 where it
/// steps through memory one element at a time, twice that for the results,
/// which are read and written; and -2 where it jumps, a cache line for each
/// element.
static int64_t rateInnermost(linalg::GenericOp op, unsigned dim) {
  int64_t rating = 0;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!map.isFunctionOfDim(dim))
      continue;
    bool last =
        map.getResults().back() == getAffineDimExpr(dim, op.getContext());
    bool elsewhere =
        llvm::any_of(map.getResults().drop_back(), [&](AffineExpr expr) {
          return expr.isFunctionOfDim(dim);
        });
    if (!last || elsewhere)
      rating -= 2;
    else
      rating += op.isDpsInit(&operand) ? 2 : 1;
  }
  return rating;
}

/// The loop that should be innermost: the best rated one; the present one where
/// that is no better.
static unsigned chooseInnermost(linalg::GenericOp op) {
  unsigned best = op.getNumLoops() - 1;
  int64_t bestRating = rateInnermost(op, best);
  for (unsigned dim = 0; dim + 1 < op.getNumLoops(); ++dim)
    if (int64_t rating = rateInnermost(op, dim); rating > bestRating) {
      best = dim;
      bestRating = rating;
    }
  return best;
}

/// Moves the chosen loop to the end; the others keep their order.
static LogicalResult interchange(RewriterBase &rewriter, linalg::GenericOp op) {
  unsigned innermost = chooseInnermost(op);
  if (innermost == op.getNumLoops() - 1)
    return success();
  SmallVector<unsigned> order;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (dim != innermost)
      order.push_back(dim);
  order.push_back(innermost);
  rewriter.setInsertionPoint(op);
  return linalg::interchangeGenericOp(rewriter, op, order);
}

static void addFastMath(Operation *op, arith::FastMathFlags flags) {
  op->setAttr("fastmath",
              arith::FastMathFlagsAttr::get(op->getContext(), flags));
}

/// Lets each float sum that the body accumulates be reassociated, and be
/// contracted with the multiplication that feeds it.
static void relaxSums(linalg::GenericOp op) {
  using arith::FastMathFlags;
  for (auto [accumulator, next] :
       llvm::zip(op.getRegionOutputArgs(),
                 op.getBody()->getTerminator()->getOperands())) {
    auto sum = next.getDefiningOp<arith::AddFOp>();
    if (!sum || (sum.getLhs() != accumulator && sum.getRhs() != accumulator))
      continue;
    addFastMath(sum, FastMathFlags::reassoc | FastMathFlags::contract);
    for (Value term : {sum.getLhs(), sum.getRhs()})
      if (auto product = term.getDefiningOp<arith::MulFOp>())
        addFastMath(product, FastMathFlags::contract);
  }
}

namespace {
struct ScheduleContractionsPass
    : tern::impl::ScheduleContractionsBase<ScheduleContractionsPass> {
  using Base::Base;
  void runOnOperation() override {
    SmallVector<linalg::GenericOp> reductions;
    getOperation().walk([&](linalg::GenericOp op) {
      if (op.getNumReductionLoops() > 0)
        reductions.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::GenericOp op : reductions) {
      relaxSums(op);
      // Bodies that ask for their indices are tied to their loops.
      if (!op.hasIndexSemantics() && failed(interchange(rewriter, op)))
        return signalPassFailure();
    }
  }
};
} // namespace
