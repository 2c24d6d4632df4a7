//===- ResolveExpandShapes.cpp - expansions into dynamic sizes ------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {
#define GEN_PASS_DEF_RESOLVEEXPANDSHAPES
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

/// True if a dimension of the source becomes several dynamic ones.
static bool hasSeveralDynamicSizes(memref::ExpandShapeOp op) {
  MemRefType type = op.getResultType();
  return llvm::any_of(op.getReassociationIndices(),
                      [&](ArrayRef<int64_t> group) {
                        return llvm::count_if(group, [&](int64_t dim) {
                                 return type.isDynamicDim(dim);
                               }) > 1;
                      });
}

/// `value`, or the constant that stands for it.
static Value materialize(OpBuilder &b, Location loc, OpFoldResult value) {
  return getValueOrCreateConstantIndexOp(b, loc, value);
}

/// The strides of the result: within a group each is the product of the sizes
/// after it and of the source's stride. Known ones are those of the type.
static SmallVector<OpFoldResult> createStrides(OpBuilder &b,
                                               memref::ExpandShapeOp op,
                                               ValueRange sourceStrides,
                                               ArrayRef<OpFoldResult> sizes) {
  auto [known, offset] = op.getResultType().getStridesAndOffset();
  SmallVector<OpFoldResult> strides(sizes.size());
  for (auto [source, group] :
       llvm::zip(sourceStrides, op.getReassociationIndices())) {
    Value stride = source;
    for (int64_t dim : llvm::reverse(group)) {
      strides[dim] = ShapedType::isDynamic(known[dim])
                         ? OpFoldResult(stride)
                         : b.getIndexAttr(known[dim]);
      stride = b.createOrFold<arith::MulIOp>(
          op.getLoc(), stride, materialize(b, op.getLoc(), sizes[dim]));
    }
  }
  return strides;
}

namespace {
struct ResolveExpandShapesPass
    : tern::impl::ResolveExpandShapesBase<ResolveExpandShapesPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<memref::ExpandShapeOp> found;
    getOperation().walk([&](memref::ExpandShapeOp op) {
      if (hasSeveralDynamicSizes(op))
        found.push_back(op);
    });
    for (memref::ExpandShapeOp op : found)
      rewrite(op);
  }

private:
  void rewrite(memref::ExpandShapeOp op) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    auto metadata = memref::ExtractStridedMetadataOp::create(b, op.getSrc());
    SmallVector<OpFoldResult> sizes = op.getMixedOutputShape();
    auto [known, offset] = op.getResultType().getStridesAndOffset();
    OpFoldResult start = ShapedType::isDynamic(offset)
                             ? OpFoldResult(metadata.getOffset())
                             : b.getIndexAttr(offset);
    auto cast = memref::ReinterpretCastOp::create(
        b, op.getResultType(), metadata.getBaseBuffer(), start, sizes,
        createStrides(b, op, metadata.getStrides(), sizes));
    op.replaceAllUsesWith(cast.getResult());
    op.erase();
  }
};
} // namespace
