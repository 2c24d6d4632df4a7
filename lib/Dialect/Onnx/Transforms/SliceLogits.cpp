//===- SliceLogits.cpp - logits of the last tokens only -------------------===//

#include "StepFunction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tern::onnx;

/// Whether a constant, or what a constant is turned into, has no row for each
/// token: it would have to be sliced too.
static bool isSameForAllTokens(RankedTensorType type) {
  int64_t rank = type.getRank();
  return rank <= 1 || type.getDimSize(rank - 2) == 1;
}

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
      if (!node.is("MatMul") && !isSameForAllTokens(type))
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

//===----------------------------------------------------------------------===//
// The norm before the head
//===----------------------------------------------------------------------===//

namespace {
/// Nodes that map each token by itself, which together compute a value from
/// another.
struct RowwiseNodes {
  SetVector<Operation *> nodes; ///< users before what they use
  SetVector<Value> sources;     ///< what they read, but for constants
};
} // namespace

/// `[1, tokens, K]` as far as its type tells.
static bool isTokens(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 3 && tensor.isDynamicDim(1) &&
         !tensor.isDynamicDim(2);
}

/// Whether a reduction of tokens to tokens is over the last dimension. Its axes
/// are an attribute or, from opset 18 on, an input.
static bool reducesEachToken(NodeOp node) {
  SmallVector<int64_t> axes(node.getInts("axes").value_or(ArrayRef<int64_t>()));
  DenseIntElementsAttr constant;
  if (Value input = node.getInput(1);
      input && matchPattern(input, m_Constant(&constant)) &&
      constant.getElementType().isInteger(64))
    axes.assign(constant.value_begin<int64_t>(), constant.value_end<int64_t>());
  return axes.size() == 1 && (axes[0] == -1 || axes[0] == 2);
}

/// Whether `op` is of the kinds that norms consist of. A sum of two values of
/// tokens is where layers end.
static bool isOfNorm(Operation *op) {
  auto node = dyn_cast_or_null<NodeOp>(op);
  if (!node || node->getNumResults() != 1 ||
      !isTokens(node->getResult(0).getType()))
    return false;
  int64_t numTokens = 0;
  for (Type type : node->getOperandTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !(isTokens(type) || tensor.hasStaticShape()))
      return false;
    if (tensor.hasStaticShape() && !isSameForAllTokens(tensor))
      return false;
    numTokens += isTokens(type);
  }
  if (node.is("Add"))
    return numTokens == 1;
  if (node.is("ReduceMean"))
    return numTokens == 1 && reducesEachToken(node);
  return numTokens > 0 &&
         llvm::any_of(ArrayRef<StringRef>{"Mul", "Div", "Sub", "Pow", "Sqrt",
                                          "Reciprocal", "Cast", "Identity"},
                      [&](StringRef kind) { return node.is(kind); });
}

/// The nodes of a norm of elementary nodes that ends in `value`, or nothing if
/// there is none, or something that computes from several values, which might
/// be of different tokens.
static RowwiseNodes findNorm(Value value) {
  constexpr size_t kMostNodes = 16;
  RowwiseNodes found;
  SmallVector<Value> pending = {value};
  while (!pending.empty()) {
    Value next = pending.pop_back_val();
    Operation *producer = next.getDefiningOp();
    if (!isOfNorm(producer)) {
      found.sources.insert(next);
      continue;
    }
    if (!found.nodes.insert(producer))
      continue;
    if (found.nodes.size() > kMostNodes)
      return {};
    for (Value operand : producer->getOperands())
      if (isTokens(operand.getType()))
        pending.push_back(operand);
  }
  if (found.sources.size() != 1)
    return {};
  return found;
}

/// Computes `value` by copies of `norm`, from `slice` instead of its source.
static Value computeFrom(ImplicitLocOpBuilder &b, RowwiseNodes &norm,
                         Value slice, Value value) {
  IRMapping mapping;
  mapping.map(norm.sources.front(), slice);
  SmallVector<Operation *> nodes = norm.nodes.takeVector();
  llvm::sort(nodes, [](Operation *lhs, Operation *rhs) {
    return lhs->isBeforeInBlock(rhs);
  });
  for (Operation *node : nodes)
    b.clone(*node, mapping);
  return mapping.lookup(value);
}

//===----------------------------------------------------------------------===//
// Logits
//===----------------------------------------------------------------------===//

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
  Value value = target->get();
  RowwiseNodes norm = throughHead ? findNorm(value) : RowwiseNodes();
  Value source = norm.nodes.empty() ? value : norm.sources.front();
  auto type = cast<RankedTensorType>(source.getType());
  auto fullType = RankedTensorType::get(
      {1, ShapedType::kDynamic, type.getDimSize(2)}, type.getElementType());
  Value full = tensor::CastOp::create(b, fullType, source);
  Value first = arith::SubIOp::create(b, step.getCount(), step.getNumLogits());
  Value slice = tensor::ExtractSliceOp::create(
      b, full,
      ArrayRef<OpFoldResult>{b.getIndexAttr(0), first, b.getIndexAttr(0)},
      ArrayRef<OpFoldResult>{b.getIndexAttr(1), step.getNumLogits(),
                             b.getIndexAttr(type.getDimSize(2))},
      ArrayRef<OpFoldResult>{b.getIndexAttr(1), b.getIndexAttr(1),
                             b.getIndexAttr(1)});
  target->set(norm.nodes.empty() ? slice : computeFrom(b, norm, slice, value));
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
