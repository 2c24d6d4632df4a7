//===- AttentionCore.cpp - what attention operators share -----------------===//

#include "AttentionCore.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <limits>

using namespace mlir;
using namespace tern::onnx;

static Type elementTypeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getElementType();
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

FailureOr<Heads> tern::onnx::splitHeads(LoweringContext &ctx, Value tensor,
                                        int64_t heads) {
  SmallVector<OpFoldResult> sizes = sizesOf(ctx.b, tensor);
  std::optional<int64_t> hidden =
      sizes.size() == 3 ? getConstantIntValue(sizes[2]) : std::nullopt;
  if (!hidden || heads <= 0 || *hidden % heads != 0)
    return ctx.error() << "found type " << tensor.getType() << " for " << heads
                       << " heads; expected rank 3 and a static multiple";
  sizes[2] = ctx.b.getIndexAttr(heads);
  sizes.push_back(ctx.b.getIndexAttr(*hidden / heads));
  FailureOr<Value> split = reshapeTo(ctx, tensor, sizes);
  if (failed(split))
    return failure();
  return Heads{*split, HeadLayout::HeadsLast};
}

FailureOr<Value> tern::onnx::joinHeads(LoweringContext &ctx,
                                       const Heads &heads) {
  SmallVector<OpFoldResult> sizes = sizesOf(ctx.b, heads.tensor);
  return reshapeTo(
      ctx, heads.tensor,
      {sizes[0], sizes[1], productOf(ctx.b, ArrayRef(sizes).drop_front(2))});
}

Value tern::onnx::headsFirst(LoweringContext &ctx, const Heads &heads) {
  if (heads.layout == HeadLayout::HeadsFirst)
    return heads.tensor;
  return transpose(ctx.b, heads.tensor, {0, 2, 1, 3});
}

//===----------------------------------------------------------------------===//
// The problem's sizes
//===----------------------------------------------------------------------===//

namespace {
/// The sizes of the loops: query heads are kv heads times groups.
struct LoopSizes {
  OpFoldResult batch, queries, keys, size, valueSize;
  int64_t kvHeads, groups;

  /// [batch, kv head, group, query, key]
  Sizes scores(OpBuilder &b) const {
    return {batch, b.getIndexAttr(kvHeads), b.getIndexAttr(groups), queries,
            keys};
  }
};

/// The sizes of an operand whatever its layout.
struct HeadSizes {
  OpFoldResult batch, heads, sequence, size;

  HeadSizes(ImplicitLocOpBuilder &b, const Heads &heads) {
    bool isFirst = heads.layout == HeadLayout::HeadsFirst;
    batch = sizeOf(b, heads.tensor, 0);
    this->heads = sizeOf(b, heads.tensor, isFirst ? 1 : 2);
    sequence = sizeOf(b, heads.tensor, isFirst ? 2 : 1);
    size = sizeOf(b, heads.tensor, 3);
  }
};
} // namespace

static FailureOr<LoopSizes> loopSizes(LoweringContext &ctx,
                                      const AttentionProblem &problem) {
  HeadSizes query(ctx.b, problem.query), key(ctx.b, problem.key),
      value(ctx.b, problem.value);
  std::optional<int64_t> queryHeads = getConstantIntValue(query.heads);
  std::optional<int64_t> kvHeads = getConstantIntValue(key.heads);
  if (!queryHeads || !kvHeads || *kvHeads == 0 || *queryHeads % *kvHeads != 0)
    return ctx.error() << "found queries of type "
                       << problem.query.tensor.getType() << " and keys of type "
                       << problem.key.tensor.getType()
                       << "; expected static numbers of heads, the first a "
                          "multiple of the second";
  auto same = [&](OpFoldResult lhs, OpFoldResult rhs, StringRef message) {
    return succeeded(checkSameSize(ctx, lhs, rhs, message));
  };
  if (!same(query.batch, key.batch, "queries and keys differ in the batch") ||
      !same(query.batch, value.batch,
            "queries and values differ in the batch") ||
      !same(key.heads, value.heads, "keys and values differ in the heads") ||
      !same(key.sequence, value.sequence, "keys and values differ in number") ||
      !same(query.size, key.size, "queries and keys differ in size"))
    return failure();
  return LoopSizes{
      query.batch, query.sequence, key.sequence,          query.size,
      value.size,  *kvHeads,       *queryHeads / *kvHeads};
}

// `heads` with its heads as kv heads and groups.
static FailureOr<Value> splitGroups(LoweringContext &ctx, const Heads &heads,
                                    const LoopSizes &sizes) {
  SmallVector<OpFoldResult> split = sizesOf(ctx.b, heads.tensor);
  int64_t headDim = heads.layout == HeadLayout::HeadsFirst ? 1 : 2;
  split[headDim] = ctx.b.getIndexAttr(sizes.kvHeads);
  split.insert(split.begin() + headDim + 1, ctx.b.getIndexAttr(sizes.groups));
  return reshapeTo(ctx, heads.tensor, split);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

// The loops of both products; the last one is the reduction.
enum LoopDim : unsigned {
  Batch,
  KvHead,
  Group,
  Query,
  Outer,
  Inner,
  LoopCount
};

static AffineMap loopMap(OpBuilder &b, ArrayRef<unsigned> dims) {
  return AffineMap::getMultiDimMapWithTargets(LoopCount, dims, b.getContext());
}

static AffineMap groupedMap(OpBuilder &b, HeadLayout layout, unsigned last) {
  if (layout == HeadLayout::HeadsFirst)
    return loopMap(b, {Batch, KvHead, Group, Query, last});
  return loopMap(b, {Batch, Query, KvHead, Group, last});
}

static AffineMap sharedMap(OpBuilder &b, HeadLayout layout, unsigned sequence,
                           unsigned last) {
  if (layout == HeadLayout::HeadsFirst)
    return loopMap(b, {Batch, KvHead, sequence, last});
  return loopMap(b, {Batch, sequence, KvHead, last});
}

static Value widen(ImplicitLocOpBuilder &b, Value scalar, Type type) {
  if (scalar.getType() == type)
    return scalar;
  return arith::ExtFOp::create(b, type, scalar);
}

// Sums the products of two operands over the last loop, in `type`.
static Value contract(ImplicitLocOpBuilder &b, BroadcastOperand lhs,
                      BroadcastOperand rhs, ArrayRef<OpFoldResult> sizes,
                      AffineMap map, Type type) {
  Value init = filledTensor(b, sizes, scalarConstant(b, type, 0));
  SmallVector<utils::IteratorType> loops = parallelLoops(LoopCount);
  loops.back() = utils::IteratorType::reduction;
  return linalg::GenericOp::create(
             b, init.getType(), ValueRange{lhs.tensor, rhs.tensor}, init,
             ArrayRef<AffineMap>{lhs.map, rhs.map, map}, loops,
             [&](OpBuilder &builder, Location loc, ValueRange args) {
               ImplicitLocOpBuilder body(loc, builder);
               Value product =
                   arith::MulFOp::create(body, widen(body, args[0], type),
                                         widen(body, args[1], type));
               Value sum = arith::AddFOp::create(body, args[2], product);
               linalg::YieldOp::create(body, sum);
             })
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

static Value negativeInfinity(ImplicitLocOpBuilder &b, Type type) {
  return scalarConstant(b, type, -std::numeric_limits<double>::infinity());
}

// A mask for fewer keys masks the others (opset 24).
static Value padMask(LoweringContext &ctx, Value mask, OpFoldResult keys) {
  ImplicitLocOpBuilder &b = ctx.b;
  SmallVector<OpFoldResult> sizes = sizesOf(b, mask);
  if (areSameSize(sizes.back(), keys))
    return mask;
  checkAtMost(ctx, sizes.back(), keys, "the mask is longer than the keys");
  sizes.back() = keys;
  Type type = elementTypeOf(mask);
  Value masked = isa<FloatType>(type) ? negativeInfinity(b, type)
                                      : scalarConstant(b, type, 0);
  return insertAlong(b, mask, filledTensor(b, sizes, masked), sizes.size() - 1,
                     b.getIndexAttr(0));
}

// The mask as an operand of the loops over the scores.
static FailureOr<BroadcastOperand> readMask(LoweringContext &ctx, Value mask,
                                            const LoopSizes &sizes) {
  ImplicitLocOpBuilder &b = ctx.b;
  int64_t rank = cast<RankedTensorType>(mask.getType()).getRank();
  if (rank < 1 || rank > 4)
    return ctx.error() << "the mask has type " << mask.getType()
                       << "; expected rank 1 to 4";
  mask = padMask(ctx, mask, sizes.keys);
  int64_t heads = sizes.kvHeads * sizes.groups;
  Sizes full{sizes.batch, b.getIndexAttr(heads), sizes.queries, sizes.keys};
  SmallVector<OpFoldResult> own = sizesOf(b, mask);
  FailureOr<Sizes> fit = broadcastSizes(ctx, {full, own});
  if (failed(fit))
    return failure();
  for (auto [size, expected] : llvm::zip_equal(*fit, full))
    if (failed(checkSameSize(ctx, size, expected,
                             "the mask is larger than the scores")))
      return failure();
  if (rank < 3)
    return readBroadcast(ctx, mask, sizes.scores(b));

  int64_t headDim = rank - 3;
  if (!getConstantIntValue(own[headDim])) {
    mask = broadcastTo(ctx, mask, full);
    own = full;
    headDim = 1;
  }
  bool isShared = isConstantIntValue(own[headDim], 1);
  own[headDim] = b.getIndexAttr(isShared ? 1 : sizes.kvHeads);
  own.insert(own.begin() + headDim + 1,
             b.getIndexAttr(isShared ? 1 : sizes.groups));
  FailureOr<Value> split = reshapeTo(ctx, mask, own);
  if (failed(split))
    return failure();
  return readBroadcast(ctx, *split, sizes.scores(b));
}

namespace {
/// The operands that say which keys a query reads; each may be absent.
struct MaskOperands {
  SmallVector<BroadcastOperand> operands;
  std::optional<unsigned> mask, offsets, keyCounts;

  std::optional<unsigned> add(BroadcastOperand operand) {
    operands.push_back(operand);
    return operands.size(); // The scores come first.
  }
};
} // namespace

static FailureOr<BroadcastOperand> readBatch(LoweringContext &ctx, Value tensor,
                                             const LoopSizes &sizes) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getRank() != 1 || !type.getElementType().isIntOrIndex())
    return ctx.error() << "found type " << type
                       << "; expected an integer for each batch";
  if (failed(checkSameSize(ctx, sizeOf(ctx.b, tensor, 0), sizes.batch,
                           "expected an integer for each batch")))
    return failure();
  return BroadcastOperand{tensor,
                          AffineMap::get(5, 0, ctx.b.getAffineDimExpr(0))};
}

static FailureOr<MaskOperands> readMasks(LoweringContext &ctx,
                                         const AttentionProblem &problem,
                                         const LoopSizes &sizes) {
  MaskOperands masks;
  auto add = [&](FailureOr<BroadcastOperand> operand,
                 std::optional<unsigned> &position) {
    if (failed(operand))
      return failure();
    position = masks.add(*operand);
    return success();
  };
  bool usesPositions =
      problem.isCausal || problem.leftWindow >= 0 || problem.rightWindow >= 0;
  if (problem.mask &&
      failed(add(readMask(ctx, problem.mask, sizes), masks.mask)))
    return failure();
  if (usesPositions && problem.batchOffsets &&
      failed(add(readBatch(ctx, problem.batchOffsets, sizes), masks.offsets)))
    return failure();
  if (problem.keyCounts &&
      failed(add(readBatch(ctx, problem.keyCounts, sizes), masks.keyCounts)))
    return failure();
  return masks;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

// Whether the query at index 3 reads the key at index 4; null for always.
static Value isRead(ImplicitLocOpBuilder &b, const AttentionProblem &problem,
                    Value uniformOffset, const MaskOperands &masks,
                    ValueRange indices, ValueRange scalars) {
  using Predicate = arith::CmpIPredicate;
  Value key = indices[4], allowed;
  auto require = [&](Predicate predicate, Value rhs) {
    Value condition = arith::CmpIOp::create(b, predicate, key, rhs);
    allowed = allowed ? arith::AndIOp::create(b, allowed, condition).getResult()
                      : condition;
  };
  auto toIndex = [&](Value integer) {
    return b.createOrFold<arith::IndexCastOp>(b.getIndexType(), integer);
  };
  if (masks.keyCounts)
    require(Predicate::slt, toIndex(scalars[*masks.keyCounts]));
  if (!problem.isCausal && problem.leftWindow < 0 && problem.rightWindow < 0)
    return allowed;
  Value offset =
      masks.offsets ? toIndex(scalars[*masks.offsets]) : uniformOffset;
  Value position = b.createOrFold<arith::AddIOp>(indices[3], offset);
  auto shifted = [&](int64_t distance) {
    return b.createOrFold<arith::AddIOp>(
        position, indexValue(b, b.getIndexAttr(distance)));
  };
  if (problem.isCausal)
    require(Predicate::sle, position);
  if (problem.leftWindow >= 0)
    require(Predicate::sge, shifted(-problem.leftWindow));
  if (problem.rightWindow >= 0)
    require(Predicate::sle, shifted(problem.rightWindow));
  return allowed;
}

static Value maskScore(ImplicitLocOpBuilder &b, Value score,
                       const MaskOperands &masks, Value allowed,
                       ValueRange scalars) {
  Type type = score.getType();
  if (masks.mask) {
    Value mask = scalars[*masks.mask];
    if (isa<FloatType>(mask.getType())) {
      Value bias =
          mask.getType().getIntOrFloatBitWidth() > type.getIntOrFloatBitWidth()
              ? arith::TruncFOp::create(b, type, mask).getResult()
              : widen(b, mask, type);
      score = arith::AddFOp::create(b, score, bias);
    } else {
      allowed =
          allowed ? arith::AndIOp::create(b, allowed, mask).getResult() : mask;
    }
  }
  if (!allowed)
    return score;
  return arith::SelectOp::create(b, allowed, score, negativeInfinity(b, type));
}

static Value capScore(ImplicitLocOpBuilder &b, Value score, double softcap) {
  Value cap = scalarConstant(b, score.getType(), softcap);
  Value bounded = math::TanhOp::create(b, arith::DivFOp::create(b, score, cap));
  return arith::MulFOp::create(b, bounded, cap);
}

// Takes the products from stage `from` (nullopt: as they are) to stage `to`.
static Value advance(LoweringContext &ctx, const AttentionProblem &problem,
                     const MaskOperands &masks, const LoopSizes &sizes,
                     Value scores, std::optional<ScoreStage> from,
                     ScoreStage to) {
  ImplicitLocOpBuilder &b = ctx.b;
  auto passes = [&](ScoreStage stage) {
    return (!from || *from < stage) && stage <= to;
  };
  bool scales = passes(ScoreStage::Scaled) && problem.scale != 1;
  bool caps = passes(ScoreStage::Capped) && problem.softcap != 0;
  bool maskes = passes(ScoreStage::Masked) &&
                (!masks.operands.empty() || problem.isCausal ||
                 problem.leftWindow >= 0 || problem.rightWindow >= 0);
  if (!scales && !caps && !maskes)
    return scores;
  SmallVector<BroadcastOperand> operands{{scores, b.getMultiDimIdentityMap(5)}};
  if (maskes)
    llvm::append_range(operands, masks.operands);
  Value offset =
      indexValue(b, problem.offset ? problem.offset : b.getIndexAttr(0));
  return generate(
      b, sizes.scores(b), elementTypeOf(scores), operands,
      [&](ImplicitLocOpBuilder &body, ValueRange indices, ValueRange scalars) {
        Value score = scalars[0];
        if (scales)
          score = arith::MulFOp::create(
              body, score,
              scalarConstant(body, score.getType(), problem.scale));
        if (caps)
          score = capScore(body, score, problem.softcap);
        if (!maskes)
          return score;
        return maskScore(body, score, masks,
                         isRead(body, problem, offset, masks, indices, scalars),
                         scalars);
      });
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

static BroadcastOperand rowOperand(OpBuilder &b, Value rows) {
  return {rows, b.getMultiDimIdentityMap(5).getMajorSubMap(4)};
}

template <typename Op>
static Value reduceRows(ImplicitLocOpBuilder &b, Value scores,
                        ArrayRef<OpFoldResult> sizes, Value identity) {
  Value init = filledTensor(b, sizes.drop_back(), identity);
  SmallVector<utils::IteratorType> loops = parallelLoops(5);
  loops.back() = utils::IteratorType::reduction;
  AffineMap map = b.getMultiDimIdentityMap(5);
  return linalg::GenericOp::create(
             b, init.getType(), scores, init,
             ArrayRef<AffineMap>{map, map.getMajorSubMap(4)}, loops,
             [](OpBuilder &body, Location loc, ValueRange args) {
               Value reduced = Op::create(body, loc, args[1], args[0]);
               linalg::YieldOp::create(body, loc, reduced);
             })
      .getResult(0);
}

// Where `value` is `special`, `replacement` instead.
static Value replaceFloat(ImplicitLocOpBuilder &b, Value value, Value special,
                          double replacement) {
  Value isSpecial =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, value, special);
  return arith::SelectOp::create(
      b, isSpecial, scalarConstant(b, value.getType(), replacement), value);
}

// A row that is masked altogether, all of it minus infinity, gives zeros: its
// maximum counts as 0 and its sum as 1.
static Value softmaxRows(ImplicitLocOpBuilder &b, Value scores,
                         ArrayRef<OpFoldResult> sizes) {
  Type type = elementTypeOf(scores);
  BroadcastOperand all{scores, b.getMultiDimIdentityMap(5)};
  Value maxima = reduceRows<arith::MaximumFOp>(b, scores, sizes,
                                               negativeInfinity(b, type));
  all.tensor = generate(
      b, sizes, type, {all, rowOperand(b, maxima)},
      [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) -> Value {
        Value maximum =
            replaceFloat(body, scalars[1], negativeInfinity(body, type), 0);
        return math::ExpOp::create(
            body, arith::SubFOp::create(body, scalars[0], maximum));
      });
  Value sums = reduceRows<arith::AddFOp>(b, all.tensor, sizes,
                                         scalarConstant(b, type, 0));
  return generate(
      b, sizes, type, {all, rowOperand(b, sums)},
      [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) -> Value {
        Value sum =
            replaceFloat(body, scalars[1], scalarConstant(body, type, 0), 1);
        return arith::DivFOp::create(body, scalars[0], sum);
      });
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

static Value narrowTo(ImplicitLocOpBuilder &b, Value tensor, Type type) {
  if (elementTypeOf(tensor) == type)
    return tensor;
  SmallVector<OpFoldResult> sizes = sizesOf(b, tensor);
  return generate(
      b, sizes, type,
      BroadcastOperand{tensor, b.getMultiDimIdentityMap(sizes.size())},
      [&](ImplicitLocOpBuilder &body, ValueRange, ValueRange scalars) -> Value {
        return arith::TruncFOp::create(body, type, scalars[0]);
      });
}

// The scores of all query heads, for the output that shows them.
static FailureOr<Value> showScores(LoweringContext &ctx, Value scores,
                                   const LoopSizes &sizes, Type type) {
  return reshapeTo(ctx, narrowTo(ctx.b, scores, type),
                   {sizes.batch,
                    ctx.b.getIndexAttr(sizes.kvHeads * sizes.groups),
                    sizes.queries, sizes.keys});
}

static FailureOr<Heads> weighValues(LoweringContext &ctx,
                                    const AttentionProblem &problem,
                                    const LoopSizes &sizes,
                                    Value probabilities) {
  ImplicitLocOpBuilder &b = ctx.b;
  HeadLayout layout = problem.query.layout;
  OpFoldResult kvHeads = b.getIndexAttr(sizes.kvHeads);
  OpFoldResult groups = b.getIndexAttr(sizes.groups);
  OpFoldResult heads = b.getIndexAttr(sizes.kvHeads * sizes.groups);
  bool isFirst = layout == HeadLayout::HeadsFirst;
  Sizes grouped =
      isFirst
          ? Sizes{sizes.batch, kvHeads, groups, sizes.queries, sizes.valueSize}
          : Sizes{sizes.batch, sizes.queries, kvHeads, groups, sizes.valueSize};
  Sizes joined =
      isFirst ? Sizes{sizes.batch, heads, sizes.queries, sizes.valueSize}
              : Sizes{sizes.batch, sizes.queries, heads, sizes.valueSize};
  // The outer loop runs over the values' elements, the inner over the keys.
  Value output = contract(
      b, {probabilities, groupedMap(b, HeadLayout::HeadsFirst, Inner)},
      {problem.value.tensor, sharedMap(b, problem.value.layout, Inner, Outer)},
      grouped, groupedMap(b, layout, Outer), elementTypeOf(probabilities));
  FailureOr<Value> result = reshapeTo(
      ctx, narrowTo(b, output, elementTypeOf(problem.query.tensor)), joined);
  if (failed(result))
    return failure();
  return Heads{*result, layout};
}

FailureOr<AttentionOutputs>
tern::onnx::emitAttention(LoweringContext &ctx, const AttentionProblem &problem,
                          std::optional<ScoreStage> shown) {
  ImplicitLocOpBuilder &b = ctx.b;
  FailureOr<LoopSizes> sizes = loopSizes(ctx, problem);
  if (failed(sizes))
    return failure();
  FailureOr<Value> query = splitGroups(ctx, problem.query, *sizes);
  FailureOr<MaskOperands> masks = readMasks(ctx, problem, *sizes);
  if (failed(query) || failed(masks))
    return failure();
  Type inputType = elementTypeOf(*query);
  Type type = inputType.isF64() ? inputType : Type(b.getF32Type());
  // The outer loop runs over the keys, the inner over their elements.
  Value scores = contract(
      b, {*query, groupedMap(b, problem.query.layout, Inner)},
      {problem.key.tensor, sharedMap(b, problem.key.layout, Outer, Inner)},
      sizes->scores(b), groupedMap(b, HeadLayout::HeadsFirst, Outer), type);

  AttentionOutputs outputs;
  Value shownScores;
  std::optional<ScoreStage> stage;
  if (shown && *shown != ScoreStage::Probabilities) {
    scores = advance(ctx, problem, *masks, *sizes, scores, stage, *shown);
    shownScores = scores;
    stage = shown;
  }
  scores =
      advance(ctx, problem, *masks, *sizes, scores, stage, ScoreStage::Masked);
  Value probabilities = softmaxRows(b, scores, sizes->scores(b));
  if (shown == ScoreStage::Probabilities)
    shownScores = probabilities;
  if (shownScores) {
    FailureOr<Value> result = showScores(ctx, shownScores, *sizes, inputType);
    if (failed(result))
      return failure();
    outputs.scores = *result;
  }
  FailureOr<Heads> output = weighValues(ctx, problem, *sizes, probabilities);
  if (failed(output))
    return failure();
  outputs.output = *output;
  return outputs;
}
