//===- Constants.cpp - initializers ---------------------------------------===//

#include "Lowering.h"

#include "Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::onnx;

// The bits of an element that ONNX packs several to a byte; 0 for others.
static unsigned packedBits(Type elementType) {
  auto integer = dyn_cast<IntegerType>(elementType);
  if (!integer || integer.getWidth() == 1 || integer.getWidth() >= 8)
    return 0;
  return integer.getWidth();
}

static Value widenedConstant(ImplicitLocOpBuilder &b, DenseElementsAttr value,
                             RankedTensorType type) {
  bool isUnsigned = value.getElementType().isUnsignedInteger();
  SmallVector<APInt> elements;
  for (const APInt &element : value.getValues<APInt>())
    elements.push_back(isUnsigned ? element.zext(8) : element.sext(8));
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, elements));
}

// The element at `flat` of the packed `bytes`, lowest bits first.
static Value unpackElement(ImplicitLocOpBuilder &b, Value bytes, Value flat,
                           unsigned bits, bool isUnsigned) {
  Value perByte = arith::ConstantIndexOp::create(b, 8 / bits);
  Value byte = tensor::ExtractOp::create(
      b, bytes, ValueRange(arith::DivUIOp::create(b, flat, perByte)));
  Value place = arith::IndexCastOp::create(
      b, b.getI8Type(), arith::RemUIOp::create(b, flat, perByte));
  // The element goes to the top of the byte, then down with its sign.
  Value width = scalarConstant(b, b.getI8Type(), bits);
  Value unused = scalarConstant(b, b.getI8Type(), 8 - bits);
  Value above =
      arith::SubIOp::create(b, unused, arith::MulIOp::create(b, place, width));
  Value top = arith::ShLIOp::create(b, byte, above);
  if (isUnsigned)
    return arith::ShRUIOp::create(b, top, unused);
  return arith::ShRSIOp::create(b, top, unused);
}

// A loop that unpacks a resource, which stays as the file has it.
static Value unpackedResource(ImplicitLocOpBuilder &b,
                              DenseResourceElementsAttr value,
                              RankedTensorType type) {
  Type packed = value.getElementType();
  unsigned bits = packedBits(packed);
  int64_t byteCount = llvm::divideCeil(type.getNumElements() * bits, 8);
  auto bytesType = RankedTensorType::get(byteCount, b.getI8Type());
  Value bytes = arith::ConstantOp::create(
      b, DenseResourceElementsAttr::get(bytesType, value.getRawHandle()));

  auto body = [&](OpBuilder &nested, Location loc, ValueRange) {
    ImplicitLocOpBuilder body(loc, nested);
    Value flat = arith::ConstantIndexOp::create(body, 0);
    for (auto [dim, size] : llvm::enumerate(type.getShape())) {
      Value extent = arith::ConstantIndexOp::create(body, size);
      Value row = arith::MulIOp::create(body, flat, extent);
      flat =
          arith::AddIOp::create(body, row, linalg::IndexOp::create(body, dim));
    }
    Value element =
        unpackElement(body, bytes, flat, bits, packed.isUnsignedInteger());
    linalg::YieldOp::create(body, element);
  };
  Value init = tensor::EmptyOp::create(b, type.getShape(), b.getI8Type());
  return linalg::GenericOp::create(b, type, ValueRange(), init,
                                   b.getMultiDimIdentityMap(type.getRank()),
                                   parallelLoops(type.getRank()), body)
      .getResult(0);
}

// Bools of a byte each, as a dense attribute: a resource of bits cannot be
// translated to LLVM IR.
static Value boolConstant(ImplicitLocOpBuilder &b, ArrayRef<char> bytes,
                          RankedTensorType type) {
  SmallVector<bool> elements;
  for (char byte : bytes.take_front(type.getNumElements()))
    elements.push_back(byte != 0);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, elements));
}

static Value lowerResource(ConstantOp op, DenseResourceElementsAttr value,
                           RankedTensorType type, ImplicitLocOpBuilder &b) {
  const AsmResourceBlob *blob = value.getRawHandle().getBlob();
  unsigned bits = packedBits(value.getElementType());
  unsigned width = bits ? bits : type.getElementTypeBitWidth();
  // Bools take a byte each.
  uint64_t expected =
      llvm::divideCeil(type.getNumElements() * (width == 1 ? 8 : width), 8);
  if (!blob || blob->getData().size() < expected) {
    op.emitError() << "constant holds " << (blob ? blob->getData().size() : 0)
                   << " bytes; expected " << expected << " for "
                   << value.getType();
    return {};
  }
  if (bits)
    return unpackedResource(b, value, type);
  if (width == 1)
    return boolConstant(b, blob->getData(), type);
  return arith::ConstantOp::create(
      b, DenseResourceElementsAttr::get(type, value.getRawHandle()));
}

Value tern::onnx::lowerConstant(ConstantOp op, ImplicitLocOpBuilder &b) {
  auto type = dyn_cast<RankedTensorType>(lowerType(op.getType()));
  if (!type || !type.getElementType().isIntOrFloat()) {
    op.emitError() << "constant has type " << op.getType()
                   << "; expected a tensor of numbers";
    return {};
  }
  ElementsAttr value = op.getValue();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    return lowerResource(op, resource, type, b);
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense) {
    op.emitError() << "constant is neither dense nor a resource";
    return {};
  }
  if (packedBits(dense.getElementType()))
    return widenedConstant(b, dense, type);
  if (dense.getType() != type)
    dense = DenseElementsAttr::getFromRawBuffer(type, dense.getRawData());
  return arith::ConstantOp::create(b, dense);
}
