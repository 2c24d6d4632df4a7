//===- Building.cpp - the operations that replace a layer -----------------===//

#include "Raising.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace tern;
using tern::onnx::ConstantOp;
using tern::onnx::NodeOp;

/// Elements up to which a constant is a dense attribute and not a resource.
static constexpr int64_t kMaxDenseElements = 64;

//===----------------------------------------------------------------------===//
// ONNX nodes
//===----------------------------------------------------------------------===//

Value tern::buildNode(ImplicitLocOpBuilder &b, StringRef kind, Type type,
                      ValueRange inputs, ArrayRef<NamedAttribute> attrs) {
  return NodeOp::create(b, TypeRange{type}, kind, inputs,
                        b.getDictionaryAttr(attrs))
      ->getResult(0);
}

Value tern::buildElementwise(ImplicitLocOpBuilder &b, StringRef kind,
                             Value shaped, Type elementType,
                             ValueRange inputs) {
  auto type = cast<RankedTensorType>(shaped.getType());
  return buildNode(b, kind, type.clone(elementType), inputs);
}

/// The `TensorProto.DataType` of the types that are cast to here.
static int64_t getOnnxType(Type type) {
  if (type.isF32())
    return 1;
  if (type.isF16())
    return 10;
  if (type.isBF16())
    return 16;
  if (type.isInteger(8))
    return type.isUnsignedInteger() ? 2 : 3;
  return 6; // INT32
}

Value tern::buildCast(ImplicitLocOpBuilder &b, Value value, Type elementType) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType() == elementType)
    return value;
  auto to = b.getNamedAttr("to", b.getI64IntegerAttr(getOnnxType(elementType)));
  return buildNode(b, "Cast", type.clone(elementType), value, to);
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value tern::buildMatrix(ImplicitLocOpBuilder &b, const TernaryWeight &weight) {
  auto type =
      ternary::MatrixType::get(b.getContext(), weight.rows, weight.cols);
  return ternary::ConstantOp::create(
      b, type, weight.bytes.toAttr(b.getContext(), "trits", kMaxDenseElements));
}

Value tern::buildScales(ImplicitLocOpBuilder &b, const TernaryWeight &weight) {
  SmallVector<int64_t> shape{static_cast<int64_t>(weight.scales.size())};
  if (weight.groups > 1)
    shape = {weight.rows, weight.groups};
  auto type = RankedTensorType::get(shape, b.getF32Type());
  ArrayRef<float> scales = weight.scales;
  if (type.getNumElements() <= kMaxDenseElements)
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, scales));
  auto blob = HeapAsmResourceBlob::allocateAndCopyInferAlign(scales);
  auto attr = DenseResourceElementsAttr::get(type, "scales", std::move(blob));
  return arith::ConstantOp::create(b, cast<TypedAttr>(attr));
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

Value tern::withLastDim(ImplicitLocOpBuilder &b, Value value, int64_t size) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape().back() == size)
    return value;
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = size;
  return tensor::CastOp::create(b, type.clone(shape), value);
}

/// Groups all dimensions but the last: {{0, ..., rank - 2}, {rank - 1}}.
static SmallVector<ReassociationIndices> getRowReassociation(int64_t rank) {
  SmallVector<ReassociationIndices> groups(2);
  for (int64_t i = 0; i + 1 < rank; ++i)
    groups[0].push_back(i);
  groups[1].push_back(rank - 1);
  return groups;
}

/// [..., K] as [M, K].
static Value flattenRows(ImplicitLocOpBuilder &b, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  int64_t rank = type.getRank(), last = type.getShape().back();
  if (rank == 2)
    return value;
  if (rank == 1)
    return tensor::ExpandShapeOp::create(
        b, type.clone({1, last}), value,
        SmallVector<ReassociationIndices>{{0, 1}});
  return tensor::CollapseShapeOp::create(b, value, getRowReassociation(rank));
}

/// [M, N] as [..., N], the leading dimensions being those of `like`.
static Value restoreRows(ImplicitLocOpBuilder &b, Value value, Value like) {
  auto type = cast<RankedTensorType>(value.getType());
  auto likeType = cast<RankedTensorType>(like.getType());
  int64_t rank = likeType.getRank(), last = type.getShape().back();
  if (rank == 2)
    return value;
  if (rank == 1)
    return tensor::CollapseShapeOp::create(
        b, value, SmallVector<ReassociationIndices>{{0, 1}});
  SmallVector<int64_t> shape(likeType.getShape());
  shape.back() = last;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, b.getLoc(), like);
  sizes.back() = b.getIndexAttr(last);
  return tensor::ExpandShapeOp::create(b, type.clone(shape), value,
                                       getRowReassociation(rank), sizes);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

Value tern::buildProduct(ImplicitLocOpBuilder &b, Value codes,
                         const TernaryWeight &weight, StringRef form) {
  codes = withLastDim(b, codes, weight.cols);
  Value rows = flattenRows(b, codes);
  int64_t m = cast<RankedTensorType>(rows.getType()).getDimSize(0);
  SmallVector<int64_t> shape{m, weight.rows};
  if (weight.groups > 1)
    shape = {m, weight.groups, weight.rows};
  auto product =
      ternary::MatmulOp::create(b, RankedTensorType::get(shape, b.getI32Type()),
                                rows, buildMatrix(b, weight));
  product->setAttr("form", b.getStringAttr(form));
  Value result = product;
  if (!weight.hasUnitScale() || weight.groups > 1)
    result = ternary::RescaleOp::create(
        b, RankedTensorType::get({m, weight.rows}, b.getF32Type()), result,
        buildScales(b, weight), /*activation_scales=*/Value(),
        /*scale_divides=*/false, /*step=*/false);
  return restoreRows(b, result, codes);
}

void tern::replaceWithCast(ImplicitLocOpBuilder &b, Value old,
                           Value replacement) {
  replacement = buildCast(b, replacement, getElementTypeOrSelf(old.getType()));
  if (replacement.getType() != old.getType())
    replacement = tensor::CastOp::create(b, old.getType(), replacement);
  old.replaceAllUsesWith(replacement);
}
