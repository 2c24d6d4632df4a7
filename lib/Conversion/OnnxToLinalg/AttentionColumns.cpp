//===- AttentionColumns.cpp - a block with queries side by side -----------===//

#include "AttentionColumns.h"
#include "AttentionScores.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <limits>
#include <numeric>

using namespace mlir;
using namespace tern::onnx;

// Columns of a block (a query of one head is one): enough that a key, once
// read, serves many; few enough for many threads.
constexpr int64_t kColumnsInBlock = 64;
// The most lanes of f32 that a vector has.
constexpr int64_t kMostLanes = 16;
// Keys of a tile: with them and the columns, a tile's products stay in the
// nearest caches. A multiple of the rows of the tiles that sums are computed
// in.
constexpr int64_t kKeysInTile = 60;

int64_t tern::onnx::getQueriesInBlock(int64_t groups) {
  int64_t queries = std::max<int64_t>(1, kColumnsInBlock / groups);
  int64_t unit = kMostLanes / std::gcd(kMostLanes, groups);
  if (groups > kMostLanes)
    return queries;
  return std::max(unit, queries / unit * unit);
}

bool tern::onnx::canBeColumns(const AttentionProblem &problem,
                              const AttentionSizes &sizes, Type type) {
  return type.isF32() && !problem.mask && getConstantIntValue(sizes.size) &&
         getConstantIntValue(sizes.valueSize);
}

namespace {
/// Emits one block. Columns are [group, query] in one dimension, where groups
/// have all the queries that a block may have; those that it lacks are zeros.
class ColumnEmitter {
public:
  ColumnEmitter(ImplicitLocOpBuilder &b, const AttentionProblem &problem,
                const AttentionSizes &sizes, const QueryBlock &block,
                BlockEmitter &rows)
      : b(b), problem(problem), sizes(sizes), block(block), rows(rows),
        type(b.getF32Type()), queries(getQueriesInBlock(sizes.groups)),
        columns(sizes.groups * queries) {}

  Value emit(Value dest);

private:
  /// Tensors that each tile of keys is computed in.
  struct Buffers {
    /// [key, column], and keys and values in f32: [key, size].
    Value scores, keys, values;
  };

  Value emptyOf(ArrayRef<int64_t> shape) {
    return tensor::EmptyOp::create(b, shape, type);
  }
  Value filled(ArrayRef<int64_t> shape, double value) {
    return linalg::FillOp::create(b, scalarConstant(b, type, value),
                                  emptyOf(shape))
        .getResult(0);
  }
  AffineMap mapOf(unsigned loops, ArrayRef<unsigned> dims) {
    return AffineMap::getMultiDimMapWithTargets(loops, dims, b.getContext());
  }
  /// `tensor`, [column, ...], as [group, query, ...] of the block's queries.
  Value splitColumns(Value tensor);

  /// The block's queries, [size, column].
  Value emitQueries();
  RunningSoftmax emitStart();
  RunningSoftmax emitKeyLoop(Value transposed);
  RunningSoftmax emitTile(const RunningSoftmax &before, const KeyRange &keys,
                          Value transposed, const Buffers &buffers);

  /// `heads` of `keys` in f32, [key, size]: where they are, or in `buffer`.
  Value readKeys(const Heads &heads, const KeyRange &keys, OpFoldResult size,
                 Value buffer);
  /// Adds to `init` the products of `lhs` and `rhs`, over (row, column, sum).
  Value contract(BroadcastOperand lhs, BroadcastOperand rhs, Value init);
  /// Combines the keys of `tensor`, [key, column], with `init`, [column].
  template <typename Op>
  Value reduceKeys(Value tensor, Value init);
  /// Scores, [key, column], in `buffer`.
  Value emitScores(const KeyRange &keys, Value transposed,
                   const Buffers &buffers);
  /// `scores`, minus infinity where positions forbid them.
  Value maskScores(Value scores, const KeyRange &keys);
  /// Whether each of the block's queries reaches all of `keys`; null for
  /// always.
  Value areAllInReach(const KeyRange &keys);

  ImplicitLocOpBuilder &b;
  const AttentionProblem &problem;
  const AttentionSizes &sizes;
  const QueryBlock &block;
  BlockEmitter &rows;
  FloatType type;
  const int64_t queries, columns;
};
} // namespace

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

Value ColumnEmitter::emitQueries() {
  int64_t size = *getConstantIntValue(sizes.size);
  Value zeros = filled({size, sizes.groups, queries}, 0);
  Sizes present{sizes.size, b.getIndexAttr(sizes.groups), block.count};
  Sizes origin(3, b.getIndexAttr(0));
  HeadSlice slice =
      sliceOfQueries(b, problem.query.layout, sizes, block, sizes.size);
  AffineMap read = problem.query.layout == HeadLayout::HeadsFirst
                       ? mapOf(3, {1, 2, 0})
                       : mapOf(3, {2, 1, 0});
  Value transposed = update(
      b, sliceOf(b, zeros, origin, present),
      BroadcastOperand{sliceHeads(b, problem.query.tensor, slice, {0}), read},
      [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) {
        return convertFloat(body, scalars[0], type);
      });
  return tensor::CollapseShapeOp::create(
      b, insertInto(b, transposed, zeros, origin),
      ArrayRef<ReassociationIndices>{{0}, {1, 2}});
}

Value ColumnEmitter::splitColumns(Value tensor) {
  auto old = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> shape{sizes.groups, queries};
  llvm::append_range(shape, old.getShape().drop_front());
  SmallVector<ReassociationIndices> groups{{0, 1}};
  for (int64_t dim = 2; dim <= old.getRank(); ++dim)
    groups.push_back({dim});
  Value split = tensor::ExpandShapeOp::create(
      b, RankedTensorType::get(shape, type), tensor, groups);
  Sizes present = sizesOf(b, split);
  present[1] = block.count;
  return sliceOf(b, split, Sizes(present.size(), b.getIndexAttr(0)), present);
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

Value ColumnEmitter::readKeys(const Heads &heads, const KeyRange &keys,
                              OpFoldResult size, Value buffer) {
  Value slice = rows.sliceKeys(heads, keys, size);
  if (heads.elementType() == type)
    return slice;
  Value part = sliceAlong(b, buffer, 0, b.getIndexAttr(0), keys.count);
  return update(
      b, part, BroadcastOperand{slice, b.getMultiDimIdentityMap(2)},
      [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) {
        return toFloat(body, scalars[0], type);
      });
}

Value ColumnEmitter::contract(BroadcastOperand lhs, BroadcastOperand rhs,
                              Value init) {
  SmallVector<utils::IteratorType> loops = parallelLoops(3);
  loops.back() = utils::IteratorType::reduction;
  return linalg::GenericOp::create(
             b, init.getType(), ValueRange{lhs.tensor, rhs.tensor}, init,
             ArrayRef<AffineMap>{lhs.map, rhs.map, mapOf(3, {0, 1})}, loops,
             addProduct)
      .getResult(0);
}

Value ColumnEmitter::areAllInReach(const KeyRange &keys) {
  using Predicate = arith::CmpIPredicate;
  OpFoldResult last =
      subtractSizes(b, addSizes(b, keys.first, keys.count), b.getIndexAttr(1));
  Value all;
  auto require = [&](Predicate predicate, OpFoldResult lhs, OpFoldResult rhs) {
    Value holds = arith::CmpIOp::create(b, predicate, indexValue(b, lhs),
                                        indexValue(b, rhs));
    all = all ? arith::AndIOp::create(b, all, holds).getResult() : holds;
  };
  if (problem.isCausal)
    require(Predicate::sle, last, block.position);
  if (problem.rightWindow >= 0)
    require(Predicate::sle, last,
            addSizes(b, block.position, b.getIndexAttr(problem.rightWindow)));
  if (problem.leftWindow >= 0)
    require(Predicate::sle,
            subtractSizes(b, addSizes(b, block.position, block.count),
                          addSizes(b, b.getIndexAttr(problem.leftWindow),
                                   b.getIndexAttr(1))),
            keys.first);
  return all;
}

Value ColumnEmitter::maskScores(Value scores, const KeyRange &keys) {
  Value all = areAllInReach(keys);
  if (!all)
    return scores;
  auto choice = scf::IfOp::create(b, scores.getType(), all, /*withElse=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(b, scores);
  b.setInsertionPointToStart(choice.elseBlock());
  Value masked = update(
      b, scores, {},
      [&](ImplicitLocOpBuilder &body, ValueRange indices, ValueRange scalars) {
        Value query = arith::RemUIOp::create(
            body, indices[1], arith::ConstantIndexOp::create(body, queries));
        Value reached =
            isInReach(body, problem, block, keys, query, indices[0]);
        return arith::SelectOp::create(body, reached, scalars[0],
                                       negativeInfinity(body, type))
            .getResult();
      });
  scf::YieldOp::create(b, masked);
  return choice.getResult(0);
}

Value ColumnEmitter::emitScores(const KeyRange &keys, Value transposed,
                                const Buffers &buffers) {
  Value part = sliceAlong(b, buffers.scores, 0, b.getIndexAttr(0), keys.count);
  Value zeros =
      linalg::FillOp::create(b, scalarConstant(b, type, 0), part).getResult(0);
  Value products = contract(
      {readKeys(problem.key, keys, sizes.size, buffers.keys), mapOf(3, {0, 2})},
      {transposed, mapOf(3, {2, 1})}, zeros);
  SmallVector<BroadcastOperand> operands;
  if (problem.keyScales)
    operands.push_back(
        {rows.sliceScales(problem.keyScales, keys), mapOf(2, {0})});
  Value scores =
      update(b, products, operands,
             [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) {
               return scoreProduct(body, problem, scalars.back(),
                                   problem.keyScales ? scalars[0] : Value(),
                                   ScoreStage::Capped);
             });
  return maskScores(scores, keys);
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

RunningSoftmax ColumnEmitter::emitStart() {
  Value values = filled({columns, *getConstantIntValue(sizes.valueSize)}, 0);
  if (!problem.sinks)
    return {filled({columns}, -std::numeric_limits<double>::infinity()),
            filled({columns}, 0), values};
  Value sinks = tensor::CollapseShapeOp::create(
      b, rows.emitSinks(b.getIndexAttr(queries)),
      ArrayRef<ReassociationIndices>{{0, 1}});
  return {sinks, filled({columns}, 1), values};
}

RunningSoftmax ColumnEmitter::emitTile(const RunningSoftmax &before,
                                       const KeyRange &keys, Value transposed,
                                       const Buffers &buffers) {
  AffineMap ofRow = mapOf(2, {0});
  WeighedTile tile = weighTile(b, before, emitScores(keys, transposed, buffers),
                               {b.getIndexAttr(columns)}, mapOf(2, {1}));
  RunningSoftmax after{tile.maxima, tile.sums, {}};
  Value weights = tile.weights;
  if (problem.valueScales)
    weights = update(
        b, weights,
        BroadcastOperand{rows.sliceScales(problem.valueScales, keys), ofRow},
        scaleElement);
  after.values =
      contract({weights, mapOf(3, {2, 0})},
               {readKeys(problem.value, keys, sizes.valueSize, buffers.values),
                mapOf(3, {2, 1})},
               update(b, before.values,
                      BroadcastOperand{tile.correction, ofRow}, scaleElement));
  return after;
}

RunningSoftmax ColumnEmitter::emitKeyLoop(Value transposed) {
  KeyRange reach = reachOf(b, problem, block);
  RunningSoftmax start = emitStart();
  Buffers buffers{
      emptyOf({kKeysInTile, columns}),
      emptyOf({kKeysInTile, *getConstantIntValue(sizes.size)}),
      emptyOf({kKeysInTile, *getConstantIntValue(sizes.valueSize)})};
  return tern::onnx::emitKeyLoop(
      b, reach, b.getIndexAttr(kKeysInTile), start,
      [&](const RunningSoftmax &before, const KeyRange &keys) {
        return emitTile(before, keys, transposed, buffers);
      });
}

Value ColumnEmitter::emit(Value dest) {
  RunningSoftmax softmax = emitKeyLoop(emitQueries());
  return rows.emitOutput({splitColumns(softmax.maxima),
                          splitColumns(softmax.sums),
                          splitColumns(softmax.values)},
                         dest, problem.query.layout);
}

Value tern::onnx::emitColumns(ImplicitLocOpBuilder &b,
                              const AttentionProblem &problem,
                              const AttentionSizes &sizes,
                              const QueryBlock &block, BlockEmitter &rows,
                              Value dest) {
  return ColumnEmitter(b, problem, sizes, block, rows).emit(dest);
}
