//===- MergeProducts.cpp - products of the same activations as one --------===//

#include "tern/Dialect/Ternary/Transforms/Passes.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"

namespace tern::ternary {
#define GEN_PASS_DEF_MERGEPRODUCTS
#include "tern/Dialect/Ternary/Transforms/Passes.h.inc"
} // namespace tern::ternary

using namespace mlir;
using namespace tern::ternary;

/// Whether the rows of a product may stand among those of others: sums over all
/// columns, of weights that are known.
static bool isMergeable(MatmulOp op) {
  return !op.getGroups() && op.getWeights().getDefiningOp<ConstantOp>() &&
         op.getWeights().getType().getLayout().isRowMajor();
}

static Attribute getWeights(MatmulOp op) {
  return op.getWeights().getDefiningOp<ConstantOp>().getBytes();
}

namespace {
/// Products of the same activations in a block, in an order that depends on
/// their weights alone, so that it is the same in all functions.
struct Siblings {
  SmallVector<MatmulOp> products;
  ArrayAttr weights;
  MatmulOp first; ///< in the block
};
} // namespace

/// Finds the products that might be merged, also those that have no siblings.
static SmallVector<Siblings> findSiblings(ModuleOp module) {
  using Key = std::tuple<Block *, Value, Attribute>;
  llvm::MapVector<Key, Siblings> found;
  llvm::DenseMap<Attribute, size_t> order;
  module.walk([&](MatmulOp op) {
    if (!isMergeable(op))
      return;
    order.try_emplace(getWeights(op), order.size());
    Attribute layout = op.getWeights().getType().getLayout();
    found[{op->getBlock(), op.getX(), layout}].products.push_back(op);
  });
  SmallVector<Siblings> result;
  for (auto &[key, siblings] : found) {
    siblings.first = siblings.products.front();
    llvm::stable_sort(siblings.products, [&](MatmulOp a, MatmulOp b) {
      return order.lookup(getWeights(a)) < order.lookup(getWeights(b));
    });
    siblings.weights =
        ArrayAttr::get(module.getContext(),
                       llvm::map_to_vector(siblings.products, getWeights));
    result.push_back(std::move(siblings));
  }
  return result;
}

/// Replaces products by slices of one, which takes the place of the first.
static void merge(IRRewriter &rewriter, const Siblings &siblings) {
  MatmulOp first = siblings.first;
  rewriter.setInsertionPoint(first);
  SmallVector<Location> locations;
  SmallVector<Value> matrices;
  int64_t rows = 0;
  for (MatmulOp op : siblings.products) {
    locations.push_back(op.getLoc());
    auto constant = op.getWeights().getDefiningOp<ConstantOp>();
    // Those of later products may be defined later.
    matrices.push_back(rewriter.clone(*constant)->getResult(0));
    rows += op.getWeights().getType().getRows();
  }
  Location loc =
      FusedLoc::get(locations, rewriter.getStringAttr(kMergedProducts),
                    rewriter.getContext());
  auto matrix = MatrixType::get(rewriter.getContext(), rows,
                                first.getWeights().getType().getCols(),
                                first.getWeights().getType().getLayout());
  Value weights = StackOp::create(rewriter, loc, matrix, matrices);
  int64_t tokens = first.getX().getType().getDimSize(0);
  Type sum = first.getType().getElementType();
  Value all = MatmulOp::create(rewriter, loc,
                               RankedTensorType::get({tokens, rows}, sum),
                               first.getX(), weights);

  OpFoldResult zero = rewriter.getIndexAttr(0), one = rewriter.getIndexAttr(1);
  OpFoldResult size = tensor::getMixedSize(rewriter, loc, all, 0);
  int64_t row = 0;
  for (MatmulOp op : siblings.products) {
    int64_t count = op.getWeights().getType().getRows();
    Value part = tensor::ExtractSliceOp::create(
        rewriter, op.getLoc(), RankedTensorType::get({tokens, count}, sum), all,
        ArrayRef{zero, OpFoldResult(rewriter.getIndexAttr(row))},
        ArrayRef{size, OpFoldResult(rewriter.getIndexAttr(count))},
        ArrayRef{one, one});
    if (part.getType() != op.getType())
      part = tensor::CastOp::create(rewriter, op.getLoc(), op.getType(), part);
    row += count;
    rewriter.replaceAllUsesWith(op, part);
  }
  for (MatmulOp op : siblings.products) {
    Operation *constant = op.getWeights().getDefiningOp();
    rewriter.eraseOp(op);
    if (constant->use_empty())
      rewriter.eraseOp(constant);
  }
}

namespace {
struct MergeProductsPass
    : tern::ternary::impl::MergeProductsBase<MergeProductsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Siblings> all = findSiblings(getOperation());
    // The functions of a module share large weights that they group alike.
    // Small ones, which may only happen to be equal, can be there twice.
    llvm::DenseMap<Attribute, ArrayAttr> groupOf;
    llvm::SmallDenseSet<Attribute> different;
    for (const Siblings &siblings : all)
      for (Attribute weights : siblings.weights)
        if (isa<DenseResourceElementsAttr>(weights) &&
            groupOf.try_emplace(weights, siblings.weights).first->second !=
                siblings.weights)
          different.insert(weights);
    IRRewriter rewriter(&getContext());
    for (const Siblings &siblings : all)
      if (siblings.products.size() > 1 &&
          llvm::none_of(siblings.weights, [&](Attribute weights) {
            return different.contains(weights);
          }))
        merge(rewriter, siblings);
  }
};
} // namespace
