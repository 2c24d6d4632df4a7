//===- FuseElementwise.cpp - fusion that computes nothing twice -----------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tern {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// True if `op` only reads constants and moves or widens their elements, so
/// that redoing it at every use costs less than a second copy in memory.
static bool isCheapViewOfConstant(linalg::LinalgOp op) {
  for (OpOperand *input : op.getDpsInputOperands()) {
    Attribute value;
    if (!matchPattern(input->get(), m_Constant(&value)))
      return false;
  }
  return llvm::all_of(op.getBlock()->without_terminator(),
                      [](Operation &inner) {
                        return inner.getName().getStringRef() == "arith.extf" ||
                               inner.getName().getStringRef() == "arith.truncf";
                      });
}

/// Whether to fuse the producer of `operand` into its owner.
static bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::LinalgOp>();
  auto consumer = dyn_cast<linalg::LinalgOp>(operand->getOwner());
  if (!producer || !consumer)
    return false;
  if (isCheapViewOfConstant(producer))
    return true;
  // A map that uses every loop reads each element once.
  AffineMap map = consumer.getMatchingIndexingMap(operand);
  return producer->hasOneUse() && map.isPermutation();
}

namespace {
struct FuseElementwisePass
    : tern::impl::FuseElementwiseBase<FuseElementwisePass> {
  using Base::Base;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
