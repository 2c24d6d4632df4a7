//===- AttentionMask.cpp - which keys a query reads -----------------------===//

#include "AttentionMask.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tern::onnx;

// The loops that a mask broadcasts to.
enum ScoreDim : unsigned { Batch, KvHead, Group, Query, Key };

//===----------------------------------------------------------------------===//
// The mask's tensor
//===----------------------------------------------------------------------===//

// Checks that `mask` broadcasts to `full`, [batch, heads, query, key].
static LogicalResult checkMask(LoweringContext &ctx, Value mask,
                               const Sizes &full) {
  FailureOr<Sizes> fit = broadcastSizes(ctx, {full, sizesOf(ctx.b, mask)});
  if (failed(fit))
    return failure();
  for (auto [size, expected] : llvm::zip_equal(*fit, full))
    if (failed(checkSameSize(ctx, size, expected,
                             "the mask is larger than the scores")))
      return failure();
  return success();
}

// Splits the heads of `mask`, of rank 3 or 4, as the queries' are.
static FailureOr<Value> splitMaskHeads(LoweringContext &ctx, Value mask,
                                       const AttentionSizes &sizes,
                                       const Sizes &full) {
  SmallVector<OpFoldResult> own = sizesOf(ctx.b, mask);
  size_t headDim = own.size() - 3;
  if (!getConstantIntValue(own[headDim])) {
    mask = broadcastTo(ctx, mask, full);
    own = full;
    headDim = 1;
  }
  bool isShared = isConstantIntValue(own[headDim], 1);
  own[headDim] = ctx.b.getIndexAttr(isShared ? 1 : sizes.kvHeads);
  own.insert(own.begin() + headDim + 1,
             ctx.b.getIndexAttr(isShared ? 1 : sizes.groups));
  return reshapeTo(ctx, mask, own);
}

FailureOr<AttentionMask> tern::onnx::readMask(LoweringContext &ctx, Value mask,
                                              const AttentionSizes &sizes) {
  ImplicitLocOpBuilder &b = ctx.b;
  int64_t rank = cast<RankedTensorType>(mask.getType()).getRank();
  if (rank < 1 || rank > 4)
    return ctx.error() << "the mask has type " << mask.getType()
                       << "; expected rank 1 to 4";
  OpFoldResult keys = sizeOf(b, mask, rank - 1);
  checkAtMost(ctx, keys, sizes.keys, "the mask is longer than the keys");
  Sizes full{sizes.batch, b.getIndexAttr(sizes.kvHeads * sizes.groups),
             sizes.queries, keys};
  if (failed(checkMask(ctx, mask, full)))
    return failure();
  if (rank >= 3) {
    FailureOr<Value> split = splitMaskHeads(ctx, mask, sizes, full);
    if (failed(split))
      return failure();
    mask = *split;
  }
  // Whether batches share a mask is for sliceMask to see: nothing is repeated.
  OpFoldResult batch = rank == 4 ? sizeOf(b, mask, 0) : sizes.batch;
  BroadcastOperand read =
      readBroadcast(ctx, mask,
                    {batch, b.getIndexAttr(sizes.kvHeads),
                     b.getIndexAttr(sizes.groups), sizes.queries, keys});
  return AttentionMask{read.tensor, read.map};
}

BroadcastOperand tern::onnx::sliceMask(ImplicitLocOpBuilder &b,
                                       const AttentionMask &mask,
                                       const AttentionSizes &sizes,
                                       const QueryBlock &block,
                                       const KeyRange &keys) {
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  Sizes own = sizesOf(b, mask.tensor), offsets, counts, kept;
  SmallVector<AffineExpr> exprs;
  auto read = [&](OpFoldResult offset, OpFoldResult count) {
    offsets.push_back(offset);
    counts.push_back(count);
  };
  auto keep = [&](ScoreDim dim, OpFoldResult offset, OpFoldResult count) {
    read(offset, count);
    kept.push_back(count);
    exprs.push_back(b.getAffineDimExpr(dim - Group));
  };
  for (auto [size, expr] : llvm::zip_equal(own, mask.map.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || isConstantIntValue(size, 1)) {
      read(zero, one);
      continue;
    }
    switch (static_cast<ScoreDim>(dim.getPosition())) {
    case Batch:
      read(areSameSize(size, sizes.batch)
               ? OpFoldResult(block.batch)
               : minIndex(b, block.batch, subtractSizes(b, size, one)),
           one);
      break;
    case KvHead:
      read(block.kvHead, one);
      break;
    case Group:
      keep(Group, zero, b.getIndexAttr(sizes.groups));
      break;
    case Query:
      keep(Query, block.first, block.count);
      break;
    case Key:
      keep(Key, keys.first, keys.count);
      break;
    }
  }
  Type elementType =
      cast<RankedTensorType>(mask.tensor.getType()).getElementType();
  Value slice = tensor::ExtractSliceOp::create(
      b, typeWithSizes(kept, elementType), mask.tensor, offsets, counts,
      Sizes(offsets.size(), one));
  return {slice, AffineMap::get(3, 0, exprs, b.getContext())};
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

KeyRange tern::onnx::reachOf(ImplicitLocOpBuilder &b,
                             const AttentionProblem &problem,
                             const QueryBlock &block) {
  OpFoldResult zero = b.getIndexAttr(0), first = zero, end = block.keys;
  OpFoldResult behindLast = addSizes(b, block.position, block.count);
  if (problem.isCausal)
    end = minIndex(b, end, behindLast);
  if (problem.rightWindow >= 0)
    end = minIndex(
        b, end, addSizes(b, behindLast, b.getIndexAttr(problem.rightWindow)));
  if (problem.leftWindow >= 0)
    first = maxIndex(
        b, zero,
        subtractSizes(b, block.position, b.getIndexAttr(problem.leftWindow)));
  return {first, maxIndex(b, subtractSizes(b, end, first), zero)};
}

Value tern::onnx::isInReach(ImplicitLocOpBuilder &b,
                            const AttentionProblem &problem,
                            const QueryBlock &block, const KeyRange &keys,
                            Value query, Value key) {
  using Predicate = arith::CmpIPredicate;
  if (!problem.isCausal && problem.leftWindow < 0 && problem.rightWindow < 0)
    return nullptr;
  Value reached;
  Value ahead = arith::SubIOp::create(b, key, query);
  // The key stands so many positions behind the query's.
  Value start = indexValue(b, subtractSizes(b, block.position, keys.first));
  auto require = [&](Predicate predicate, int64_t distance) {
    Value limit = b.createOrFold<arith::AddIOp>(
        start, indexValue(b, b.getIndexAttr(distance)));
    Value condition = arith::CmpIOp::create(b, predicate, ahead, limit);
    reached = reached ? arith::AndIOp::create(b, reached, condition).getResult()
                      : condition;
  };
  if (problem.isCausal)
    require(Predicate::sle, 0);
  if (problem.leftWindow >= 0)
    require(Predicate::sge, -problem.leftWindow);
  if (problem.rightWindow >= 0)
    require(Predicate::sle, problem.rightWindow);
  return reached;
}
