//===- Heads.cpp - tensors of attention heads -----------------------------===//

#include "Heads.h"
#include "Sizes.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tern::onnx;

Type Heads::elementType() const {
  return cast<RankedTensorType>(tensor.getType()).getElementType();
}

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

LogicalResult tern::onnx::prependPast(LoweringContext &ctx, unsigned past,
                                      Heads &heads) {
  if (!ctx.input(past))
    return success();
  if (ctx.type(past).getRank() != 4)
    return ctx.error() << "input " << past << " has type " << ctx.type(past)
                       << "; expected rank 4";
  FailureOr<Value> present =
      concatenate(ctx, {ctx.input(past), headsFirst(ctx, heads)}, /*axis=*/2);
  if (failed(present))
    return failure();
  heads = {*present, HeadLayout::HeadsFirst};
  return success();
}
