//===- FillPadding.cpp - a pad writes what it adds ------------------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"

namespace tern {
#define GEN_PASS_DEF_FILLPADDING
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// How many elements `pad` adds behind each row, if that is all it does; else
/// 0.
static int64_t getAddedColumns(tensor::PadOp pad) {
  SmallVector<OpFoldResult> high = pad.getMixedHighPad();
  if (high.empty() || !pad.getConstantPaddingValue())
    return 0;
  // Nothing can be inserted into a tensor without elements.
  if (llvm::is_contained(pad.getSourceType().getShape(), 0))
    return 0;
  if (!llvm::all_of(pad.getMixedLowPad(), isZeroInteger) ||
      !llvm::all_of(ArrayRef(high).drop_back(), isZeroInteger) ||
      pad.getSourceType().isDynamicDim(pad.getSourceType().getRank() - 1))
    return 0;
  return getConstantIntValue(high.back()).value_or(0);
}

/// Rows of `source` with `added` elements of `value` behind each.
static Value emitPadded(IRRewriter &b, Location loc, Value source, Value value,
                        int64_t added) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, source);
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  int64_t columns = type.getShape().back();
  SmallVector<OpFoldResult> whole = sizes, tail = sizes;
  whole.back() = b.getIndexAttr(columns + added);
  tail.back() = b.getIndexAttr(added);
  SmallVector<OpFoldResult> behind = offsets;
  behind.back() = b.getIndexAttr(columns);

  Value result = tensor::EmptyOp::create(b, loc, whole, type.getElementType());
  result = tensor::InsertSliceOp::create(b, loc, source, result, offsets, sizes,
                                         strides);
  Value end =
      tensor::ExtractSliceOp::create(b, loc, result, behind, tail, strides);
  end = linalg::FillOp::create(b, loc, value, end).getResult(0);
  return tensor::InsertSliceOp::create(b, loc, end, result, behind, tail,
                                       strides);
}

static void fillPadding(IRRewriter &b, tensor::PadOp pad) {
  int64_t added = getAddedColumns(pad);
  if (added <= 0)
    return;
  Location loc = pad.getLoc();
  b.setInsertionPoint(pad);
  Value value = pad.getConstantPaddingValue(), source = pad.getSource();
  // Defined within, it would go with the operation.
  if (pad.getRegion().isAncestor(value.getParentRegion()))
    value = b.clone(*value.getDefiningOp())->getResult(0);
  // In front of a view of the rows, so that whoever computes them may do it in
  // the place they are padded in.
  auto view = source.getDefiningOp<tensor::CollapseShapeOp>();
  if (view && view.getReassociationIndices().back().size() == 1) {
    Value padded = emitPadded(b, loc, view.getSrc(), value, added);
    source = tensor::CollapseShapeOp::create(b, loc, padded,
                                             view.getReassociationIndices());
  } else {
    source = emitPadded(b, loc, source, value, added);
  }
  // Where the pad's type says more of the sizes.
  if (source.getType() != pad.getType())
    source = tensor::CastOp::create(b, loc, pad.getType(), source);
  b.replaceOp(pad, source);
}

namespace {
struct FillPaddingPass : tern::impl::FillPaddingBase<FillPaddingPass> {
  using Base::Base;
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<tensor::PadOp> pads;
    getOperation().walk([&](tensor::PadOp pad) { pads.push_back(pad); });
    for (tensor::PadOp pad : pads)
      fillPadding(rewriter, pad);
  }
};
} // namespace
