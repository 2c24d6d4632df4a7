//===- TernaryFolds.cpp - folds of the ternary dialect --------------------===//

#include "tern/Dialect/Ternary/IR/Storage.h"

#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace tern::ternary;

/// Layouts do not change a value: looks through a `ternary.pack` that makes
/// `source`, and says whether there was one.
static bool lookThroughPack(OpOperand &source) {
  auto pack = source.get().getDefiningOp<PackOp>();
  if (!pack)
    return false;
  source.set(pack.getSource());
  return true;
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getBytesAttr(); }

//===----------------------------------------------------------------------===//
// Storage level
//===----------------------------------------------------------------------===//

OpFoldResult PackOp::fold(FoldAdaptor adaptor) {
  MatrixType from = getSource().getType();
  MatrixType to = getResult().getType();
  if (from == to)
    return getSource();
  if (lookThroughPack(getSourceMutable()))
    return getResult();
  auto attr = dyn_cast_or_null<ElementsAttr>(adaptor.getSource());
  SmallVector<uint8_t> scratch;
  auto source = attr ? getConstantBytes(attr, scratch) : std::nullopt;
  if (!source)
    return {};
  auto type = RankedTensorType::get({to.getStorageBytes()},
                                    attr.getShapedType().getElementType());
  return buildConstantBytes(type, getConstantName(attr),
                            [&](MutableArrayRef<uint8_t> result) {
                              repack(from, *source, to, result);
                            });
}

OpFoldResult UnpackOp::fold(FoldAdaptor adaptor) {
  if (lookThroughPack(getSourceMutable()))
    return getResult();
  auto attr = dyn_cast_or_null<ElementsAttr>(adaptor.getSource());
  SmallVector<uint8_t> scratch;
  auto source = attr ? getConstantBytes(attr, scratch) : std::nullopt;
  auto type = getResult().getType();
  if (!source || !type.hasStaticShape())
    return {};
  MatrixType matrix = getSource().getType();
  auto fill = [&](MutableArrayRef<uint8_t> trits) {
    SmallVector<uint8_t> codes(matrix.getPaddedCols());
    for (int64_t row = 0; row < matrix.getRows(); ++row) {
      decodeRow(matrix, *source, row, codes);
      for (int64_t column = 0; column < matrix.getCols(); ++column)
        trits[row * matrix.getCols() + column] = codes[column] - 1;
    }
  };
  return buildConstantBytes(type, getConstantName(attr), fill);
}

OpFoldResult BytesOp::fold(FoldAdaptor adaptor) {
  auto attr = dyn_cast_or_null<ElementsAttr>(adaptor.getSource());
  auto type = getResult().getType();
  if (!attr || !type.hasStaticShape())
    return {};
  // The same blob under another type: nothing is copied.
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  if (auto dense = dyn_cast<DenseElementsAttr>(attr))
    return DenseElementsAttr::getFromRawBuffer(type, dense.getRawData());
  return {};
}

//===----------------------------------------------------------------------===//
// Arithmetic level
//===----------------------------------------------------------------------===//

/// Whether each weight of a constant is trit 0; true if there are no weights.
static bool isZeroMatrix(MatrixType matrix, Attribute constant) {
  if (matrix.getCols() == 0 || matrix.getRows() == 0)
    return true;
  auto attr = dyn_cast_or_null<ElementsAttr>(constant);
  SmallVector<uint8_t> scratch;
  auto bytes = attr ? getConstantBytes(attr, scratch) : std::nullopt;
  uint8_t zero = getZeroByte(matrix.getLayout().getEncoding());
  return bytes &&
         llvm::all_of(*bytes, [&](uint8_t byte) { return byte == zero; });
}

OpFoldResult MatmulOp::fold(FoldAdaptor adaptor) {
  if (lookThroughPack(getWeightsMutable()))
    return getResult();
  auto type = getResult().getType();
  if (!type.hasStaticShape() ||
      (type.getNumElements() != 0 &&
       !isZeroMatrix(getWeights().getType(), adaptor.getWeights())))
    return {};
  Builder builder(getContext());
  return DenseElementsAttr::get(type,
                                builder.getZeroAttr(type.getElementType()));
}
