//===- GroupQueryAttention.cpp - onnxruntime's GroupQueryAttention --------===//
//
// `seqlens_k` says how many keys each batch has, less one, the new tokens'
// being the last of them. The present holds the past, then the new keys and
// values, then zeros. Only where the tokens are all that there is (a prompt)
// may batches be padded, at their ends: the new keys stand at the front, and a
// batch reads no more of them than it has.
//
//===----------------------------------------------------------------------===//

#include "AttentionCore.h"
#include "Sizes.h"

#include "tern/Dialect/Onnx/IR/GroupQueryAttention.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

using Port = GroupQueryAttentionPort;

namespace {
struct NewTokens {
  Heads query, key, value;
};
} // namespace

static LogicalResult checkNode(LoweringContext &ctx) {
  for (unsigned index : {Port::Query, Port::SeqLens, Port::TotalLength})
    if (!ctx.input(index))
      return ctx.error() << "input " << index << " is missing";
  if (!ctx.input(Port::PastKey) != !ctx.input(Port::PastValue))
    return ctx.error() << "found one of past_key and past_value; expected both";
  for (StringRef name : {"k_quant_type", "v_quant_type"})
    if (ctx.node.getString(name, "NONE") != "NONE")
      return ctx.error() << "found " << name << "; expected none";
  int64_t heads = ctx.node.getInt("num_heads", 0);
  if (Value sinks = ctx.input(Port::HeadSink);
      sinks && (ctx.type(Port::HeadSink).getRank() != 1 ||
                ctx.type(Port::HeadSink).getDimSize(0) != heads ||
                !isa<FloatType>(ctx.type(Port::HeadSink).getElementType())))
    return ctx.error() << "head_sink has type " << ctx.type(Port::HeadSink)
                       << "; expected a float for each of " << heads
                       << " heads";
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
  bool isPacked = !ctx.input(Port::Key);
  FailureOr<Heads> query = splitHeads(ctx, ctx.input(Port::Query),
                                      isPacked ? heads + 2 * kvHeads : heads);
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
  if (!ctx.input(Port::Values))
    return ctx.error() << "found keys without values";
  FailureOr<Heads> key = splitHeads(ctx, ctx.input(Port::Key), kvHeads);
  FailureOr<Heads> value = splitHeads(ctx, ctx.input(Port::Values), kvHeads);
  if (failed(key) || failed(value))
    return failure();
  return NewTokens{*query, *key, *value};
}

// How many keys each batch has. They hold the new tokens, unless it is a padded
// prompt, and are among `total`.
static FailureOr<Value> keyCounts(LoweringContext &ctx, OpFoldResult batch) {
  ImplicitLocOpBuilder &b = ctx.b;
  FailureOr<Value> lengths = reshapeTo(ctx, ctx.input(Port::SeqLens), batch);
  if (failed(lengths))
    return failure();
  Type type = ctx.type(Port::SeqLens).getElementType();
  Value one = scalarConstant(b, type, 1);
  return generate(
      b, batch, type, BroadcastOperand{*lengths, b.getMultiDimIdentityMap(1)},
      [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) -> Value {
        return arith::AddIOp::create(body, scalars[0], one);
      });
}

// How many keys come before the new ones, for each batch; none for a prompt.
static Value pastLengths(LoweringContext &ctx, Value counts, OpFoldResult batch,
                         OpFoldResult tokens, OpFoldResult total) {
  ImplicitLocOpBuilder &b = ctx.b;
  Type type = ctx.type(Port::SeqLens).getElementType();
  Value isPrompt = b.createOrFold<arith::CmpIOp>(
      arith::CmpIPredicate::eq, indexValue(b, tokens), indexValue(b, total));
  Value count = scalarFromSize(b, tokens, type);
  Value zero = scalarConstant(b, type, 0);
  return generate(
      b, batch, type, BroadcastOperand{counts, b.getMultiDimIdentityMap(1)},
      [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) -> Value {
        Value past = arith::SubIOp::create(body, scalars[0], count);
        return arith::SelectOp::create(body, isPrompt, zero, past);
      });
}

// Checks `counts` and `pastLengths` of every batch, before any memory is read.
static void checkLengths(LoweringContext &ctx, Value counts, Value pastLengths,
                         OpFoldResult batch, OpFoldResult total) {
  ImplicitLocOpBuilder &b = ctx.b;
  auto loop = scf::ForOp::create(b, indexValue(b, b.getIndexAttr(0)),
                                 indexValue(b, batch),
                                 indexValue(b, b.getIndexAttr(1)));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  auto element = [&](Value tensor) -> OpFoldResult {
    Value integer =
        tensor::ExtractOp::create(b, tensor, loop.getInductionVar());
    return indexValue(b, sizeFromScalar(b, integer));
  };
  OpFoldResult count = element(counts);
  checkAtMost(ctx, b.getIndexAttr(1), count, "seqlens_k is negative");
  checkAtMost(ctx, count, total,
              "seqlens_k is too large for total_sequence_length");
  checkAtMost(ctx, b.getIndexAttr(0), element(pastLengths),
              "seqlens_k is too small for the tokens");
}

// The position of every new token, for the rotation.
static Value positionsOf(LoweringContext &ctx, Value pastLengths,
                         OpFoldResult batch, OpFoldResult tokens) {
  ImplicitLocOpBuilder &b = ctx.b;
  if (ctx.input(Port::PositionIds))
    return ctx.input(Port::PositionIds);
  Type type = ctx.type(Port::SeqLens).getElementType();
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
  if (!ctx.input(Port::CosCache) || !ctx.input(Port::SinCache))
    return ctx.error() << "found do_rotary without cosines and sines";
  RotaryAngles angles{ctx.input(Port::CosCache), ctx.input(Port::SinCache),
                      positions, ctx.node.getInt("rotary_interleaved", 0) != 0};
  for (Heads *heads : {&tokens.query, &tokens.key}) {
    FailureOr<Heads> rotated = rotate(ctx, *heads, angles);
    if (failed(rotated))
      return failure();
    *heads = *rotated;
  }
  return success();
}

// The sizes of a present that holds `total` positions or as many as the past.
static FailureOr<Sizes> presentSizes(LoweringContext &ctx, unsigned past,
                                     Value tokens, OpFoldResult total) {
  ImplicitLocOpBuilder &b = ctx.b;
  Sizes sizes = sizesOf(b, tokens);
  OpFoldResult count = std::exchange(sizes[2], total);
  if (!ctx.input(past)) {
    checkAtMost(ctx, total, count,
                "total_sequence_length is more than the tokens, and there is "
                "no past");
    return sizes;
  }
  SmallVector<OpFoldResult> own = sizesOf(b, ctx.input(past));
  Type type = cast<RankedTensorType>(tokens.getType()).getElementType();
  if (own.size() != 4 || ctx.type(past).getElementType() != type)
    return ctx.error() << "input " << past << " has type " << ctx.type(past)
                       << "; expected rank 4 and the tokens' type";
  for (int64_t dim : {0, 1, 3})
    if (failed(checkSameSize(ctx, own[dim], sizes[dim],
                             "the past does not fit the tokens")))
      return failure();
  checkAtMost(ctx, total, addSizes(b, own[2], count),
              "total_sequence_length is more than past and tokens");
  sizes[2] = maxIndex(b, total, own[2]);
  return sizes;
}

// The past with the new tokens written behind each batch's own past.
static FailureOr<Value> appendTokens(LoweringContext &ctx, unsigned past,
                                     const Heads &heads, Value pastLengths,
                                     OpFoldResult total) {
  ImplicitLocOpBuilder &b = ctx.b;
  Value tokens = headsFirst(ctx, heads);
  FailureOr<Sizes> sizes = presentSizes(ctx, past, tokens, total);
  if (failed(sizes))
    return failure();
  Value present =
      filledTensor(b, *sizes, scalarConstant(b, heads.elementType(), 0));
  // Copies the first positions of one batch to where that batch's start.
  auto copyRows = [](ImplicitLocOpBuilder &body, Value source, Value batch,
                     OpFoldResult count, Value dest, OpFoldResult position) {
    Sizes from(4, body.getIndexAttr(0)), to(from);
    Sizes taken = sizesOf(body, source);
    from[0] = to[0] = batch;
    to[2] = position;
    taken[0] = body.getIndexAttr(1);
    taken[2] = count;
    return insertInto(body, sliceOf(body, source, from, taken), dest, to);
  };
  auto loop = scf::ForOp::create(
      b, indexValue(b, b.getIndexAttr(0)), indexValue(b, (*sizes)[0]),
      indexValue(b, b.getIndexAttr(1)), present,
      [&](OpBuilder &builder, Location loc, Value batch, ValueRange carried) {
        ImplicitLocOpBuilder body(loc, builder);
        Value length = tensor::ExtractOp::create(body, pastLengths, batch);
        OpFoldResult offset = indexValue(body, sizeFromScalar(body, length));
        Value rows = carried[0];
        if (ctx.input(past))
          rows = copyRows(body, ctx.input(past), batch, offset, rows,
                          body.getIndexAttr(0));
        rows = copyRows(body, tokens, batch, sizeOf(body, tokens, 2), rows,
                        offset);
        scf::YieldOp::create(body, rows);
      });
  return Value(loop.getResult(0));
}

static FailureOr<OpFoldResult> totalLength(LoweringContext &ctx,
                                           OpFoldResult tokens) {
  if (!ctx.type(Port::TotalLength).hasStaticShape() ||
      ctx.type(Port::TotalLength).getNumElements() != 1 ||
      ctx.type(Port::TotalLength).getRank() > 1)
    return ctx.error() << "total_sequence_length has type "
                       << ctx.type(Port::TotalLength) << "; expected a scalar";
  OpFoldResult total = sizeFromScalar(
      ctx.b, scalarsOf(ctx.b, ctx.input(Port::TotalLength)).front());
  checkAtMost(ctx, tokens, total,
              "total_sequence_length is less than the tokens");
  return total;
}

// What joins the scores of each head: a learned sink, 0 for a smooth softmax.
static Value sinksOf(LoweringContext &ctx) {
  ImplicitLocOpBuilder &b = ctx.b;
  if (ctx.input(Port::HeadSink))
    return ctx.input(Port::HeadSink);
  if (ctx.node.getInt("smooth_softmax", 0) <= 0)
    return nullptr;
  OpFoldResult heads = b.getIndexAttr(ctx.node.getInt("num_heads", 0));
  return filledTensor(b, heads, scalarConstant(b, b.getF32Type(), 0));
}

static FailureOr<AttentionProblem>
buildProblem(LoweringContext &ctx, const NewTokens &tokens, Value counts,
             Value pastLengths, OpFoldResult total, Value presentKey,
             Value presentValue) {
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
  problem.mask = ctx.input(Port::AttentionBias);
  problem.isCausal = true;
  problem.keyCounts = counts;
  problem.batchOffsets = pastLengths;
  problem.sinks = sinksOf(ctx);
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
  FailureOr<Value> counts = keyCounts(ctx, batch);
  if (failed(counts))
    return failure();
  Value past = pastLengths(ctx, *counts, batch, count, *total);
  checkLengths(ctx, *counts, past, batch, *total);
  if (failed(rotateTokens(ctx, *tokens, positionsOf(ctx, past, batch, count))))
    return failure();
  FailureOr<Value> key =
      appendTokens(ctx, Port::PastKey, tokens->key, past, *total);
  FailureOr<Value> value =
      appendTokens(ctx, Port::PastValue, tokens->value, past, *total);
  if (failed(key) || failed(value))
    return failure();
  FailureOr<AttentionProblem> problem =
      buildProblem(ctx, *tokens, *counts, past, *total, *key, *value);
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
