//===- TernaryFolds.cpp - folds of the ternary dialect --------------------===//

#include "tern/Dialect/Ternary/IR/Storage.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

#include <memory>

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

namespace {
/// Constant matrices whose rows, one under the other, are those of a value.
class ConstantParts {
public:
  /// Gathers the parts of `matrix`, whose constant, if there is one, is
  /// `constant`.
  ConstantParts(Value matrix, Attribute constant) {
    auto stack = matrix.getDefiningOp<StackOp>();
    if (constant)
      add(cast<MatrixType>(matrix.getType()), constant);
    else if (stack)
      for (Value source : stack.getSources()) {
        Attribute part;
        matchPattern(source, m_Constant(&part));
        add(cast<MatrixType>(source.getType()), part);
      }
  }

  /// Gathers the operands of a StackOp.
  ConstantParts(ValueRange matrices, ArrayRef<Attribute> constants) {
    for (auto [matrix, constant] : llvm::zip(matrices, constants))
      add(cast<MatrixType>(matrix.getType()), constant);
  }

  /// All parts as one constant of type `to`, or null if not all of them are
  /// known.
  ElementsAttr build(MatrixType to) {
    if (parts.empty() || isIncomplete)
      return {};
    auto type = RankedTensorType::get({to.getStorageBytes()},
                                      first.getShapedType().getElementType());
    return buildConstantBytes(
        type, getConstantName(first),
        [&](MutableArrayRef<uint8_t> result) { repack(parts, to, result); });
  }

private:
  void add(MatrixType type, Attribute constant) {
    auto attr = dyn_cast_or_null<ElementsAttr>(constant);
    scratch.push_back(std::make_unique<SmallVector<uint8_t>>());
    auto bytes = attr ? getConstantBytes(attr, *scratch.back()) : std::nullopt;
    isIncomplete |= !bytes;
    if (!bytes)
      return;
    if (!first)
      first = attr;
    parts.push_back({type, *bytes});
  }

  SmallVector<StoredMatrix> parts;
  /// Where parts are that their attributes do not spell out.
  SmallVector<std::unique_ptr<SmallVector<uint8_t>>> scratch;
  ElementsAttr first;
  bool isIncomplete = false;
};
} // namespace

OpFoldResult StackOp::fold(FoldAdaptor adaptor) {
  if (getSources().size() == 1)
    return getSources().front();
  return ConstantParts(getSources(), adaptor.getSources())
      .build(getResult().getType());
}

OpFoldResult PackOp::fold(FoldAdaptor adaptor) {
  MatrixType to = getResult().getType();
  if (getSource().getType() == to)
    return getSource();
  if (lookThroughPack(getSourceMutable()))
    return getResult();
  return ConstantParts(getSource(), adaptor.getSource()).build(to);
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
