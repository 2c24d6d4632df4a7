//===- TernaryOps.cpp - verifiers, shapes and syntax of the operations ----===//

#include "tern/Dialect/Ternary/IR/Storage.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace tern::ternary;

#define GET_OP_CLASSES
#include "tern/Dialect/Ternary/IR/TernaryOps.cpp.inc"

//===----------------------------------------------------------------------===//
// What verifiers share
//===----------------------------------------------------------------------===//

/// Prints a dimension as types do.
static std::string formatDim(int64_t dim) {
  return ShapedType::isDynamic(dim) ? "?" : std::to_string(dim);
}

/// Checks that `found`, the size of `what`, may equal `expected`, the size of
/// `other`. A dynamic size may equal any.
static LogicalResult verifyDim(Operation *op, const Twine &what, int64_t found,
                               const Twine &other, int64_t expected) {
  if (ShapedType::isDynamic(found) || ShapedType::isDynamic(expected) ||
      found == expected)
    return success();
  return op->emitOpError() << what << " is " << formatDim(found)
                           << "; expected " << formatDim(expected) << ", "
                           << other;
}

/// As verifyDim, for a size that must be known.
static LogicalResult verifyStaticDim(Operation *op, const Twine &what,
                                     int64_t found, const Twine &other,
                                     int64_t expected) {
  if (found == expected)
    return success();
  return op->emitOpError() << what << " is " << formatDim(found)
                           << "; expected " << expected << ", " << other;
}

/// Checks that the columns of a matrix fall into `groups` of equal size.
static LogicalResult verifyGroups(Operation *op, const Twine &what,
                                  int64_t groups, int64_t cols) {
  if (!ShapedType::isDynamic(groups) && groups > 0 && cols % groups == 0)
    return success();
  return op->emitOpError() << what << " is " << formatDim(groups)
                           << "; expected a divisor of the " << cols
                           << " columns of the weights";
}

/// Checks that a weight scale is [1], [N] or [N, G], N being `rows`.
static LogicalResult verifyScale(Operation *op, RankedTensorType scale,
                                 int64_t rows) {
  if (scale.getRank() != 1 && scale.getRank() != 2)
    return op->emitOpError()
           << "scale has rank " << scale.getRank() << "; expected 1 or 2";
  int64_t first = scale.getDimSize(0);
  if (scale.getRank() == 1 && first == 1)
    return success();
  if (ShapedType::isDynamic(rows) ? !ShapedType::isDynamic(first)
                                  : first == rows)
    return success();
  InFlightDiagnostic diag = op->emitOpError()
                            << "scale has " << formatDim(first)
                            << " elements in dimension 0; expected ";
  if (scale.getRank() == 1)
    diag << "1 or ";
  return diag << formatDim(rows) << ", the output features";
}

/// Checks that the element type of `what` is `expected`.
static LogicalResult verifyElementType(Operation *op, const Twine &what,
                                       Type found, Type expected) {
  if (found == expected)
    return success();
  return op->emitOpError() << what << " has elements of " << found
                           << "; expected " << expected;
}

//===----------------------------------------------------------------------===//
// BitLinearOp
//===----------------------------------------------------------------------===//

int64_t BitLinearOp::getGroups() {
  auto type = getScale().getType();
  return type.getRank() == 2 ? type.getDimSize(1) : 1;
}

LogicalResult BitLinearOp::verify() {
  auto x = getX().getType();
  auto result = getResult().getType();
  MatrixType weights = getWeights().getType();
  if (x.getRank() == 0)
    return emitOpError("x has rank 0; expected a last dimension of features");
  if (result.getRank() != x.getRank())
    return emitOpError() << "result has rank " << result.getRank()
                         << "; expected " << x.getRank() << ", the rank of x";
  int64_t last = x.getRank() - 1;
  if (failed(verifyDim(*this, "last dimension of x", x.getDimSize(last),
                       "the columns of the weights", weights.getCols())) ||
      failed(verifyDim(*this, "last dimension of the result",
                       result.getDimSize(last), "the rows of the weights",
                       weights.getRows())))
    return failure();
  for (int64_t dim = 0; dim < last; ++dim)
    if (failed(verifyDim(*this, "dimension " + Twine(dim) + " of the result",
                         result.getDimSize(dim), "that of x",
                         x.getDimSize(dim))))
      return failure();
  if (failed(verifyElementType(*this, "result", result.getElementType(),
                               x.getElementType())) ||
      failed(verifyScale(*this, getScale().getType(), weights.getRows())))
    return failure();
  if (getScale().getType().getRank() == 2)
    return verifyGroups(*this, "dimension 1 of scale", getGroups(),
                        weights.getCols());
  return success();
}

LogicalResult
BitLinearOp::reifyResultShapes(OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> dims =
      tensor::getMixedSizes(builder, getLoc(), getX());
  dims.back() = builder.getIndexAttr(getWeights().getType().getRows());
  shapes.push_back(std::move(dims));
  return success();
}

//===----------------------------------------------------------------------===//
// QuantizeOp
//===----------------------------------------------------------------------===//

LogicalResult QuantizeOp::verify() {
  auto x = getX().getType();
  auto codes = getCodes().getType();
  if (getScales().getType().getElementType().isBF16() &&
      getQuantization().getForm() != ScaleForm::Step)
    return emitOpError() << "scales of bf16 are given with the form '"
                         << stringifyScaleForm(getQuantization().getForm())
                         << "'; expected 'step', as they are rounded up";
  return success(
      succeeded(verifyDim(*this, "dimension 0 of the codes",
                          codes.getDimSize(0), "that of x", x.getDimSize(0))) &&
      succeeded(verifyDim(*this, "dimension 1 of the codes",
                          codes.getDimSize(1), "that of x", x.getDimSize(1))) &&
      succeeded(verifyDim(*this, "size of the scales",
                          getScales().getType().getDimSize(0),
                          "dimension 0 of x", x.getDimSize(0))));
}

LogicalResult
QuantizeOp::reifyResultShapes(OpBuilder &builder,
                              ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> dims =
      tensor::getMixedSizes(builder, getLoc(), getX());
  shapes.push_back(dims);
  shapes.push_back({dims.front()});
  return success();
}

//===----------------------------------------------------------------------===//
// MatmulOp
//===----------------------------------------------------------------------===//

LogicalResult MatmulOp::verify() {
  auto x = getX().getType();
  auto result = getResult().getType();
  MatrixType weights = getWeights().getType();
  Builder builder(getContext());
  Type sum = x.getElementType().isF32() ? Type(builder.getF32Type())
                                        : Type(builder.getI32Type());
  if (result.getRank() != 2 && result.getRank() != 3)
    return emitOpError() << "result has rank " << result.getRank()
                         << "; expected 2, or 3 with groups";
  if (failed(
          verifyElementType(*this, "result", result.getElementType(), sum)) ||
      failed(verifyDim(*this, "dimension 1 of x", x.getDimSize(1),
                       "the columns of the weights", weights.getCols())) ||
      failed(verifyDim(*this, "dimension 0 of the result", result.getDimSize(0),
                       "that of x", x.getDimSize(0))) ||
      failed(verifyDim(*this, "last dimension of the result",
                       result.getShape().back(), "the rows of the weights",
                       weights.getRows())))
    return failure();
  if (std::optional<int64_t> groups = getGroups())
    return verifyGroups(*this, "dimension 1 of the result", *groups,
                        weights.getCols());
  return success();
}

LogicalResult MatmulOp::reifyResultShapes(OpBuilder &builder,
                                          ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> dims = {
      tensor::getMixedSize(builder, getLoc(), getX(), 0)};
  if (std::optional<int64_t> groups = getGroups())
    dims.push_back(builder.getIndexAttr(*groups));
  dims.push_back(builder.getIndexAttr(getWeights().getType().getRows()));
  shapes.push_back(std::move(dims));
  return success();
}

//===----------------------------------------------------------------------===//
// RescaleOp
//===----------------------------------------------------------------------===//

LogicalResult RescaleOp::verify() {
  auto acc = getAcc().getType();
  auto scale = getScale().getType();
  auto result = getResult().getType();
  if (acc.getRank() != 2 && acc.getRank() != 3)
    return emitOpError() << "acc has rank " << acc.getRank()
                         << "; expected 2, or 3 with groups";
  if (failed(verifyDim(*this, "dimension 0 of the result", result.getDimSize(0),
                       "that of acc", acc.getDimSize(0))) ||
      failed(verifyDim(*this, "dimension 1 of the result", result.getDimSize(1),
                       "the last of acc", acc.getShape().back())) ||
      failed(verifyScale(*this, scale, acc.getShape().back())))
    return failure();
  if ((acc.getRank() == 3) != (scale.getRank() == 2))
    return emitOpError() << "acc has rank " << acc.getRank()
                         << " and scale rank " << scale.getRank()
                         << "; expected 2 and 1, or 3 and 2 with groups";
  if (acc.getRank() == 3 &&
      failed(verifyStaticDim(*this, "dimension 1 of scale", scale.getDimSize(1),
                             "the groups of acc", acc.getDimSize(1))))
    return failure();
  if (!getActivationScales()) {
    if (getStep())
      return emitOpError("has 'step' but no activation scales to multiply by");
    return success();
  }
  return verifyDim(*this, "size of the activation scales",
                   getActivationScales().getType().getDimSize(0),
                   "dimension 0 of acc", acc.getDimSize(0));
}

LogicalResult
RescaleOp::reifyResultShapes(OpBuilder &builder,
                             ReifiedRankedShapedTypeDims &shapes) {
  int64_t last = getAcc().getType().getRank() - 1;
  shapes.push_back({tensor::getMixedSize(builder, getLoc(), getAcc(), 0),
                    tensor::getMixedSize(builder, getLoc(), getAcc(), last)});
  return success();
}

//===----------------------------------------------------------------------===//
// ConstantOp, StackOp, PackOp, UnpackOp, BytesOp
//===----------------------------------------------------------------------===//

LogicalResult ConstantOp::verify() {
  ElementsAttr attr = getBytes();
  ShapedType type = attr.getShapedType();
  if (!isa<DenseElementsAttr, DenseResourceElementsAttr>(attr))
    return emitOpError("bytes must be a dense attribute or a resource");
  if (!type.getElementType().isInteger(8) || type.getRank() != 1)
    return emitOpError() << "bytes have the type " << type
                         << "; expected one dimension of i8 or ui8";
  MatrixType matrix = getResult().getType();
  if (type.getNumElements() != matrix.getStorageBytes())
    return emitOpError() << "has " << type.getNumElements()
                         << " bytes; expected " << matrix.getStorageBytes()
                         << " for " << matrix;
  SmallVector<uint8_t> scratch;
  auto bytes = getConstantBytes(attr, scratch);
  if (isa<DenseElementsAttr>(attr))
    return verifyStorage(matrix, *bytes, [&] { return emitOpError(); });
  if (bytes && static_cast<int64_t>(bytes->size()) != matrix.getStorageBytes())
    return emitOpError() << "has a resource of " << bytes->size()
                         << " bytes; expected " << matrix.getStorageBytes()
                         << " for " << matrix;
  return success();
}

LogicalResult StackOp::verify() {
  MatrixType result = getResult().getType();
  if (getSources().empty())
    return emitOpError("has no source; expected at least one");
  if (!result.getLayout().isRowMajor())
    return emitOpError() << "result is " << result
                         << "; expected a row-major layout";
  int64_t rows = 0;
  for (Value source : getSources()) {
    auto type = cast<MatrixType>(source.getType());
    if (type.getLayout() != result.getLayout())
      return emitOpError() << "source is " << type
                           << "; expected the layout of the result, " << result;
    if (failed(verifyStaticDim(*this, "number of columns of a source",
                               type.getCols(), "that of the result",
                               result.getCols())))
      return failure();
    rows += type.getRows();
  }
  return verifyStaticDim(*this, "number of rows of the result",
                         result.getRows(), "the sum over the sources", rows);
}

LogicalResult PackOp::verify() {
  MatrixType source = getSource().getType();
  MatrixType result = getResult().getType();
  return success(succeeded(verifyStaticDim(
                     *this, "number of rows of the result", result.getRows(),
                     "that of the source", source.getRows())) &&
                 succeeded(verifyStaticDim(
                     *this, "number of columns of the result", result.getCols(),
                     "that of the source", source.getCols())));
}

LogicalResult UnpackOp::verify() {
  MatrixType source = getSource().getType();
  auto result = getResult().getType();
  return success(succeeded(verifyStaticDim(
                     *this, "dimension 0 of the result", result.getDimSize(0),
                     "the rows of the source", source.getRows())) &&
                 succeeded(verifyStaticDim(
                     *this, "dimension 1 of the result", result.getDimSize(1),
                     "the columns of the source", source.getCols())));
}

LogicalResult BytesOp::verify() {
  return verifyStaticDim(
      *this, "size of the result", getResult().getType().getDimSize(0),
      "the bytes of the source", getSource().getType().getStorageBytes());
}

//===----------------------------------------------------------------------===//
// PackedMatmulOp
//===----------------------------------------------------------------------===//

LogicalResult PackedMatmulOp::verify() {
  MatrixType matrix = getMatrixType();
  if (matrix.getLayout().isRowMajor())
    return emitOpError() << "matrix is " << matrix
                         << "; expected a tiled layout";
  auto x = cast<ShapedType>(getX().getType());
  auto bytes = cast<ShapedType>(getBytes().getType());
  auto init = cast<ShapedType>(getInit().getType());
  bool onTensors = isa<TensorType>(init);
  if (isa<TensorType>(x) != onTensors || isa<TensorType>(bytes) != onTensors)
    return emitOpError() << "mixes tensors and memrefs: x is " << x
                         << ", bytes are " << bytes << ", init is " << init;
  if (onTensors != static_cast<bool>(getResult()))
    return emitOpError() << (onTensors ? "needs" : "cannot have")
                         << " a result, since init is " << init;
  Type sum = x.getElementType().isF32() ? x.getElementType()
                                        : IntegerType::get(getContext(), 32);
  if (failed(verifyElementType(*this, "init", init.getElementType(), sum)))
    return failure();
  if (onTensors && getResult().getType() != init)
    return emitOpError() << "result is " << getResult().getType()
                         << "; expected " << init << ", the type of init";
  return success(
      succeeded(verifyDim(*this, "dimension 1 of x", x.getDimSize(1),
                          "the columns of the matrix in whole steps",
                          matrix.getPaddedCols())) &&
      succeeded(verifyDim(*this, "number of bytes", bytes.getDimSize(0),
                          "the storage of the matrix",
                          matrix.getStorageBytes())) &&
      succeeded(verifyDim(*this, "dimension 0 of init", init.getDimSize(0),
                          "that of x", x.getDimSize(0))) &&
      succeeded(verifyDim(*this, "dimension 1 of init", init.getDimSize(1),
                          "the rows of the matrix in whole tiles",
                          matrix.getPaddedRows())));
}

LogicalResult
PackedMatmulOp::reifyResultShapes(OpBuilder &builder,
                                  ReifiedRankedShapedTypeDims &shapes) {
  if (!getResult())
    return failure();
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getInit()));
  return success();
}

// `matrix-type ins(%x, %b : types) outs(%init : type) attrs (-> type)?`
ParseResult PackedMatmulOp::parse(OpAsmParser &parser, OperationState &result) {
  Type matrix;
  OpAsmParser::UnresolvedOperand x, bytes, init;
  Type xType, bytesType, initType;
  if (parser.parseType(matrix) || parser.parseKeyword("ins") ||
      parser.parseLParen() || parser.parseOperand(x) || parser.parseComma() ||
      parser.parseOperand(bytes) || parser.parseColonType(xType) ||
      parser.parseComma() || parser.parseType(bytesType) ||
      parser.parseRParen() || parser.parseKeyword("outs") ||
      parser.parseLParen() || parser.parseOperand(init) ||
      parser.parseColonType(initType) || parser.parseRParen() ||
      parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseOptionalArrowTypeList(result.types) ||
      parser.resolveOperand(x, xType, result.operands) ||
      parser.resolveOperand(bytes, bytesType, result.operands) ||
      parser.resolveOperand(init, initType, result.operands))
    return failure();
  result.addAttribute(getMatrixAttrName(result.name), TypeAttr::get(matrix));
  return success();
}

void PackedMatmulOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getMatrix() << " ins(" << getX() << ", " << getBytes()
          << " : " << getX().getType() << ", " << getBytes().getType()
          << ") outs(" << getInit() << " : " << getInit().getType() << ')';
  printer.printOptionalAttrDict((*this)->getAttrs(), {getMatrixAttrName()});
  if (getResult())
    printer << " -> " << getResult().getType();
}

void PackedMatmulOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : (*this)->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (operand.getOperandNumber() == getInitMutable().getOperandNumber())
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

//===----------------------------------------------------------------------===//
// AssertOp
//===----------------------------------------------------------------------===//

LogicalResult AssertOp::verify() {
  if (getTexts().size() != getValues().size() + 1)
    return emitOpError("has ")
           << getTexts().size() << " texts and " << getValues().size()
           << " values; expected one text more, values standing between them";
  return success();
}

//===----------------------------------------------------------------------===//
// FetchOp
//===----------------------------------------------------------------------===//

LogicalResult FetchOp::verify() {
  auto rows = cast<MemRefType>(getRows().getType());
  auto target = cast<MemRefType>(getTarget().getType());
  if (rows.getElementType() != target.getElementType())
    return emitOpError() << "target is " << target
                         << "; expected elements as those of " << rows;
  if (rows.isDynamicDim(1) || rows.getDimSize(1) != target.getDimSize(0))
    return emitOpError() << "target is " << target << "; expected the "
                         << "static size of a row of " << rows;
  for (MemRefType type : {rows, target})
    if (!type.isLastDimUnitStride())
      return emitOpError() << "has an operand of type " << type
                           << "; expected a last dimension of stride 1";
  return success();
}
