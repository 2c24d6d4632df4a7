//===- MultiHeadAttention.cpp - onnxruntime's MultiHeadAttention ----------===//
//
// Queries, keys and values come each on their own, [batch, sequence, heads *
// size]; or keys and values as heads already, [batch, heads, sequence, size];
// or packed, [batch, sequence, heads, 2 or 3, size]. What a key mask hides is
// not removed from the softmax: `mask_filter_value` is added to its scores.
//
//===----------------------------------------------------------------------===//

#include "AttentionCore.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

namespace {
enum Input : unsigned {
  Query,
  Key,
  Values,
  Bias,
  KeyMask,
  AttentionBias,
  PastKey,
  PastValue,
  PastLength,
  CacheIndirection
};
enum Output : unsigned { Result, PresentKey, PresentValue, Scores };

struct Projections {
  Heads query, key, value;
};
} // namespace

static LogicalResult checkNode(LoweringContext &ctx) {
  if (!ctx.input(Query))
    return ctx.error() << "input 0 is missing";
  if (!ctx.input(PastKey) != !ctx.input(PastValue))
    return ctx.error() << "found one of past_key and past_value; expected both";
  if (ctx.input(PastLength) || ctx.input(CacheIndirection))
    return ctx.error()
           << "found a past in a shared buffer; expected past_key and "
              "past_value of its length";
  if (ctx.node.getOutputs().size() > Scores &&
      !ctx.node.getOutputs()[Scores].use_empty())
    return ctx.error() << "output 3, the scores, is not supported";
  return success();
}

//===----------------------------------------------------------------------===//
// Projections
//===----------------------------------------------------------------------===//

// Part `index` of [batch, sequence, heads, parts, size].
static FailureOr<Heads> unpack(LoweringContext &ctx, Value packed,
                               int64_t index) {
  SmallVector<OpFoldResult> sizes = sizesOf(ctx.b, packed);
  Value part = sliceAlong(ctx.b, packed, /*axis=*/3, ctx.b.getIndexAttr(index),
                          ctx.b.getIndexAttr(1));
  sizes.erase(sizes.begin() + 3);
  FailureOr<Value> heads = reshapeTo(ctx, part, sizes);
  if (failed(heads))
    return failure();
  return Heads{*heads, HeadLayout::HeadsLast};
}

// Input `index` where it is packed of `parts` parts.
static bool isPacked(LoweringContext &ctx, unsigned index, int64_t parts) {
  return ctx.input(index) && ctx.type(index).getRank() == 5 &&
         ctx.type(index).getDimSize(3) == parts;
}

static FailureOr<Heads> headsOf(LoweringContext &ctx, unsigned index) {
  if (!ctx.input(index))
    return ctx.error() << "input " << index << " is missing";
  if (index != Query && ctx.type(index).getRank() == 4)
    return Heads{ctx.input(index), HeadLayout::HeadsFirst};
  return splitHeads(ctx, ctx.input(index), ctx.node.getInt("num_heads", 0));
}

static FailureOr<Projections> readProjections(LoweringContext &ctx) {
  auto gather = [&](FailureOr<Heads> query, FailureOr<Heads> key,
                    FailureOr<Heads> value) -> FailureOr<Projections> {
    if (failed(query) || failed(key) || failed(value))
      return failure();
    return Projections{*query, *key, *value};
  };
  if (isPacked(ctx, Query, 3)) {
    Value packed = ctx.input(Query);
    return gather(unpack(ctx, packed, 0), unpack(ctx, packed, 1),
                  unpack(ctx, packed, 2));
  }
  if (isPacked(ctx, Key, 2)) {
    Value packed = ctx.input(Key);
    return gather(headsOf(ctx, Query), unpack(ctx, packed, 0),
                  unpack(ctx, packed, 1));
  }
  return gather(headsOf(ctx, Query), headsOf(ctx, Key), headsOf(ctx, Values));
}

// Adds to `heads` their part of the bias, which starts at `offset`, and moves
// `offset` behind it. Keys and values that are heads already have theirs.
static LogicalResult addBias(LoweringContext &ctx, Heads &heads,
                             OpFoldResult &offset) {
  if (heads.layout == HeadLayout::HeadsFirst)
    return success();
  ImplicitLocOpBuilder &b = ctx.b;
  SmallVector<OpFoldResult> sizes = sizesOf(b, heads.tensor);
  OpFoldResult count = multiplySizes(b, sizes[2], sizes[3]);
  OpFoldResult end = addSizes(b, offset, count);
  checkAtMost(ctx, end, sizeOf(b, ctx.input(Bias), 0), "the bias is too short");
  FailureOr<Value> bias =
      reshapeTo(ctx, sliceAlong(b, ctx.input(Bias), /*axis=*/0, offset, count),
                {sizes[2], sizes[3]});
  if (failed(bias))
    return failure();
  FailureOr<Value> sum =
      elementwise(ctx, {heads.tensor, *bias}, heads.elementType(),
                  [](ImplicitLocOpBuilder &body, ValueRange scalars) -> Value {
                    return arith::AddFOp::create(body, scalars[0], scalars[1]);
                  });
  if (failed(sum))
    return failure();
  heads.tensor = *sum;
  offset = end;
  return success();
}

static LogicalResult addBiases(LoweringContext &ctx, Projections &heads) {
  if (!ctx.input(Bias))
    return success();
  if (ctx.type(Bias).getRank() != 1 ||
      ctx.type(Bias).getElementType() != heads.query.elementType())
    return ctx.error() << "the bias has type " << ctx.type(Bias)
                       << "; expected rank 1 and the query's type";
  OpFoldResult offset = ctx.b.getIndexAttr(0);
  return failure(failed(addBias(ctx, heads.query, offset)) ||
                 failed(addBias(ctx, heads.key, offset)) ||
                 failed(addBias(ctx, heads.value, offset)));
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

// The key mask, integers [batch], [batch, key] or [batch, query, key], as what
// is added to the scores; with as many dimensions as they have.
static FailureOr<Value> filterOfKeys(LoweringContext &ctx, OpFoldResult batch,
                                     OpFoldResult keys) {
  ImplicitLocOpBuilder &b = ctx.b;
  RankedTensorType type = ctx.type(KeyMask);
  int64_t rank = type.getRank();
  if (rank < 1 || rank > 3 || !type.getElementType().isInteger())
    return ctx.error() << "the key mask has type " << type
                       << "; expected integers of rank 1 to 3";
  OpFoldResult one = b.getIndexAttr(1);
  SmallVector<OpFoldResult> sizes = sizesOf(b, ctx.input(KeyMask));
  if (rank == 1 && failed(checkSameSize(ctx, sizes[0], batch,
                                        "expected the number of keys of each "
                                        "batch for a key mask")))
    return failure();
  Sizes full{sizes[0], one, rank == 3 ? sizes[1] : one,
             rank == 1 ? keys : sizes.back()};
  // Loops over [batch, 1, query or 1, key].
  SmallVector<unsigned> dims{0, 2, 3};
  if (rank < 3)
    dims.erase(dims.begin() + 1);
  if (rank == 1)
    dims.pop_back();
  BroadcastOperand mask{
      ctx.input(KeyMask),
      AffineMap::getMultiDimMapWithTargets(4, dims, b.getContext())};
  Value shown = scalarConstant(b, b.getF32Type(), 0);
  Value hidden = scalarConstant(b, b.getF32Type(),
                                ctx.node.getFloat("mask_filter_value", -10000));
  return generate(
      b, full, b.getF32Type(), mask,
      [&](ImplicitLocOpBuilder &body, ValueRange indices, ValueRange scalars) {
        Value limit = scalarConstant(body, type.getElementType(), 0);
        if (rank == 1)
          limit = arith::IndexCastOp::create(body, type.getElementType(),
                                             indices[3]);
        Value isShown = arith::CmpIOp::create(body, arith::CmpIPredicate::sgt,
                                              scalars[0], limit);
        return arith::SelectOp::create(body, isShown, shown, hidden)
            .getResult();
      });
}

// What is added to the scores; null for nothing.
static FailureOr<Value> readMasks(LoweringContext &ctx, OpFoldResult batch,
                                  OpFoldResult keys) {
  if (!ctx.input(KeyMask))
    return ctx.input(AttentionBias);
  FailureOr<Value> filter = filterOfKeys(ctx, batch, keys);
  if (failed(filter) || !ctx.input(AttentionBias))
    return filter;
  Type type = ctx.b.getF32Type();
  return elementwise(
      ctx, {*filter, ctx.input(AttentionBias)}, type,
      [&](ImplicitLocOpBuilder &body, ValueRange scalars) -> Value {
        return arith::AddFOp::create(body, scalars[0],
                                     convertFloat(body, scalars[1], type));
      });
}

//===----------------------------------------------------------------------===//
// The operator
//===----------------------------------------------------------------------===//

// Where each query stands, one key before another: only where there is a key
// for each.
static LogicalResult makeCausal(LoweringContext &ctx,
                                AttentionProblem &problem) {
  ImplicitLocOpBuilder &b = ctx.b;
  const Heads &query = problem.query, &key = problem.key;
  OpFoldResult past = b.getIndexAttr(0);
  if (ctx.input(PastKey))
    past = sizeOf(b, ctx.input(PastKey), 2);
  problem.isCausal = true;
  problem.offset = past;
  OpFoldResult end =
      addSizes(b, past, sizeOf(b, query.tensor, query.sequenceDim()));
  return checkSameSize(ctx, end, sizeOf(b, key.tensor, key.sequenceDim()),
                       "unidirectional attention has a key for each query");
}

static FailureOr<AttentionProblem> readProblem(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  FailureOr<Projections> heads = readProjections(ctx);
  if (failed(heads) || failed(addBiases(ctx, *heads)) ||
      failed(prependPast(ctx, PastKey, heads->key)) ||
      failed(prependPast(ctx, PastValue, heads->value)))
    return failure();
  AttentionProblem problem{heads->query, heads->key, heads->value};
  OpFoldResult keys = sizeOf(b, problem.key.tensor, problem.key.sequenceDim());
  FailureOr<Value> mask =
      readMasks(ctx, sizeOf(b, problem.query.tensor, 0), keys);
  std::optional<int64_t> size =
      getConstantIntValue(sizeOf(b, problem.query.tensor, 3));
  if (failed(mask))
    return failure();
  if (!size)
    return ctx.error() << "found queries of type " << ctx.type(Query)
                       << "; expected a static head size";
  problem.mask = *mask;
  problem.scale = ctx.node.getFloat("scale", 0);
  if (problem.scale == 0)
    problem.scale = 1 / std::sqrt(static_cast<double>(*size));
  if (ctx.node.getInt("unidirectional", 0) != 0 &&
      failed(makeCausal(ctx, problem)))
    return failure();
  return problem;
}

static LoweringResult lowerMultiHeadAttention(LoweringContext &ctx) {
  if (failed(checkNode(ctx)))
    return failure();
  FailureOr<AttentionProblem> problem = readProblem(ctx);
  if (failed(problem))
    return failure();
  FailureOr<AttentionOutputs> outputs = emitAttention(ctx, *problem);
  if (failed(outputs))
    return failure();
  FailureOr<Value> result = joinHeads(ctx, outputs->output);
  if (failed(result))
    return failure();
  SmallVector<Value> results(ctx.node.getOutputs().size());
  results[Result] = *result;
  auto present = [&](unsigned output, const Heads &heads) {
    if (output < results.size() && !ctx.node.getOutputs()[output].use_empty())
      results[output] = headsFirst(ctx, heads);
  };
  present(PresentKey, problem->key);
  present(PresentValue, problem->value);
  return results;
}

void tern::onnx::addMultiHeadAttentionLowerings(LoweringTable &table) {
  table["com.microsoft::MultiHeadAttention"] = lowerMultiHeadAttention;
}
