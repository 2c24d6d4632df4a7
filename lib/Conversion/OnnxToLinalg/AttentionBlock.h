//===- AttentionBlock.h - a block of queries against its keys ---*- C++ -*-===//
//
// A block is some successive queries of the heads of one group. Its loops run
// over [group, query, key]; one thread computes it, in memory of its own.
//
//===----------------------------------------------------------------------===//
#ifndef TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONBLOCK_H
#define TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONBLOCK_H

#include "AttentionMask.h"
#include "Sizes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace tern::onnx {

/// A part of a tensor of heads.
struct HeadSlice {
  Sizes offsets, sizes;
};
/// What `block` has of a tensor laid out as `layout`, each of whose heads'
/// queries has `size` elements.
HeadSlice sliceOfQueries(mlir::ImplicitLocOpBuilder &b, HeadLayout layout,
                         const AttentionSizes &sizes, const QueryBlock &block,
                         mlir::OpFoldResult size);

/// `slice` of `tensor`, without its dimensions `dropped`, which have size 1.
mlir::Value sliceHeads(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                       const HeadSlice &slice, llvm::ArrayRef<int64_t> dropped);

/// The softmax over the keys seen so far, whose weights are relative to
/// exp(maximum): what another tile adds can be summed to it.
struct RunningSoftmax {
  /// [group, query]
  mlir::Value maxima, sums;
  /// The weighted sum of values, [group, query, size].
  mlir::Value values;
};

/// Reduces `tensor` to `init` over the loops that `map`, from its loops to the
/// indices of `init`, lacks.
template <typename Op>
mlir::Value reduceInto(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                       mlir::Value init, mlir::AffineMap map) {
  auto loops = parallelLoops(map.getNumDims());
  for (unsigned loop = 0; loop < map.getNumDims(); ++loop)
    if (!map.isFunctionOfDim(loop))
      loops[loop] = mlir::utils::IteratorType::reduction;
  return mlir::linalg::GenericOp::create(
             b, init.getType(), tensor, init,
             llvm::ArrayRef<mlir::AffineMap>{
                 b.getMultiDimIdentityMap(map.getNumDims()), map},
             loops,
             [](mlir::OpBuilder &body, mlir::Location loc,
                mlir::ValueRange args) {
               mlir::Value reduced = Op::create(body, loc, args[1], args[0]);
               mlir::linalg::YieldOp::create(body, loc, reduced);
             })
      .getResult(0);
}

/// The body of a loop of products: yields the last of its scalars plus the
/// product of the first two.
void addProduct(mlir::OpBuilder &body, mlir::Location loc,
                mlir::ValueRange scalars);

/// A tile's scores as weights, and what they make of a softmax.
struct WeighedTile {
  mlir::Value weights;
  mlir::Value maxima, sums; ///< of the softmax with the tile
  /// What was weighed by the maxima so far, times this, is weighed by the new;
  /// null if nothing was.
  mlir::Value correction;
};
/// Adds a tile's `scores` to `before`, all in place. `map` is from the loops of
/// scores to those of maxima and sums, which have `sizes`.
WeighedTile weighTile(mlir::ImplicitLocOpBuilder &b,
                      const RunningSoftmax &before, mlir::Value scores,
                      const Sizes &sizes, mlir::AffineMap map);

/// Computes, from its operands' scalars, the product of the last two.
mlir::Value scaleElement(mlir::ImplicitLocOpBuilder &b,
                         mlir::ValueRange indices, mlir::ValueRange scalars);

/// The softmax over the keys `reach`, from `start` on, in tiles of `step` keys.
RunningSoftmax emitKeyLoop(
    mlir::ImplicitLocOpBuilder &b, const KeyRange &reach,
    mlir::OpFoldResult step, const RunningSoftmax &start,
    llvm::function_ref<RunningSoftmax(const RunningSoftmax &, const KeyRange &)>
        emitTile);

/// Emits what is computed for one block.
class BlockEmitter {
public:
  BlockEmitter(mlir::ImplicitLocOpBuilder &b, const AttentionProblem &problem,
               const AttentionSizes &sizes,
               const std::optional<AttentionMask> &mask,
               const QueryBlock &block, mlir::Type type)
      : b(b), problem(problem), sizes(sizes), mask(mask), block(block),
        type(type) {}

  /// The scores for `keys` at `stage`, which is at most Masked: [group, query,
  /// key].
  mlir::Value emitScores(const KeyRange &keys, ScoreStage stage);

  /// The softmax over no keys, but the sinks, if there are any.
  RunningSoftmax emitStart();
  /// The softmax over the keys `reach` and the sinks, in tiles.
  RunningSoftmax emitKeys(const KeyRange &reach);
  /// The softmax over `keys` alone, at once.
  RunningSoftmax emitPart(const KeyRange &keys);
  /// Writes the normalised values to `dest`, the block's part of an output of
  /// this layout.
  mlir::Value emitOutput(const RunningSoftmax &softmax, mlir::Value dest,
                         HeadLayout layout);

  /// Writes the scores for `keys` at `stage` to `dest`, [group, query, key];
  /// sinks have no share in probabilities.
  mlir::Value emitShown(const KeyRange &keys, ScoreStage stage,
                        mlir::Value dest);

  /// Keys or values of the block's batch and head: [key, size].
  mlir::Value sliceKeys(const Heads &heads, const KeyRange &keys,
                        mlir::OpFoldResult size);
  /// The scales of keys or values of the block's batch and head: [key].
  mlir::Value sliceScales(mlir::Value scales, const KeyRange &keys);
  /// The sinks of the block's heads for so many queries: [group, query].
  mlir::Value emitSinks(mlir::OpFoldResult queries);

private:
  Sizes rowSizes();
  BroadcastOperand readScales(mlir::Value scales, const KeyRange &keys);
  mlir::Value emitProducts(const KeyRange &keys);
  /// Adds `keys` to the softmax over keys before them, in its place.
  RunningSoftmax emitTile(const RunningSoftmax &before, const KeyRange &keys);
  /// Weighs scores, [group, query, key], in place; there is no correction.
  WeighedTile weighRows(mlir::Value scores);
  /// Adds the values of `keys` so weighed to `init`.
  mlir::Value addValues(mlir::Value weights, const KeyRange &keys,
                        mlir::Value init);
  mlir::Value emitProbabilities(mlir::Value scores);

  mlir::ImplicitLocOpBuilder &b;
  const AttentionProblem &problem;
  const AttentionSizes &sizes;
  const std::optional<AttentionMask> &mask;
  const QueryBlock &block;
  mlir::Type type;
};

} // namespace tern::onnx

#endif // TERN_LIB_CONVERSION_ONNXTOLINALG_ATTENTIONBLOCK_H
