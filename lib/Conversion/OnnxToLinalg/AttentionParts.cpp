//===- AttentionParts.cpp - few queries, their keys in parts --------------===//

#include "AttentionParts.h"
#include "AttentionScores.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tern::onnx;

namespace {
/// Emits two loops that threads share: over the parts of all heads of keys, and
/// over the heads, whose parts are put together.
class PartsEmitter {
public:
  PartsEmitter(ImplicitLocOpBuilder &b, const AttentionProblem &problem,
               const AttentionSizes &sizes,
               const std::optional<AttentionMask> &mask, Type type,
               HeadBlockFn emitBlock)
      : b(b), problem(problem), sizes(sizes), mask(mask), type(type),
        emitBlock(emitBlock),
        heads(multiplySizes(b, sizes.batch, b.getIndexAttr(sizes.kvHeads))),
        parts(ceilDivide(b, sizes.keys, b.getIndexAttr(kKeysInPart))) {}

  Value emit(Value dest);

private:
  OpFoldResult zero() { return b.getIndexAttr(0); }
  /// Offsets or sizes of `first`, and then of whole [group, query, size] or
  /// [group, query].
  Sizes offsetsOf(OpFoldResult first, bool areValues);
  Sizes sizesOf(OpFoldResult first, bool areValues);

  /// The softmaxes of all parts: [head and part, group, query].
  RunningSoftmax emitSoftmaxes();
  RunningSoftmax emitPart(const QueryBlock &block, Value part);
  /// Puts together the parts of a block, [part, group, query].
  RunningSoftmax combine(BlockEmitter &emitter, const RunningSoftmax &parts);
  void emitInsertions(scf::ForallOp loop, ValueRange results, Value unit);

  ImplicitLocOpBuilder &b;
  const AttentionProblem &problem;
  const AttentionSizes &sizes;
  const std::optional<AttentionMask> &mask;
  Type type;
  HeadBlockFn emitBlock;
  /// The heads of keys of all batches, and the parts that each has.
  OpFoldResult heads, parts;
};
} // namespace

Sizes PartsEmitter::offsetsOf(OpFoldResult first, bool areValues) {
  return areValues ? Sizes{first, zero(), zero(), zero()}
                   : Sizes{first, zero(), zero()};
}

Sizes PartsEmitter::sizesOf(OpFoldResult first, bool areValues) {
  Sizes result{first, b.getIndexAttr(sizes.groups), sizes.queries};
  if (areValues)
    result.push_back(sizes.valueSize);
  return result;
}

RunningSoftmax PartsEmitter::emitPart(const QueryBlock &block, Value part) {
  KeyRange reach = reachOf(b, problem, block);
  OpFoldResult keys = b.getIndexAttr(kKeysInPart);
  OpFoldResult begin = multiplySizes(b, OpFoldResult(part), keys);
  OpFoldResult end = minIndex(b, addSizes(b, begin, keys),
                              addSizes(b, reach.first, reach.count));
  begin = maxIndex(b, begin, reach.first);
  KeyRange own{begin, maxIndex(b, subtractSizes(b, end, begin), zero())};
  BlockEmitter emitter(b, problem, sizes, mask, block, type);
  return emitter.emitPart(own);
}

void PartsEmitter::emitInsertions(scf::ForallOp loop, ValueRange results,
                                  Value unit) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(loop.getTerminator().getBody());
  for (auto [result, dest] : llvm::zip(results, loop.getRegionIterArgs())) {
    auto destType = cast<RankedTensorType>(dest.getType());
    bool areValues = destType.getRank() == 4;
    tensor::ParallelInsertSliceOp::create(
        b, result, dest, offsetsOf(unit, areValues),
        sizesOf(b.getIndexAttr(1), areValues),
        Sizes(destType.getRank(), b.getIndexAttr(1)));
  }
}

RunningSoftmax PartsEmitter::emitSoftmaxes() {
  OpFoldResult units = multiplySizes(b, heads, parts);
  SmallVector<Value> results;
  for (bool areValues : {false, false, true})
    results.push_back(emptyTensor(b, sizesOf(units, areValues), type));
  auto loop = scf::ForallOp::create(b, Sizes{units}, results, std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value unit = loop.getInductionVar(0);
  Value count = indexValue(b, parts);
  Value head = b.createOrFold<arith::DivUIOp>(unit, count);
  Value part = b.createOrFold<arith::RemUIOp>(unit, count);
  RunningSoftmax own = emitPart(emitBlock(head), part);
  emitInsertions(loop, {own.maxima, own.sums, own.values}, unit);
  return {loop.getResult(0), loop.getResult(1), loop.getResult(2)};
}

// Sums to `init` the products of weights, [part, group, query], and what has
// one dimension more or as many.
static Value addWeighed(ImplicitLocOpBuilder &b, Value weights, Value parts,
                        Value init) {
  int64_t rank = cast<RankedTensorType>(parts.getType()).getRank();
  AffineMap all = b.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> loops = parallelLoops(rank);
  loops.front() = utils::IteratorType::reduction;
  return linalg::GenericOp::create(
             b, init.getType(), ValueRange{weights, parts}, init,
             ArrayRef<AffineMap>{all.getMajorSubMap(3), all,
                                 all.getMinorSubMap(rank - 1)},
             loops, addProduct)
      .getResult(0);
}

// What a part weighed by its own maximum is weighed by the greatest of all. The
// sinks are in the start.
RunningSoftmax PartsEmitter::combine(BlockEmitter &emitter,
                                     const RunningSoftmax &parts) {
  RunningSoftmax start = emitter.emitStart();
  AffineMap all = b.getMultiDimIdentityMap(3);
  AffineMap rows = all.getMinorSubMap(2);
  AffineMap own = b.getMultiDimIdentityMap(2);
  auto reweigh = [](ImplicitLocOpBuilder &body, ValueRange,
                    ValueRange scalars) {
    return weigh(body, scalars[0], scalars[1]);
  };
  RunningSoftmax result;
  result.maxima =
      reduceInto<arith::MaximumFOp>(b, parts.maxima, start.maxima, rows);
  Value weights =
      generate(b, tern::onnx::sizesOf(b, parts.maxima), type,
               {{parts.maxima, all}, {result.maxima, rows}}, reweigh);
  Value sums = start.sums;
  if (problem.sinks) {
    Value ofSinks =
        generate(b, tern::onnx::sizesOf(b, start.maxima), type,
                 {{start.maxima, own}, {result.maxima, own}}, reweigh);
    sums = update(b, sums, BroadcastOperand{ofSinks, own}, scaleElement);
  }
  result.sums = addWeighed(b, weights, parts.sums, sums);
  result.values = addWeighed(b, weights, parts.values, start.values);
  return result;
}

Value PartsEmitter::emit(Value dest) {
  RunningSoftmax softmaxes = emitSoftmaxes();
  auto loop = scf::ForallOp::create(b, Sizes{heads}, dest, std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value head = loop.getInductionVar(0);
  QueryBlock block = emitBlock(head);
  BlockEmitter emitter(b, problem, sizes, mask, block, type);
  OpFoldResult first = multiplySizes(b, OpFoldResult(head), parts);
  auto partsOf = [&](Value tensor, bool areValues) {
    return sliceOf(b, tensor, offsetsOf(first, areValues),
                   sizesOf(parts, areValues));
  };
  RunningSoftmax softmax = combine(emitter, {partsOf(softmaxes.maxima, false),
                                             partsOf(softmaxes.sums, false),
                                             partsOf(softmaxes.values, true)});
  Value out = loop.getRegionIterArgs()[0];
  HeadSlice slice =
      sliceOfQueries(b, problem.query.layout, sizes, block, sizes.valueSize);
  Value values = emitter.emitOutput(softmax, sliceHeads(b, out, slice, {0}),
                                    problem.query.layout);
  b.setInsertionPointToEnd(loop.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(
      b, values, out, slice.offsets, slice.sizes,
      Sizes(slice.sizes.size(), b.getIndexAttr(1)));
  return loop.getResult(0);
}

Value tern::onnx::emitParts(ImplicitLocOpBuilder &b,
                            const AttentionProblem &problem,
                            const AttentionSizes &sizes,
                            const std::optional<AttentionMask> &mask, Type type,
                            HeadBlockFn emitBlock, Value dest) {
  return PartsEmitter(b, problem, sizes, mask, type, emitBlock).emit(dest);
}
