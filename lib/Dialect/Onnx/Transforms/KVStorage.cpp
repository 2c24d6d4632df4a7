//===- KVStorage.cpp - keys and values in fewer bits ----------------------===//

#include "KVStorage.h"

#include "tern/Dialect/Onnx/IR/Onnx.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tern;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

std::optional<KVStorage> tern::onnx::parseKVStorage(StringRef name) {
  return llvm::StringSwitch<std::optional<KVStorage>>(name)
      .Case("model", KVStorage::Model)
      .Case("f16", KVStorage::F16)
      .Case("i8", KVStorage::I8)
      .Default(std::nullopt);
}

StringRef tern::onnx::getStorageName(KVStorage storage) {
  switch (storage) {
  case KVStorage::Model:
    return "model";
  case KVStorage::F16:
    return "f16";
  case KVStorage::I8:
    return "i8";
  }
  llvm_unreachable("covered switch");
}

RankedTensorType tern::onnx::getStoredType(RankedTensorType computed,
                                           KVStorage storage) {
  Type type = computed.getElementType();
  Builder b(type.getContext());
  if (storage == KVStorage::F16 && type.isF32())
    return computed.clone(b.getF16Type());
  if (storage == KVStorage::I8 && type.getIntOrFloatBitWidth() <= 32)
    return computed.clone(b.getI8Type());
  return computed;
}

static bool isCopyNode(NodeOp node) {
  return node.getOutputs().size() == 1 &&
         lookThroughCopies(node.getOutputs()[0]) != node.getOutputs()[0];
}

/// Whether `node`, once at most, results, and nodes that ask for its shape are
/// all that see `value`. The shape of a copy would be asked of a node whose
/// types no longer fit.
static bool isReadBy(Operation *node, Value value, bool isCopy) {
  unsigned reads = 0;
  for (Operation *user : value.getUsers()) {
    auto other = dyn_cast<NodeOp>(user);
    if (user == node)
      ++reads;
    else if (isa<func::ReturnOp>(user) ||
             (other && other.is("Shape") && !isCopy))
      continue;
    else if (!other || !isCopyNode(other) ||
             !isReadBy(node, other.getOutputs()[0], /*isCopy=*/true))
      return false;
  }
  return reads <= 1;
}

bool tern::onnx::isReadByAttentionAlone(func::FuncOp graph, const KVCache &kv) {
  Value present =
      lookThroughCopies(graph.front().getTerminator()->getOperand(kv.present));
  Operation *node = present.getDefiningOp();
  return isReadBy(node, graph.getArgument(kv.past), /*isCopy=*/false) &&
         isReadBy(node, present, /*isCopy=*/false);
}

//===----------------------------------------------------------------------===//
// Storing
//===----------------------------------------------------------------------===//

RankedTensorType tern::onnx::getScalesType(RankedTensorType buffer) {
  if (!buffer.getElementType().isInteger(8))
    return {};
  return RankedTensorType::get(buffer.getShape().drop_back(),
                               BFloat16Type::get(buffer.getContext()));
}

/// `tensor` with another element type, a float's.
static Value convertElements(ImplicitLocOpBuilder &b, Value tensor, Type to) {
  auto type = cast<RankedTensorType>(tensor.getType());
  unsigned from = type.getElementTypeBitWidth();
  if (type.getElementType() == to)
    return tensor;
  if (from < to.getIntOrFloatBitWidth())
    return arith::ExtFOp::create(b, type.clone(to), tensor);
  return arith::TruncFOp::create(b, type.clone(to), tensor);
}

/// Each head of each position is a row with a scale of its own. Codes times
/// scales are what attention reads, so the scale is a step; in bf16, as in f32
/// it would be a thirtieth of what a head of 128 takes.
static KVTensor quantizeRows(ImplicitLocOpBuilder &b, Value rows) {
  // Zeros stay zeros, whatever their scale, and so become rows below this.
  constexpr float kLeast = 1e-30f;
  Value wide = convertElements(b, rows, b.getF32Type());
  auto type = cast<RankedTensorType>(wide.getType());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), wide);
  SmallVector<ReassociationIndices> rowsFirst = {{0, 1, 2}, {3}};
  Value flat = tensor::CollapseShapeOp::create(b, wide, rowsFirst);
  auto flatType = cast<RankedTensorType>(flat.getType());
  auto rule = ternary::QuantizationAttr::get(b.getContext(), kLeast,
                                             ternary::ScaleForm::Step);
  RankedTensorType codesType = type.clone(b.getI8Type()),
                   flatCodesType = flatType.clone(b.getI8Type());
  auto quantized = ternary::QuantizeOp::create(
      b, flatCodesType, getScalesType(flatCodesType), flat, rule);
  Value codes = tensor::ExpandShapeOp::create(
      b, codesType, quantized.getCodes(), rowsFirst, sizes);
  Value scales = tensor::ExpandShapeOp::create(
      b, getScalesType(codesType), quantized.getScales(),
      ArrayRef<ReassociationIndices>{{0, 1, 2}}, ArrayRef(sizes).drop_back());
  return {codes, scales};
}

KVTensor tern::onnx::storeRows(ImplicitLocOpBuilder &builder, Value rows,
                               RankedTensorType buffer) {
  if (buffer.getElementType().isInteger(8))
    return quantizeRows(builder, rows);
  return {convertElements(builder, rows, buffer.getElementType()), nullptr};
}
