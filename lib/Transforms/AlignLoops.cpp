//===- AlignLoops.cpp - no reshape between two loops ----------------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace tern {
#define GEN_PASS_DEF_ALIGNLOOPS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// Whether other dimensions do `op` no harm: its loops are elementwise or
/// reduce rows. Products have forms that later passes know.
static bool isFlexible(Operation *op) {
  auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
  return generic && (generic.getNumReductionLoops() == 0 ||
                     generic.getNumDpsInputs() == 1);
}

//===----------------------------------------------------------------------===//
// Loops of one iteration
//===----------------------------------------------------------------------===//

/// The loops behind the first that is not known to run once. In front of it
/// batches are counted, and one of them is as good a dimension as none.
static SmallVector<unsigned> getInnerLoops(Operation *op) {
  SmallVector<int64_t> ranges =
      cast<linalg::GenericOp>(op).getStaticLoopRanges();
  auto *first = llvm::find_if(ranges, [](int64_t size) { return size != 1; });
  return llvm::to_vector(llvm::seq<unsigned>(
      static_cast<unsigned>(first - ranges.begin()), ranges.size()));
}

/// Whether `op` reads other loops' results with dimensions added.
static bool readsExpanded(linalg::GenericOp op) {
  return llvm::any_of(op.getDpsInputOperands(), [](OpOperand *input) {
    auto expand = input->get().getDefiningOp<tensor::ExpandShapeOp>();
    return expand && expand.getSrc().getDefiningOp<linalg::GenericOp>();
  });
}

/// A mean of rows is [tokens, 1], so that it can be multiplied with rows: takes
/// such dimensions from the loops that compute and read it.
static void dropUnitLoops(func::FuncOp function) {
  linalg::ControlDropUnitDims options;
  options.controlFn = getInnerLoops;
  IRRewriter rewriter(function.getContext());
  for (auto op : llvm::make_early_inc_range(
           function.getBody().front().getOps<linalg::GenericOp>())) {
    if (!isFlexible(op) || !readsExpanded(op))
      continue;
    rewriter.setInsertionPoint(op);
    FailureOr<linalg::DropUnitDimsResult> dropped =
        linalg::dropUnitDims(rewriter, op, options);
    if (succeeded(dropped))
      rewriter.replaceOp(op, dropped->replacements);
  }
}

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

/// Whether to move a reshape past loops that produce what it reshapes, or that
/// read it: `operand` is the reshape's or its reader's. Rows stay whole for
/// their readers, or a reduction would have to be one of several loops.
static bool shouldExpand(OpOperand *operand) {
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(operand->getOwner()))
    return isFlexible(operand->get().getDefiningOp()) &&
           llvm::any_of(expand->getUsers(), isFlexible) &&
           llvm::all_of(expand->getUsers(),
                        llvm::IsaPred<linalg::GenericOp, tensor::DimOp>);
  auto collapse = operand->get().getDefiningOp<tensor::CollapseShapeOp>();
  if (!collapse || !isFlexible(operand->getOwner()) ||
      !collapse.getSrc().getDefiningOp<linalg::GenericOp>())
    return false;
  // What has no rows is one value a row: [batches, tokens] as [rows].
  auto reader = cast<linalg::GenericOp>(operand->getOwner());
  SmallVector<utils::IteratorType> kinds = reader.getIteratorTypesArray();
  for (auto [expr, group] :
       llvm::zip_equal(reader.getMatchingIndexingMap(operand).getResults(),
                       collapse.getReassociationIndices()))
    if (auto loop = dyn_cast<AffineDimExpr>(expr);
        group.size() > 1 && loop &&
        kinds[loop.getPosition()] == utils::IteratorType::reduction)
      return false;
  return collapse.getReassociationIndices().back().size() == 1 ||
         (collapse.getResultType().getRank() == 1 &&
          reader.getNumReductionLoops() == 0);
}

/// Gives loops on both sides of a reshape the dimensions of the larger rank.
static LogicalResult moveReshapes(func::FuncOp function) {
  MLIRContext *context = function.getContext();
  RewritePatternSet patterns(context);
  linalg::populateFoldReshapeOpsByExpansionPatterns(patterns, shouldExpand);
  tensor::populateFoldTensorEmptyPatterns(patterns);
  // Two reshapes in a row become one; sizes are asked of where they are known.
  tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::DimOp::getCanonicalizationPatterns(patterns, context);
  memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
  return applyPatternsGreedily(function, std::move(patterns));
}

namespace {
struct AlignLoopsPass : tern::impl::AlignLoopsBase<AlignLoopsPass> {
  using Base::Base;
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    dropUnitLoops(getOperation());
    if (failed(moveReshapes(getOperation())))
      signalPassFailure();
  }
};
} // namespace
