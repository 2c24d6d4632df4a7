//===- Attention.cpp - ONNX's Attention (opsets 23 to 25) -----------------===//

#include "AttentionCore.h"
#include "Sizes.h"

#include "tern/Dialect/Onnx/IR/Attention.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <cmath>

using namespace mlir;
using namespace tern::onnx;

using Port = AttentionPort;

static bool isUsed(LoweringContext &ctx, unsigned output) {
  return output < ctx.node.getOutputs().size() &&
         !ctx.node.getOutputs()[output].use_empty();
}

static FailureOr<Heads> headsOfInput(LoweringContext &ctx, unsigned index,
                                     StringRef headsAttr) {
  if (!ctx.input(index))
    return ctx.error() << "input " << index << " is missing";
  if (ctx.type(index).getRank() == 4)
    return Heads{ctx.input(index), HeadLayout::HeadsFirst};
  return splitHeads(ctx, ctx.input(index), ctx.node.getInt(headsAttr, 0));
}

static FailureOr<ScoreStage> shownStage(LoweringContext &ctx) {
  int64_t mode = ctx.node.getInt("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3)
    return ctx.error() << "found qk_matmul_output_mode " << mode
                       << "; expected 0 to 3";
  return static_cast<ScoreStage>(mode);
}

static FailureOr<double> scaleOf(LoweringContext &ctx, const Heads &query) {
  if (ctx.node.getNodeAttr("scale"))
    return ctx.node.getFloat("scale", 1);
  auto type = cast<RankedTensorType>(query.tensor.getType());
  if (type.isDynamicDim(3))
    return ctx.error() << "found queries of type " << type
                       << " and no scale; expected a static head size";
  return 1 / std::sqrt(static_cast<double>(type.getDimSize(3)));
}

static FailureOr<AttentionProblem> readProblem(LoweringContext &ctx) {
  FailureOr<Heads> query = headsOfInput(ctx, Port::Query, "q_num_heads");
  FailureOr<Heads> key = headsOfInput(ctx, Port::Key, "kv_num_heads");
  FailureOr<Heads> value = headsOfInput(ctx, Port::Value, "kv_num_heads");
  if (failed(query) || failed(key) || failed(value) ||
      failed(prependPast(ctx, Port::PastKey, *key)) ||
      failed(prependPast(ctx, Port::PastValue, *value)))
    return failure();
  if (!ctx.input(Port::PastKey) != !ctx.input(Port::PastValue))
    return ctx.error() << "found one of past_key and past_value; expected both";
  if (ctx.input(Port::PastKey) && ctx.input(Port::KeyCounts))
    return ctx.error() << "found both a past and nonpad_kv_seqlen";
  FailureOr<double> scale = scaleOf(ctx, *query);
  if (failed(scale))
    return failure();

  AttentionProblem problem{*query, *key, *value};
  problem.scale = *scale;
  problem.softcap = ctx.node.getFloat("softcap", 0);
  problem.mask = ctx.input(Port::Mask);
  problem.isCausal = ctx.node.getInt("is_causal", 0) != 0;
  problem.leftWindow = ctx.node.getInt("left_window_size", -1);
  problem.rightWindow = ctx.node.getInt("right_window_size", -1);
  problem.offset = ctx.b.getIndexAttr(0);
  if (ctx.input(Port::PastKey))
    problem.offset = sizeOf(ctx.b, ctx.input(Port::PastKey), 2);
  problem.keyCounts = ctx.input(Port::KeyCounts);
  problem.sinks = ctx.input(Port::Sinks);
  problem.keyScales = ctx.input(Port::KeyScales);
  problem.valueScales = ctx.input(Port::ValueScales);
  problem.endsAtLastKey = ctx.input(Port::KeyCounts) != nullptr;
  return problem;
}

static LoweringResult lowerAttention(LoweringContext &ctx) {
  FailureOr<AttentionProblem> problem = readProblem(ctx);
  FailureOr<ScoreStage> mode = shownStage(ctx);
  if (failed(problem) || failed(mode))
    return failure();
  std::optional<ScoreStage> shown;
  if (isUsed(ctx, Port::Scores))
    shown = *mode;
  FailureOr<AttentionOutputs> outputs = emitAttention(ctx, *problem, shown);
  if (failed(outputs))
    return failure();
  SmallVector<Value> results(ctx.node.getOutputs().size());
  FailureOr<Value> result = outputs->output.tensor;
  if (ctx.type(Port::Query).getRank() == 3)
    result = joinHeads(ctx, outputs->output);
  if (failed(result))
    return failure();
  results[Port::Result] = *result;
  if (isUsed(ctx, Port::PresentKey))
    results[Port::PresentKey] = headsFirst(ctx, problem->key);
  if (isUsed(ctx, Port::PresentValue))
    results[Port::PresentValue] = headsFirst(ctx, problem->value);
  if (isUsed(ctx, Port::Scores))
    results[Port::Scores] = outputs->scores;
  return results;
}

void tern::onnx::addAttentionLowerings(LoweringTable &table) {
  table["Attention"] = lowerAttention;
  addRotaryEmbeddingLowerings(table);
  addGroupQueryAttentionLowerings(table);
  addMultiHeadAttentionLowerings(table);
}
