//===- RotaryEmbedding.cpp - rotations by a token's position --------------===//

#include "Heads.h"
#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// The rotation
//===----------------------------------------------------------------------===//

// The angles of each token as [batch, sequence, dim / 2], with the dimension of
// the heads added.
static FailureOr<Value> anglesOfTokens(LoweringContext &ctx, Value cache,
                                       const RotaryAngles &angles,
                                       HeadLayout layout) {
  FailureOr<Value> rows = cache;
  if (angles.positions)
    rows = gather(ctx, cache, angles.positions, /*axis=*/0);
  if (failed(rows))
    return failure();
  SmallVector<OpFoldResult> sizes = sizesOf(ctx.b, *rows);
  if (sizes.size() != 3)
    return ctx.error() << "the angles have type " << rows->getType()
                       << "; expected rank " << (angles.positions ? 2 : 3);
  int64_t headDim = layout == HeadLayout::HeadsFirst ? 1 : 2;
  sizes.insert(sizes.begin() + headDim, ctx.b.getIndexAttr(1));
  return reshapeTo(ctx, *rows, sizes);
}

// One of the two elements of each rotated pair.
static Value halfOf(ImplicitLocOpBuilder &b, Value tensor, int64_t half,
                    int64_t count, bool isInterleaved) {
  int64_t offset = isInterleaved ? half : half * count;
  return sliceAlong(b, tensor, /*axis=*/3, b.getIndexAttr(offset),
                    b.getIndexAttr(count), isInterleaved ? 2 : 1);
}

// cos * x - sin * y and sin * x + cos * y, in f32 where the type is narrower.
static SmallVector<Value> rotatePair(ImplicitLocOpBuilder &b, Value x, Value y,
                                     Value cos, Value sin) {
  Type type = x.getType();
  bool isNarrow = type.getIntOrFloatBitWidth() < 32;
  auto widen = [&](Value value) -> Value {
    if (!isNarrow)
      return value;
    return arith::ExtFOp::create(b, b.getF32Type(), value);
  };
  auto narrow = [&](Value value) -> Value {
    if (!isNarrow)
      return value;
    return arith::TruncFOp::create(b, type, value);
  };
  auto multiply = [&](Value lhs, Value rhs) -> Value {
    return arith::MulFOp::create(b, widen(lhs), widen(rhs));
  };
  Value real = arith::SubFOp::create(b, multiply(cos, x), multiply(sin, y));
  Value imaginary =
      arith::AddFOp::create(b, multiply(sin, x), multiply(cos, y));
  return {narrow(real), narrow(imaginary)};
}

FailureOr<Heads> tern::onnx::rotate(LoweringContext &ctx, const Heads &heads,
                                    const RotaryAngles &angles) {
  ImplicitLocOpBuilder &b = ctx.b;
  FailureOr<Value> cos = anglesOfTokens(ctx, angles.cos, angles, heads.layout);
  if (failed(cos))
    return failure();
  FailureOr<Value> sin = anglesOfTokens(ctx, angles.sin, angles, heads.layout);
  if (failed(sin))
    return failure();
  SmallVector<OpFoldResult> sizes = sizesOf(b, heads.tensor);
  std::optional<int64_t> headSize = getConstantIntValue(sizes[3]);
  std::optional<int64_t> pairs = getConstantIntValue(sizeOf(b, *cos, 3));
  if (!headSize || !pairs || 2 * *pairs > *headSize)
    return ctx.error() << "found angles of type " << cos->getType()
                       << " for heads of type " << heads.tensor.getType();

  Value tensor = castToSizes(b, heads.tensor, sizes);
  Value x = halfOf(b, tensor, 0, *pairs, angles.isInterleaved);
  Value y = halfOf(b, tensor, 1, *pairs, angles.isInterleaved);
  Sizes half(sizes);
  half[3] = b.getIndexAttr(*pairs);
  for (FailureOr<Value> *operand : {&cos, &sin})
    if (FailureOr<Sizes> fit =
            broadcastSizes(ctx, {half, sizesOf(b, **operand)});
        failed(fit))
      return failure();
  BroadcastOperand cosRead = readBroadcast(ctx, *cos, half);
  BroadcastOperand sinRead = readBroadcast(ctx, *sin, half);
  AffineMap identity = b.getMultiDimIdentityMap(4);
  Type type = cast<RankedTensorType>(tensor.getType()).getElementType();
  Value init = emptyTensor(b, half, type);
  auto rotated = linalg::GenericOp::create(
      b, TypeRange{init.getType(), init.getType()},
      ValueRange{x, y, cosRead.tensor, sinRead.tensor}, ValueRange{init, init},
      ArrayRef<AffineMap>{identity, identity, cosRead.map, sinRead.map,
                          identity, identity},
      parallelLoops(4), [](OpBuilder &builder, Location loc, ValueRange args) {
        ImplicitLocOpBuilder body(loc, builder);
        linalg::YieldOp::create(
            body, rotatePair(body, args[0], args[1], args[2], args[3]));
      });

  // What is not rotated stays as it is.
  Value result = 2 * *pairs == *headSize ? emptyTensor(b, sizes, type) : tensor;
  for (int64_t part : {0, 1}) {
    int64_t offset = angles.isInterleaved ? part : part * *pairs;
    result = insertAlong(b, rotated.getResult(part), result, /*axis=*/3,
                         b.getIndexAttr(offset), angles.isInterleaved ? 2 : 1);
  }
  return Heads{result, heads.layout};
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

static FailureOr<Heads> headsOfInput(LoweringContext &ctx,
                                     std::optional<int64_t> headSize) {
  Value input = ctx.input(0);
  RankedTensorType type = ctx.type(0);
  if (type.getRank() == 4)
    return Heads{input, HeadLayout::HeadsFirst};
  int64_t heads = ctx.node.getInt("num_heads", 0);
  if (heads == 0 && headSize && type.getRank() == 3 && !type.isDynamicDim(2))
    heads = type.getDimSize(2) / *headSize;
  if (type.getRank() != 3 || heads <= 0)
    return ctx.error() << "found an input of type " << type << " and " << heads
                       << " heads; expected rank 4, or 3 and num_heads";
  return splitHeads(ctx, input, heads);
}

static LoweringResult lowerRotation(LoweringContext &ctx,
                                    const RotaryAngles &angles,
                                    std::optional<int64_t> headSize) {
  FailureOr<Heads> heads = headsOfInput(ctx, headSize);
  if (failed(heads))
    return failure();
  // The cache may hold more angles than are used only where the node says so.
  int64_t rotated = ctx.node.getInt("rotary_embedding_dim", 0);
  int64_t pairs =
      cast<RankedTensorType>(angles.cos.getType()).getShape().back();
  int64_t expected =
      rotated ? rotated
              : cast<RankedTensorType>(heads->tensor.getType()).getDimSize(3);
  if (pairs * 2 != expected)
    return ctx.error() << "found angles of type " << angles.cos.getType()
                       << "; expected " << expected / 2 << " of each token";
  FailureOr<Heads> result = rotate(ctx, *heads, angles);
  if (failed(result))
    return failure();
  if (ctx.type(0).getRank() == 4)
    return SmallVector<Value>{result->tensor};
  FailureOr<Value> joined = joinHeads(ctx, *result);
  if (failed(joined))
    return failure();
  return SmallVector<Value>{*joined};
}

static LogicalResult checkAngles(LoweringContext &ctx, unsigned cos,
                                 unsigned sin) {
  if (ctx.input(cos) && ctx.input(sin) && ctx.type(cos).getRank() > 0 &&
      ctx.type(cos).getRank() == ctx.type(sin).getRank() &&
      ctx.type(cos).getElementType() == ctx.type(0).getElementType() &&
      ctx.type(sin).getElementType() == ctx.type(0).getElementType())
    return success();
  return ctx.error() << "expected cosines and sines of the input's type";
}

// ONNX, opset 23: input, cosines, sines, positions.
static LoweringResult lowerRotaryEmbedding(LoweringContext &ctx) {
  if (failed(checkAngles(ctx, 1, 2)))
    return failure();
  RotaryAngles angles{ctx.input(1), ctx.input(2), ctx.input(3),
                      ctx.node.getInt("interleaved", 0) != 0};
  return lowerRotation(ctx, angles, std::nullopt);
}

// One position is the first token's, and counts on from there.
static Value countPositions(LoweringContext &ctx, Value first,
                            ArrayRef<OpFoldResult> sizes) {
  Value start = scalarsOf(ctx.b, first).front();
  return generate(
      ctx.b, sizes, start.getType(), {},
      [&](ImplicitLocOpBuilder &body, ValueRange indices, ValueRange) {
        Value token =
            arith::IndexCastOp::create(body, start.getType(), indices[1]);
        return arith::AddIOp::create(body, start, token).getResult();
      });
}

static bool isOneOrDynamic(int64_t size) {
  return size == 1 || ShapedType::isDynamic(size);
}

// onnxruntime's: input, positions, cosines, sines.
static LoweringResult lowerContribRotaryEmbedding(LoweringContext &ctx) {
  if (failed(checkAngles(ctx, 2, 3)))
    return failure();
  if (ctx.node.getInt("is_packed_batching", 0) ||
      ctx.node.getFloat("scale", 1) != 1)
    return ctx.error() << "packed batches and scales are not supported";
  if (!ctx.input(1) || ctx.type(1).getRank() < 1 || ctx.type(1).getRank() > 2)
    return ctx.error() << "expected positions of rank 1 or 2";
  Value positions = ctx.input(1);
  if (ctx.type(1).getRank() == 1) {
    if (!isOneOrDynamic(ctx.type(1).getDimSize(0)) || ctx.type(0).getRank() < 3)
      return ctx.error() << "found positions of type " << ctx.type(1)
                         << "; expected one, or one for each token";
    if (ctx.type(1).isDynamicDim(0)) {
      Value count = tensor::DimOp::create(ctx.b, positions, 0);
      Value isOne =
          arith::CmpIOp::create(ctx.b, arith::CmpIPredicate::eq, count,
                                arith::ConstantIndexOp::create(ctx.b, 1));
      ctx.check(isOne, "expected one position, or one for each token");
      positions = tensor::CastOp::create(
          ctx.b, RankedTensorType::get({1}, ctx.type(1).getElementType()),
          positions);
    }
    int64_t sequenceDim = ctx.type(0).getRank() - 2;
    positions = countPositions(ctx, positions,
                               {sizeOf(ctx.b, ctx.input(0), 0),
                                sizeOf(ctx.b, ctx.input(0), sequenceDim)});
  }
  RotaryAngles angles{ctx.input(2), ctx.input(3), positions,
                      ctx.node.getInt("interleaved", 0) != 0};
  int64_t pairs = ctx.type(2).getShape().back();
  return lowerRotation(ctx, angles,
                       ShapedType::isDynamic(pairs) || pairs == 0
                           ? std::nullopt
                           : std::optional<int64_t>(2 * pairs));
}

void tern::onnx::addRotaryEmbeddingLowerings(LoweringTable &table) {
  table["RotaryEmbedding"] = lowerRotaryEmbedding;
  table["com.microsoft::RotaryEmbedding"] = lowerContribRotaryEmbedding;
}
