//===- AttentionBlock.cpp - a block of queries against its keys -----------===//

#include "AttentionBlock.h"
#include "AttentionScores.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace tern::onnx;

// Scores that a tile has, if there are so many: what is computed for them stays
// in the nearest cache.
constexpr int64_t kScoresInTile = 4096;

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

// The loops of the products.
enum LoopDim : unsigned { Group, Query, Key, Inner, LoopCount };

static AffineMap loopMap(OpBuilder &b, ArrayRef<unsigned> dims) {
  return AffineMap::getMultiDimMapWithTargets(LoopCount, dims, b.getContext());
}

static AffineMap queryMap(OpBuilder &b, HeadLayout layout) {
  if (layout == HeadLayout::HeadsFirst)
    return loopMap(b, {Group, Query, Inner});
  return loopMap(b, {Query, Group, Inner});
}

void tern::onnx::addProduct(OpBuilder &body, Location loc, ValueRange scalars) {
  Value product = arith::MulFOp::create(body, loc, scalars[0], scalars[1]);
  Value sum = arith::AddFOp::create(body, loc, scalars[2], product);
  linalg::YieldOp::create(body, loc, sum);
}

// Adds to `init` the products of two operands, summed over `reduced`.
static Value contract(ImplicitLocOpBuilder &b, BroadcastOperand lhs,
                      BroadcastOperand rhs, Value init, AffineMap map,
                      LoopDim reduced) {
  Type type = cast<RankedTensorType>(init.getType()).getElementType();
  SmallVector<utils::IteratorType> loops = parallelLoops(LoopCount);
  loops[reduced] = utils::IteratorType::reduction;
  return linalg::GenericOp::create(
             b, init.getType(), ValueRange{lhs.tensor, rhs.tensor}, init,
             ArrayRef<AffineMap>{lhs.map, rhs.map, map}, loops,
             [&](OpBuilder &builder, Location loc, ValueRange args) {
               ImplicitLocOpBuilder body(loc, builder);
               Value product =
                   arith::MulFOp::create(body, toFloat(body, args[0], type),
                                         toFloat(body, args[1], type));
               Value sum = arith::AddFOp::create(body, args[2], product);
               linalg::YieldOp::create(body, sum);
             })
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

static HeadSlice sliceOfHeads(ImplicitLocOpBuilder &b, HeadLayout layout,
                              Value batch, OpFoldResult firstHead,
                              int64_t heads, OpFoldResult first,
                              OpFoldResult count, OpFoldResult size) {
  HeadSlice slice{{batch, firstHead, first, b.getIndexAttr(0)},
                  {b.getIndexAttr(1), b.getIndexAttr(heads), count, size}};
  if (layout == HeadLayout::HeadsLast) {
    std::swap(slice.offsets[1], slice.offsets[2]);
    std::swap(slice.sizes[1], slice.sizes[2]);
  }
  return slice;
}

static OpFoldResult firstHead(ImplicitLocOpBuilder &b,
                              const AttentionSizes &sizes,
                              const QueryBlock &block) {
  return multiplySizes(b, block.kvHead, b.getIndexAttr(sizes.groups));
}

HeadSlice tern::onnx::sliceOfQueries(ImplicitLocOpBuilder &b, HeadLayout layout,
                                     const AttentionSizes &sizes,
                                     const QueryBlock &block,
                                     OpFoldResult size) {
  return sliceOfHeads(b, layout, block.batch, firstHead(b, sizes, block),
                      sizes.groups, block.first, block.count, size);
}

Value tern::onnx::sliceHeads(ImplicitLocOpBuilder &b, Value tensor,
                             const HeadSlice &slice,
                             ArrayRef<int64_t> dropped) {
  Sizes kept;
  for (auto [dim, size] : llvm::enumerate(slice.sizes))
    if (!llvm::is_contained(dropped, static_cast<int64_t>(dim)))
      kept.push_back(size);
  Type type = cast<RankedTensorType>(tensor.getType()).getElementType();
  return tensor::ExtractSliceOp::create(
      b, typeWithSizes(kept, type), tensor, slice.offsets, slice.sizes,
      Sizes(slice.sizes.size(), b.getIndexAttr(1)));
}

Value BlockEmitter::sliceKeys(const Heads &heads, const KeyRange &keys,
                              OpFoldResult size) {
  HeadSlice slice =
      sliceOfHeads(b, heads.layout, block.batch, OpFoldResult(block.kvHead),
                   /*heads=*/1, keys.first, keys.count, size);
  return sliceHeads(b, heads.tensor, slice, {0, heads.headDim()});
}

Value BlockEmitter::sliceScales(Value scales, const KeyRange &keys) {
  HeadSlice slice{{block.batch, block.kvHead, keys.first},
                  {b.getIndexAttr(1), b.getIndexAttr(1), keys.count}};
  return sliceHeads(b, scales, slice, {0, 1});
}

// The same for loops over [group, query, key].
BroadcastOperand BlockEmitter::readScales(Value scales, const KeyRange &keys) {
  return {sliceScales(scales, keys),
          AffineMap::get(3, 0, b.getAffineDimExpr(2))};
}

Sizes BlockEmitter::rowSizes() {
  return {b.getIndexAttr(sizes.groups), block.count};
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

// `score` with a float mask added, or minus infinity where a mask of i1, or
// `reached`, which may be null, forbids it.
static Value maskScore(ImplicitLocOpBuilder &b, Value score, Value mask,
                       Value reached) {
  Type type = score.getType();
  if (mask && isa<FloatType>(mask.getType())) {
    score = arith::AddFOp::create(b, score, convertFloat(b, mask, type));
  } else if (mask) {
    reached =
        reached ? arith::AndIOp::create(b, reached, mask).getResult() : mask;
  }
  if (!reached)
    return score;
  return arith::SelectOp::create(b, reached, score, negativeInfinity(b, type));
}

Value BlockEmitter::emitProducts(const KeyRange &keys) {
  Sizes scoreSizes = rowSizes();
  scoreSizes.push_back(keys.count);
  Value zeros = filledTensor(b, scoreSizes, scalarConstant(b, type, 0));
  HeadSlice queries =
      sliceOfQueries(b, problem.query.layout, sizes, block, sizes.size);
  return contract(
      b,
      {sliceHeads(b, problem.query.tensor, queries, {0}),
       queryMap(b, problem.query.layout)},
      {sliceKeys(problem.key, keys, sizes.size), loopMap(b, {Key, Inner})},
      zeros, loopMap(b, {Group, Query, Key}), Inner);
}

Value BlockEmitter::emitScores(const KeyRange &keys, ScoreStage stage) {
  bool isMasked = stage >= ScoreStage::Masked;
  SmallVector<BroadcastOperand> operands;
  if (problem.keyScales)
    operands.push_back(readScales(problem.keyScales, keys));
  if (isMasked && mask)
    operands.push_back(sliceMask(b, *mask, sizes, block, keys));
  Value products = emitProducts(keys);
  return update(
      b, products, operands,
      [&](ImplicitLocOpBuilder &body, ValueRange indices, ValueRange scalars) {
        Value score =
            scoreProduct(body, problem, scalars.back(),
                         problem.keyScales ? scalars[0] : Value(), stage);
        if (!isMasked)
          return score;
        Value reached =
            isInReach(body, problem, block, keys, indices[1], indices[2]);
        return maskScore(body, score,
                         mask ? scalars.drop_back().back() : Value(), reached);
      });
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

Value BlockEmitter::emitSinks(OpFoldResult queries) {
  HeadSlice slice{{firstHead(b, sizes, block)}, {b.getIndexAttr(sizes.groups)}};
  BroadcastOperand sinks{sliceHeads(b, problem.sinks, slice, {}),
                         b.getMultiDimIdentityMap(2).getMajorSubMap(1)};
  return generate(
      b, {b.getIndexAttr(sizes.groups), queries}, type, sinks,
      [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) {
        return convertFloat(body, scalars[0], type);
      });
}

// A sink is a first score, of weight 1 and of no value.
RunningSoftmax BlockEmitter::emitStart() {
  auto fill = [&](const Sizes &sizes, double value) {
    return filledTensor(b, sizes, scalarConstant(b, type, value));
  };
  Sizes valueSizes = rowSizes();
  valueSizes.push_back(sizes.valueSize);
  Value values = fill(valueSizes, 0);
  if (problem.sinks)
    return {emitSinks(block.count), fill(rowSizes(), 1), values};
  return {fill(rowSizes(), -std::numeric_limits<double>::infinity()),
          fill(rowSizes(), 0), values};
}

WeighedTile tern::onnx::weighTile(ImplicitLocOpBuilder &b,
                                  const RunningSoftmax &before, Value scores,
                                  const Sizes &sizes, AffineMap map) {
  Type type = cast<RankedTensorType>(scores.getType()).getElementType();
  AffineMap rows = b.getMultiDimIdentityMap(map.getNumResults());
  Value tileMaxima = reduceInto<arith::MaximumFOp>(
      b, scores, filledTensor(b, sizes, negativeInfinity(b, type)), map);
  WeighedTile tile;
  tile.correction =
      generate(b, sizes, type, {{before.maxima, rows}, {tileMaxima, rows}},
               [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) {
                 Value maximum =
                     arith::MaximumFOp::create(body, scalars[0], scalars[1]);
                 return weigh(body, scalars[0], maximum);
               });
  tile.maxima = update(
      b, before.maxima, BroadcastOperand{tileMaxima, rows},
      [](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) -> Value {
        return arith::MaximumFOp::create(body, scalars[1], scalars[0]);
      });
  tile.weights =
      update(b, scores, BroadcastOperand{tile.maxima, map},
             [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) {
               return weigh(body, scalars[1], scalars[0]);
             });
  tile.sums = reduceInto<arith::AddFOp>(
      b, tile.weights,
      update(b, before.sums, BroadcastOperand{tile.correction, rows},
             scaleElement),
      map);
  return tile;
}

Value tern::onnx::scaleElement(ImplicitLocOpBuilder &b, ValueRange,
                               ValueRange scalars) {
  Value scale = convertFloat(b, scalars[0], scalars[1].getType());
  return arith::MulFOp::create(b, scalars[1], scale);
}

RunningSoftmax tern::onnx::emitKeyLoop(
    ImplicitLocOpBuilder &b, const KeyRange &reach, OpFoldResult step,
    const RunningSoftmax &start,
    function_ref<RunningSoftmax(const RunningSoftmax &, const KeyRange &)>
        emitTile) {
  OpFoldResult end = addSizes(b, reach.first, reach.count);
  auto loop = scf::ForOp::create(
      b, indexValue(b, reach.first), indexValue(b, end), indexValue(b, step),
      ValueRange{start.maxima, start.sums, start.values});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  OpFoldResult first = loop.getInductionVar();
  KeyRange keys{first, minIndex(b, step, subtractSizes(b, end, first))};
  ValueRange carried = loop.getRegionIterArgs();
  RunningSoftmax after = emitTile({carried[0], carried[1], carried[2]}, keys);
  scf::YieldOp::create(b, ValueRange{after.maxima, after.sums, after.values});
  return {loop.getResult(0), loop.getResult(1), loop.getResult(2)};
}

Value BlockEmitter::addValues(Value weights, const KeyRange &keys, Value init) {
  if (problem.valueScales)
    weights =
        update(b, weights, readScales(problem.valueScales, keys), scaleElement);
  return contract(b, {weights, loopMap(b, {Group, Query, Key})},
                  {sliceKeys(problem.value, keys, sizes.valueSize),
                   loopMap(b, {Key, Inner})},
                  init, loopMap(b, {Group, Query, Inner}), Key);
}

RunningSoftmax BlockEmitter::emitTile(const RunningSoftmax &before,
                                      const KeyRange &keys) {
  AffineMap rowsOf3 = b.getMultiDimIdentityMap(3).getMajorSubMap(2);
  WeighedTile tile = weighTile(b, before, emitScores(keys, ScoreStage::Masked),
                               rowSizes(), rowsOf3);
  Value values =
      update(b, before.values, BroadcastOperand{tile.correction, rowsOf3},
             scaleElement);
  return {tile.maxima, tile.sums, addValues(tile.weights, keys, values)};
}

// As weighTile, of scores that nothing comes before.
WeighedTile BlockEmitter::weighRows(Value scores) {
  AffineMap rows = b.getMultiDimIdentityMap(3).getMajorSubMap(2);
  WeighedTile all;
  all.maxima = reduceInto<arith::MaximumFOp>(
      b, scores, filledTensor(b, rowSizes(), negativeInfinity(b, type)), rows);
  all.weights =
      update(b, scores, BroadcastOperand{all.maxima, rows},
             [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) {
               return weigh(body, scalars[1], scalars[0]);
             });
  all.sums = reduceInto<arith::AddFOp>(
      b, all.weights, filledTensor(b, rowSizes(), scalarConstant(b, type, 0)),
      rows);
  return all;
}

RunningSoftmax BlockEmitter::emitPart(const KeyRange &keys) {
  WeighedTile all = weighRows(emitScores(keys, ScoreStage::Masked));
  Sizes valueSizes = rowSizes();
  valueSizes.push_back(sizes.valueSize);
  Value zeros = filledTensor(b, valueSizes, scalarConstant(b, type, 0));
  return {all.maxima, all.sums, addValues(all.weights, keys, zeros)};
}

RunningSoftmax BlockEmitter::emitKeys(const KeyRange &reach) {
  OpFoldResult rows =
      multiplySizes(b, block.count, b.getIndexAttr(sizes.groups));
  OpFoldResult step = ceilDivide(b, b.getIndexAttr(kScoresInTile), rows);
  return emitKeyLoop(b, reach, step, emitStart(),
                     [&](const RunningSoftmax &before, const KeyRange &keys) {
                       return emitTile(before, keys);
                     });
}

// `values` over their row's sum, in the type and layout of `dest`. A row that
// is masked altogether gives zeros: its sum counts as 1; no other is smaller,
// as the greatest weight is 1. So there is an inverse, and one division a row.
Value BlockEmitter::emitOutput(const RunningSoftmax &softmax, Value dest,
                               HeadLayout layout) {
  Type destType = cast<RankedTensorType>(dest.getType()).getElementType();
  AffineMap map = b.getMultiDimIdentityMap(3), destMap = map;
  if (layout == HeadLayout::HeadsLast)
    destMap = AffineMap::getPermutationMap(ArrayRef<unsigned>{1, 0, 2},
                                           b.getContext());
  Value inverses = generate(
      b, rowSizes(), type,
      BroadcastOperand{softmax.sums, b.getMultiDimIdentityMap(2)},
      [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) -> Value {
        Value sum =
            replaceFloat(body, scalars[0], scalarConstant(body, type, 0), 1);
        return arith::DivFOp::create(body, scalarConstant(body, type, 1), sum);
      });
  return linalg::GenericOp::create(
             b, dest.getType(), ValueRange{softmax.values, inverses}, dest,
             ArrayRef<AffineMap>{map, map.getMajorSubMap(2), destMap},
             parallelLoops(3),
             [&](OpBuilder &builder, Location loc, ValueRange args) {
               ImplicitLocOpBuilder body(loc, builder);
               Value value = arith::MulFOp::create(body, args[0], args[1]);
               linalg::YieldOp::create(body,
                                       convertFloat(body, value, destType));
             })
      .getResult(0);
}

Value BlockEmitter::emitProbabilities(Value scores) {
  AffineMap rows = b.getMultiDimIdentityMap(3).getMajorSubMap(2);
  WeighedTile all = weighRows(scores);
  return update(
      b, all.weights, BroadcastOperand{all.sums, rows},
      [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) -> Value {
        Value sum =
            replaceFloat(body, scalars[0], scalarConstant(body, type, 0), 1);
        return arith::DivFOp::create(body, scalars[1], sum);
      });
}

Value BlockEmitter::emitShown(const KeyRange &keys, ScoreStage stage,
                              Value dest) {
  Value scores = emitScores(keys, stage);
  if (stage == ScoreStage::Probabilities)
    scores = emitProbabilities(scores);
  Type destType = cast<RankedTensorType>(dest.getType()).getElementType();
  AffineMap map = b.getMultiDimIdentityMap(3);
  return linalg::GenericOp::create(
             b, dest.getType(), scores, dest, ArrayRef<AffineMap>{map, map},
             parallelLoops(3),
             [&](OpBuilder &builder, Location loc, ValueRange args) {
               ImplicitLocOpBuilder body(loc, builder);
               linalg::YieldOp::create(body,
                                       convertFloat(body, args[0], destType));
             })
      .getResult(0);
}
