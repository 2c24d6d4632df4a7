//===- GroupQueryAttention.cpp - onnxruntime's GroupQueryAttention --------===//
//
// The present holds, for each batch, the past and then the new keys and values.
// `seqlens_k` says how many keys a batch has, less one. Only where the tokens
// are all that there is (a prompt) may batches be padded, at their ends: then
// the new keys stand at the front and causality hides the padding.
//
//===----------------------------------------------------------------------===//

#include "AttentionCore.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

namespace {
enum Input : unsigned {
  Query,
  Key,
  Values,
  PastKey,
  PastValue,
  SeqLens,
  TotalLength,
  CosCache,
  SinCache,
  PositionIds,
  AttentionBias,
  HeadSink
};

struct NewTokens {
  Heads query, key, value;
};
} // namespace

static LogicalResult checkNode(LoweringContext &ctx) {
  for (unsigned index :
       {unsigned(Query), unsigned(SeqLens), unsigned(TotalLength)})
    if (!ctx.input(index))
      return ctx.error() << "input " << index << " is missing";
  if (!ctx.input(PastKey) != !ctx.input(PastValue))
    return ctx.error() << "found one of past_key and past_value; expected both";
  if (ctx.node.getInt("smooth_softmax", 0) > 0 || ctx.input(HeadSink))
    return ctx.error() << "smooth softmax is not supported";
  for (StringRef name : {"k_quant_type", "v_quant_type"})
    if (ctx.node.getString(name, "NONE") != "NONE")
      return ctx.error() << "found " << name << "; expected none";
  if (ctx.node.getInt("local_window_size", -1) == 0)
    return ctx.error() << "found local_window_size 0; expected -1 or a number "
                          "of keys";
  return success();
}

// The three projections: one each, or packed in the query's input.
static FailureOr<NewTokens> splitProjections(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  int64_t heads = ctx.node.getInt("num_heads", 0);
  int64_t kvHeads = ctx.node.getInt("kv_num_heads", 0);
  if (heads <= 0 || kvHeads <= 0)
    return ctx.error() << "found " << heads << " heads and " << kvHeads
                       << " for keys and values";
  bool isPacked = !ctx.input(Key);
  FailureOr<Heads> query =
      splitHeads(ctx, ctx.input(Query), isPacked ? heads + 2 * kvHeads : heads);
  if (failed(query))
    return failure();
  if (isPacked) {
    auto part = [&](int64_t offset, int64_t count) {
      return Heads{sliceAlong(b, query->tensor, /*axis=*/2,
                              b.getIndexAttr(offset), b.getIndexAttr(count)),
                   HeadLayout::HeadsLast};
    };
    return NewTokens{part(0, heads), part(heads, kvHeads),
                     part(heads + kvHeads, kvHeads)};
  }
  if (!ctx.input(Values))
    return ctx.error() << "found keys without values";
  FailureOr<Heads> key = splitHeads(ctx, ctx.input(Key), kvHeads);
  FailureOr<Heads> value = splitHeads(ctx, ctx.input(Values), kvHeads);
  if (failed(key) || failed(value))
    return failure();
  return NewTokens{*query, *key, *value};
}

// How many keys come before the new ones, for each batch: seqlens_k + 1 less
// the new tokens, and none for a prompt.
static FailureOr<Value> pastLengths(LoweringContext &ctx, OpFoldResult batch,
                                    OpFoldResult tokens, OpFoldResult total) {
  ImplicitLocOpBuilder &b = ctx.b;
  FailureOr<Value> lengths = reshapeTo(ctx, ctx.input(SeqLens), batch);
  if (failed(lengths))
    return failure();
  Type type = ctx.type(SeqLens).getElementType();
  Value isPrompt = b.createOrFold<arith::CmpIOp>(
      arith::CmpIPredicate::eq, indexValue(b, tokens), indexValue(b, total));
  Value count = scalarFromSize(b, tokens, type);
  Value zero = scalarConstant(b, type, 0), one = scalarConstant(b, type, 1);
  return generate(
      b, batch, type, BroadcastOperand{*lengths, b.getMultiDimIdentityMap(1)},
      [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) -> Value {
        Value keys = arith::AddIOp::create(body, scalars[0], one);
        Value past = arith::SubIOp::create(body, keys, count);
        return arith::SelectOp::create(body, isPrompt, zero, past);
      });
}

// The position of every new token, for the rotation.
static Value positionsOf(LoweringContext &ctx, Value pastLengths,
                         OpFoldResult batch, OpFoldResult tokens) {
  ImplicitLocOpBuilder &b = ctx.b;
  if (ctx.input(PositionIds))
    return ctx.input(PositionIds);
  Type type = ctx.type(SeqLens).getElementType();
  AffineMap map = AffineMap::get(2, 0, b.getAffineDimExpr(0));
  return generate(b, {batch, tokens}, type, BroadcastOperand{pastLengths, map},
                  [&](ImplicitLocOpBuilder &body, ValueRange indices,
                      ValueRange scalars) -> Value {
                    Value token =
                        arith::IndexCastOp::create(body, type, indices[1]);
                    return arith::AddIOp::create(body, scalars[0], token);
                  });
}

static LogicalResult rotateTokens(LoweringContext &ctx, NewTokens &tokens,
                                  Value positions) {
  if (ctx.node.getInt("do_rotary", 0) == 0)
    return success();
  if (!ctx.input(CosCache) || !ctx.input(SinCache))
    return ctx.error() << "found do_rotary without cosines and sines";
  RotaryAngles angles{ctx.input(CosCache), ctx.input(SinCache), positions,
                      ctx.node.getInt("rotary_interleaved", 0) != 0};
  for (Heads *heads : {&tokens.query, &tokens.key}) {
    FailureOr<Heads> rotated = rotate(ctx, *heads, angles);
    if (failed(rotated))
      return failure();
    *heads = *rotated;
  }
  return success();
}

// The past with the new tokens written behind each batch's own past.
static FailureOr<Value> appendTokens(LoweringContext &ctx, unsigned past,
                                     const Heads &heads, Value pastLengths,
                                     OpFoldResult total) {
  ImplicitLocOpBuilder &b = ctx.b;
  Value tokens = headsFirst(ctx, heads);
  SmallVector<OpFoldResult> tokenSizes = sizesOf(b, tokens);
  SmallVector<OpFoldResult> sizes(tokenSizes);
  sizes[2] = total;
  Type type = cast<RankedTensorType>(tokens.getType()).getElementType();
  if (ctx.input(past)) {
    SmallVector<OpFoldResult> pastSizes = sizesOf(b, ctx.input(past));
    if (pastSizes.size() != 4 || ctx.type(past).getElementType() != type)
      return ctx.error() << "input " << past << " has type " << ctx.type(past)
                         << "; expected rank 4 and the tokens' type";
    for (int64_t dim : {0, 1, 3})
      if (failed(checkSameSize(ctx, pastSizes[dim], sizes[dim],
                               "the past does not fit the tokens")))
        return failure();
    sizes[2] = maxIndex(b, total, pastSizes[2]);
  }
  Value present = filledTensor(b, sizes, scalarConstant(b, type, 0));
  if (ctx.input(past)) {
    Sizes pastSizes(sizes);
    pastSizes[2] = sizeOf(b, ctx.input(past), 2);
    present = insertAlong(b, castToSizes(b, ctx.input(past), pastSizes),
                          present, /*axis=*/2, b.getIndexAttr(0));
  }
  OpFoldResult room = subtractSizes(b, sizes[2], tokenSizes[2]);
  Value zero = indexValue(b, b.getIndexAttr(0));
  Value one = indexValue(b, b.getIndexAttr(1));
  auto loop = scf::ForOp::create(
      b, zero, indexValue(b, sizes[0]), one, present,
      [&](OpBuilder &builder, Location loc, Value batch, ValueRange carried) {
        ImplicitLocOpBuilder body(loc, builder);
        LoweringContext inner{ctx.node, ctx.inputs, ctx.inputTypes, body};
        Value length = tensor::ExtractOp::create(body, pastLengths, batch);
        Value offset = indexValue(body, sizeFromScalar(body, length));
        checkAtMost(inner, body.getIndexAttr(0), offset,
                    "seqlens_k is too small for the tokens");
        checkAtMost(inner, offset, room, "seqlens_k is too large");
        Sizes from(4, body.getIndexAttr(0)), to(from), taken(tokenSizes);
        from[0] = to[0] = batch;
        to[2] = offset;
        taken[0] = body.getIndexAttr(1);
        Value rows = sliceOf(body, tokens, from, taken);
        scf::YieldOp::create(body, insertInto(body, rows, carried[0], to));
      });
  return Value(loop.getResult(0));
}

static FailureOr<OpFoldResult> totalLength(LoweringContext &ctx,
                                           OpFoldResult tokens) {
  if (!ctx.type(TotalLength).hasStaticShape() ||
      ctx.type(TotalLength).getNumElements() != 1 ||
      ctx.type(TotalLength).getRank() > 1)
    return ctx.error() << "total_sequence_length has type "
                       << ctx.type(TotalLength) << "; expected a scalar";
  OpFoldResult total =
      sizeFromScalar(ctx.b, scalarsOf(ctx.b, ctx.input(TotalLength)).front());
  checkAtMost(ctx, tokens, total,
              "total_sequence_length is less than the tokens");
  return total;
}

static FailureOr<AttentionProblem>
buildProblem(LoweringContext &ctx, const NewTokens &tokens, Value pastLengths,
             OpFoldResult total, Value presentKey, Value presentValue) {
  ImplicitLocOpBuilder &b = ctx.b;
  int64_t headSize =
      cast<RankedTensorType>(tokens.query.tensor.getType()).getDimSize(3);
  // What a longer buffer holds behind the last key is not read.
  auto used = [&](Value present) {
    return Heads{sliceAlong(b, present, /*axis=*/2, b.getIndexAttr(0), total),
                 HeadLayout::HeadsFirst};
  };
  AttentionProblem problem{tokens.query, used(presentKey), used(presentValue)};
  problem.scale = ctx.node.getFloat("scale", 0);
  if (problem.scale == 0)
    problem.scale = 1 / std::sqrt(static_cast<double>(headSize));
  problem.softcap = ctx.node.getFloat("softcap", 0);
  problem.mask = ctx.input(AttentionBias);
  problem.isCausal = true;
  problem.batchOffsets = pastLengths;
  int64_t window = ctx.node.getInt("local_window_size", -1);
  problem.leftWindow = window > 0 ? window - 1 : -1;
  return problem;
}

static LoweringResult lowerGroupQueryAttention(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  if (failed(checkNode(ctx)))
    return failure();
  FailureOr<NewTokens> tokens = splitProjections(ctx);
  if (failed(tokens))
    return failure();
  OpFoldResult batch = sizeOf(b, tokens->query.tensor, 0);
  OpFoldResult count = sizeOf(b, tokens->query.tensor, 1);
  FailureOr<OpFoldResult> total = totalLength(ctx, count);
  if (failed(total))
    return failure();
  FailureOr<Value> past = pastLengths(ctx, batch, count, *total);
  if (failed(past))
    return failure();
  if (failed(rotateTokens(ctx, *tokens, positionsOf(ctx, *past, batch, count))))
    return failure();
  FailureOr<Value> key = appendTokens(ctx, PastKey, tokens->key, *past, *total);
  FailureOr<Value> value =
      appendTokens(ctx, PastValue, tokens->value, *past, *total);
  if (failed(key) || failed(value))
    return failure();
  FailureOr<AttentionProblem> problem =
      buildProblem(ctx, *tokens, *past, *total, *key, *value);
  if (failed(problem))
    return failure();
  FailureOr<AttentionOutputs> outputs = emitAttention(ctx, *problem);
  if (failed(outputs))
    return failure();
  FailureOr<Value> result = joinHeads(ctx, outputs->output);
  if (failed(result))
    return failure();
  SmallVector<Value> results{*result, *key, *value};
  results.resize(ctx.node.getOutputs().size());
  return results;
}

void tern::onnx::addGroupQueryAttentionLowerings(LoweringTable &table) {
  table["com.microsoft::GroupQueryAttention"] = lowerGroupQueryAttention;
}
