//===- AttentionCore.cpp - what attention operators share -----------------===//

#include "AttentionCore.h"
#include "AttentionColumns.h"
#include "AttentionParts.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <limits>

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

// The importer only checks that types agree. Keys and values may be codes of
// ours, which have scales.
static LogicalResult checkFloats(LoweringContext &ctx,
                                 const AttentionProblem &problem) {
  auto isFloat = [](const Heads &heads) {
    return isa<FloatType>(heads.elementType());
  };
  if (isFloat(problem.query) && (problem.keyScales || isFloat(problem.key)) &&
      (problem.valueScales || isFloat(problem.value)))
    return success();
  return ctx.error() << "found queries of type "
                     << problem.query.tensor.getType() << ", keys of type "
                     << problem.key.tensor.getType() << " and values of type "
                     << problem.value.tensor.getType() << "; expected floats";
}

static FailureOr<AttentionSizes> checkSizes(LoweringContext &ctx,
                                            const AttentionProblem &problem) {
  ImplicitLocOpBuilder &b = ctx.b;
  auto dim = [&](const Heads &heads, int64_t index) {
    return sizeOf(b, heads.tensor, index);
  };
  const auto &[query, key, value] =
      std::tie(problem.query, problem.key, problem.value);
  std::optional<int64_t> queryHeads =
      getConstantIntValue(dim(query, query.headDim()));
  std::optional<int64_t> kvHeads = getConstantIntValue(dim(key, key.headDim()));
  if (!queryHeads || !kvHeads || *queryHeads == 0 || *kvHeads == 0 ||
      *queryHeads % *kvHeads != 0)
    return ctx.error() << "found queries of type " << query.tensor.getType()
                       << " and keys of type " << key.tensor.getType()
                       << "; expected static numbers of heads above 0, the "
                          "first a multiple of the second";
  AttentionSizes sizes{dim(query, 0),
                       dim(query, query.sequenceDim()),
                       dim(key, key.sequenceDim()),
                       dim(query, 3),
                       dim(value, 3),
                       *kvHeads,
                       *queryHeads / *kvHeads};
  auto same = [&](OpFoldResult lhs, OpFoldResult rhs, StringRef message) {
    return succeeded(checkSameSize(ctx, lhs, rhs, message));
  };
  if (!same(sizes.batch, dim(key, 0), "queries and keys differ in the batch") ||
      !same(sizes.batch, dim(value, 0),
            "queries and values differ in the batch") ||
      !same(dim(key, key.headDim()), dim(value, value.headDim()),
            "keys and values differ in the heads") ||
      !same(sizes.keys, dim(value, value.sequenceDim()),
            "keys and values differ in number") ||
      !same(sizes.size, dim(key, 3), "queries and keys differ in size"))
    return failure();
  return sizes;
}

// Checks that `tensor`, which may be null, holds an integer for each batch.
static LogicalResult checkBatchIntegers(LoweringContext &ctx, Value tensor,
                                        const AttentionSizes &sizes) {
  if (!tensor)
    return success();
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getRank() != 1 || !type.getElementType().isIntOrIndex())
    return ctx.error() << "found type " << type
                       << "; expected an integer for each batch";
  return checkSameSize(ctx, sizeOf(ctx.b, tensor, 0), sizes.batch,
                       "expected an integer for each batch");
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

namespace {
/// Emits one attention whose operands were checked.
class AttentionEmitter {
public:
  AttentionEmitter(ImplicitLocOpBuilder &b, const AttentionProblem &problem,
                   const AttentionSizes &sizes,
                   std::optional<AttentionMask> mask,
                   std::optional<ScoreStage> shown)
      : b(b), problem(problem), sizes(sizes), mask(std::move(mask)),
        shown(shown) {
    Type input = problem.query.elementType();
    type = input.isF64() ? input : Type(b.getF32Type());
  }

  AttentionOutputs emit();

private:
  /// Queries that a block has, where there are enough.
  OpFoldResult queriesInBlock();
  /// The block of `count` queries from `first` on of head `head`, which counts
  /// the heads of keys of all batches.
  QueryBlock emitBlock(Value head, OpFoldResult first, OpFoldResult count);
  std::pair<Value, Value> divide(Value lhs, OpFoldResult rhs);
  /// An integer that `tensor` has for each batch, as an index.
  OpFoldResult emitBatchInteger(Value tensor, Value batch);
  /// The position of the batch's first query.
  OpFoldResult emitOffset(Value batch);
  /// Computes an attention in blocks of queries to `dests`: the output, and the
  /// scores, if they are shown.
  SmallVector<Value> emitBlocks(ValueRange dests);
  /// Computes the output alone, in the way that suits the number of queries.
  Value emitOutput(Value dest);
  /// Computes the block's part of the output, which `dest` is.
  Value emitValues(BlockEmitter &emitter, const QueryBlock &block, Value dest);
  /// Computes the block's part of `dest`.
  Value emitShown(BlockEmitter &emitter, const QueryBlock &block, Value dest);
  void emitInsertion(scf::ForallOp loop, Value part, Value dest,
                     const HeadSlice &slice);

  ImplicitLocOpBuilder &b;
  const AttentionProblem &problem;
  const AttentionSizes &sizes;
  std::optional<AttentionMask> mask;
  std::optional<ScoreStage> shown;
  Type type;
};
} // namespace

OpFoldResult AttentionEmitter::queriesInBlock() {
  return b.getIndexAttr(getQueriesInBlock(sizes.groups));
}

// Quotient and remainder.
std::pair<Value, Value> AttentionEmitter::divide(Value lhs, OpFoldResult rhs) {
  Value divisor = indexValue(b, rhs);
  return {b.createOrFold<arith::DivUIOp>(lhs, divisor),
          b.createOrFold<arith::RemUIOp>(lhs, divisor)};
}

OpFoldResult AttentionEmitter::emitBatchInteger(Value tensor, Value batch) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.hasStaticShape() && type.getNumElements() == 1)
    return sizeFromScalar(b, scalarsOf(b, tensor).front());
  Value integer = tensor::ExtractOp::create(b, tensor, batch);
  return sizeFromScalar(b, integer);
}

OpFoldResult AttentionEmitter::emitOffset(Value batch) {
  if (problem.endsAtLastKey)
    return subtractSizes(b, emitBatchInteger(problem.keyCounts, batch),
                         sizes.queries);
  if (problem.batchOffsets)
    return emitBatchInteger(problem.batchOffsets, batch);
  return problem.offset ? problem.offset : b.getIndexAttr(0);
}

QueryBlock AttentionEmitter::emitBlock(Value head, OpFoldResult first,
                                       OpFoldResult count) {
  QueryBlock block;
  if (isConstantIntValue(sizes.batch, 1)) {
    block.batch = indexValue(b, b.getIndexAttr(0));
    block.kvHead = head;
  } else {
    std::tie(block.batch, block.kvHead) =
        divide(head, b.getIndexAttr(sizes.kvHeads));
  }
  block.first = first;
  block.count = count;
  block.position = addSizes(b, block.first, emitOffset(block.batch));
  block.keys = sizes.keys;
  if (problem.keyCounts)
    block.keys = minIndex(b, block.keys,
                          emitBatchInteger(problem.keyCounts, block.batch));
  if (mask)
    block.keys = minIndex(
        b, block.keys, sizeOf(b, mask->tensor, mask->map.getNumResults() - 1));
  return block;
}

Value AttentionEmitter::emitValues(BlockEmitter &emitter,
                                   const QueryBlock &block, Value dest) {
  if (canBeColumns(problem, sizes, type))
    return emitColumns(b, problem, sizes, block, emitter, dest);
  return emitter.emitOutput(emitter.emitKeys(reachOf(b, problem, block)), dest,
                            problem.query.layout);
}

// Scores of keys that are out of reach are not computed once they are masked.
Value AttentionEmitter::emitShown(BlockEmitter &emitter,
                                  const QueryBlock &block, Value dest) {
  if (*shown < ScoreStage::Masked)
    return emitter.emitShown({b.getIndexAttr(0), sizes.keys}, *shown, dest);
  Type destType = cast<RankedTensorType>(dest.getType()).getElementType();
  double unread = *shown == ScoreStage::Probabilities
                      ? 0
                      : -std::numeric_limits<double>::infinity();
  dest = linalg::FillOp::create(b, scalarConstant(b, destType, unread), dest)
             .getResult(0);
  KeyRange reach = reachOf(b, problem, block);
  Value part = emitter.emitShown(
      reach, *shown, sliceAlong(b, dest, /*axis=*/2, reach.first, reach.count));
  return insertAlong(b, part, dest, /*axis=*/2, reach.first);
}

void AttentionEmitter::emitInsertion(scf::ForallOp loop, Value part, Value dest,
                                     const HeadSlice &slice) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(loop.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(
      b, part, dest, slice.offsets, slice.sizes,
      Sizes(slice.sizes.size(), b.getIndexAttr(1)));
}

// One loop over all blocks, which is what threads share best.
SmallVector<Value> AttentionEmitter::emitBlocks(ValueRange dests) {
  OpFoldResult blocks = ceilDivide(b, sizes.queries, queriesInBlock());
  OpFoldResult count =
      productOf(b, {sizes.batch, b.getIndexAttr(sizes.kvHeads), blocks});
  auto loop = scf::ForallOp::create(b, count, dests, std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  auto [head, position] = divide(loop.getInductionVar(0), blocks);
  OpFoldResult first =
      multiplySizes(b, getAsOpFoldResult(position), queriesInBlock());
  QueryBlock block = emitBlock(
      head, first,
      minIndex(b, queriesInBlock(), subtractSizes(b, sizes.queries, first)));
  BlockEmitter emitter(b, problem, sizes, mask, block, type);
  Value dest = loop.getRegionIterArgs()[0];
  HeadSlice part =
      sliceOfQueries(b, problem.query.layout, sizes, block, sizes.valueSize);
  Value values = emitValues(emitter, block, sliceHeads(b, dest, part, {0}));
  emitInsertion(loop, values, dest, part);
  if (shown) {
    Value shownDest = loop.getRegionIterArgs()[1];
    HeadSlice shownPart =
        sliceOfQueries(b, HeadLayout::HeadsFirst, sizes, block, sizes.keys);
    Value scores =
        emitShown(emitter, block, sliceHeads(b, shownDest, shownPart, {0}));
    emitInsertion(loop, scores, shownDest, shownPart);
  }
  return llvm::to_vector(ValueRange(loop.getResults()));
}

// Columns that no query fills take as long as others, so queries that fill no
// more than half of a block's, as one token's, have rows, and their keys parts.
// Where their number is known only to the run, that is if they could have
// columns: two forms of rows would be twice the code for little.
Value AttentionEmitter::emitOutput(Value dest) {
  auto emitMany = [&] { return emitBlocks(dest).front(); };
  auto emitFew = [&] {
    auto blockOfHead = [&](Value head) {
      return emitBlock(head, b.getIndexAttr(0), sizes.queries);
    };
    return emitParts(b, problem, sizes, mask, type, blockOfHead, dest);
  };
  int64_t few = getQueriesInBlock(sizes.groups) / 2;
  // What is known to be empty cannot be sliced.
  if (std::optional<int64_t> count = getConstantIntValue(sizes.queries))
    return 0 < *count && *count <= few ? emitFew() : emitMany();
  if (few == 0 || !canBeColumns(problem, sizes, type))
    return emitMany();
  Value areFew = arith::CmpIOp::create(b, arith::CmpIPredicate::sle,
                                       indexValue(b, sizes.queries),
                                       indexValue(b, b.getIndexAttr(few)));
  auto choice = scf::IfOp::create(b, dest.getType(), areFew, /*withElse=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(b, emitFew());
  b.setInsertionPointToStart(choice.elseBlock());
  scf::YieldOp::create(b, emitMany());
  return choice.getResult(0);
}

AttentionOutputs AttentionEmitter::emit() {
  HeadLayout layout = problem.query.layout;
  OpFoldResult heads = b.getIndexAttr(sizes.kvHeads * sizes.groups);
  Sizes outputSizes{sizes.batch, heads, sizes.queries, sizes.valueSize};
  if (layout == HeadLayout::HeadsLast)
    std::swap(outputSizes[1], outputSizes[2]);
  Type outputType = problem.query.elementType();
  Value output = emptyTensor(b, outputSizes, outputType);
  if (!shown)
    return {{emitOutput(output), layout}, nullptr};
  Value scores = emptyTensor(b, {sizes.batch, heads, sizes.queries, sizes.keys},
                             outputType);
  SmallVector<Value> results = emitBlocks({output, scores});
  return {{results[0], layout}, results[1]};
}

FailureOr<AttentionOutputs>
tern::onnx::emitAttention(LoweringContext &ctx, const AttentionProblem &problem,
                          std::optional<ScoreStage> shown) {
  FailureOr<AttentionSizes> sizes = checkSizes(ctx, problem);
  if (failed(sizes) || failed(checkFloats(ctx, problem)) ||
      failed(checkBatchIntegers(ctx, problem.batchOffsets, *sizes)) ||
      failed(checkBatchIntegers(ctx, problem.keyCounts, *sizes)))
    return failure();
  std::optional<AttentionMask> mask;
  if (problem.mask) {
    FailureOr<AttentionMask> read = readMask(ctx, problem.mask, *sizes);
    if (failed(read))
      return failure();
    mask = *read;
  }
  return AttentionEmitter(ctx.b, problem, *sizes, mask, shown).emit();
}
