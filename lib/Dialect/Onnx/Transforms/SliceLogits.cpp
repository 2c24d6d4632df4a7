//===- SliceLogits.cpp - logits of the last tokens only -------------------===//

#include "StepFunction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tern::onnx;

/// The operand through which `node` maps each token by itself, its other inputs
/// being constant; null if it does not.
static OpOperand *getRowwiseInput(Operation *op) {
  auto node = dyn_cast<NodeOp>(op);
  if (!node || !node->hasOneUse() ||
      !(node.is("MatMul") || node.is("Cast") || node.is("Mul") ||
        node.is("Div") || node.is("Identity")))
    return nullptr;
  OpOperand *found = nullptr;
  for (OpOperand &operand : node->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type)
      return nullptr;
    // Constants, and what a constant is turned into, have static shapes; the
    // sequence's dimension is dynamic.
    if (type.hasStaticShape()) {
      // One with a row for each token would have to be sliced too.
      int64_t rank = type.getRank();
      if (!node.is("MatMul") && rank > 1 && type.getDimSize(rank - 2) != 1)
        return nullptr;
      continue;
    }
    if (found || type.getRank() != 3 || type.isDynamicDim(2))
      return nullptr;
    found = &operand;
  }
  if (node.is("MatMul") && found && found->getOperandNumber() != 0)
    return nullptr;
  return found;
}

/// `logits` in f32.
static Value convertToF32(StepFunction &step, ImplicitLocOpBuilder &b,
                          Value logits) {
  auto type = cast<RankedTensorType>(logits.getType());
  unsigned width = type.getElementTypeBitWidth();
  if (type.getElementType().isF32())
    return logits;
  auto result = type.clone(b.getF32Type());
  Value empty =
      tensor::EmptyOp::create(b, result, ValueRange{step.getNumLogits()});
  auto loops =
      SmallVector<utils::IteratorType>(3, utils::IteratorType::parallel);
  auto body = [&](OpBuilder &nested, Location loc, ValueRange args) {
    Type f32 = nested.getF32Type();
    Value value =
        width < 32
            ? arith::ExtFOp::create(nested, loc, f32, args[0]).getResult()
            : arith::TruncFOp::create(nested, loc, f32, args[0]);
    linalg::YieldOp::create(nested, loc, value);
  };
  return linalg::GenericOp::create(
             b, result, logits, empty,
             SmallVector<AffineMap>(2, b.getMultiDimIdentityMap(3)), loops,
             body)
      .getResult(0);
}

Value tern::onnx::sliceLogits(StepFunction &step, unsigned index,
                              int64_t vocab) {
  func::ReturnOp results = step.getReturn();
  ImplicitLocOpBuilder b(results.getLoc(), results);
  OpOperand *target = &results->getOpOperand(index);
  bool throughHead = false;
  while (!throughHead) {
    Operation *producer = target->get().getDefiningOp();
    OpOperand *input = producer ? getRowwiseInput(producer) : nullptr;
    if (!input)
      break;
    throughHead = cast<NodeOp>(producer).is("MatMul");
    target = input;
  }
  if (!throughHead)
    target = &results->getOpOperand(index);

  b.setInsertionPoint(target->getOwner());
  auto type = cast<RankedTensorType>(target->get().getType());
  auto fullType = RankedTensorType::get(
      {1, ShapedType::kDynamic, type.getDimSize(2)}, type.getElementType());
  Value full = tensor::CastOp::create(b, fullType, target->get());
  Value first = arith::SubIOp::create(b, step.getCount(), step.getNumLogits());
  Value slice = tensor::ExtractSliceOp::create(
      b, full,
      ArrayRef<OpFoldResult>{b.getIndexAttr(0), first, b.getIndexAttr(0)},
      ArrayRef<OpFoldResult>{b.getIndexAttr(1), step.getNumLogits(),
                             b.getIndexAttr(type.getDimSize(2))},
      ArrayRef<OpFoldResult>{b.getIndexAttr(1), b.getIndexAttr(1),
                             b.getIndexAttr(1)});
  target->set(slice);
  auto logits = cast<RankedTensorType>(results.getOperand(index).getType());
  b.setInsertionPoint(results);
  return convertToF32(
      step, b,
      tensor::CastOp::create(
          b,
          RankedTensorType::get({1, ShapedType::kDynamic, vocab},
                                logits.getElementType()),
          results.getOperand(index)));
}
