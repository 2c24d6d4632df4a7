//===- TernaryTypes.cpp - types and attributes of the ternary dialect -----===//

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::ternary;

/// Parses and prints an f32 so that it reads back to the same bits.
static ParseResult parseFloat32(AsmParser &parser, FailureOr<APFloat> &value) {
  APFloat parsed(APFloat::IEEEsingle());
  if (parser.parseFloat(APFloat::IEEEsingle(), parsed))
    return failure();
  value = parsed;
  return success();
}
static void printFloat32(AsmPrinter &printer, const APFloat &value) {
  printer << value;
}

#include "tern/Dialect/Ternary/IR/TernaryEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "tern/Dialect/Ternary/IR/TernaryAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "tern/Dialect/Ternary/IR/TernaryTypes.cpp.inc"

void TernaryDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "tern/Dialect/Ternary/IR/TernaryAttrs.cpp.inc"
      >();
}

void TernaryDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "tern/Dialect/Ternary/IR/TernaryTypes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// LayoutAttr
//===----------------------------------------------------------------------===//

LayoutAttr LayoutAttr::getRowMajor(MLIRContext *context) {
  return get(context, Encoding::I2, /*tile=*/0);
}

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 Encoding, int64_t tile) {
  if (tile < 0 || tile > 256 || (tile != 0 && !llvm::isPowerOf2_64(tile)))
    return emitError() << "tile of " << tile
                       << " rows; expected 0 or a power of two up to 256";
  return success();
}

int64_t LayoutAttr::getPaddedRows(int64_t rows) const {
  return isRowMajor() ? rows : llvm::alignTo(rows, getTile());
}

int64_t LayoutAttr::getPaddedCols(int64_t cols) const {
  return llvm::alignTo(cols,
                       isRowMajor() ? getCodesPerByte() : getStepColumns());
}

int64_t LayoutAttr::getStorageBytes(int64_t rows, int64_t cols) const {
  return getPaddedRows(rows) * (getPaddedCols(cols) / getCodesPerByte());
}

//===----------------------------------------------------------------------===//
// QuantizationAttr
//===----------------------------------------------------------------------===//

LogicalResult
QuantizationAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                         ScaleForm, Rounding, APFloat eps, int64_t qmin) {
  if (&eps.getSemantics() != &APFloat::IEEEsingle() || !eps.isFinite() ||
      eps.isNegative())
    return emitError() << "eps must be a finite f32 that is not negative";
  if (qmin != -128 && qmin != -127)
    return emitError() << "qmin is " << qmin << "; expected -128 or -127";
  return success();
}

//===----------------------------------------------------------------------===//
// MatrixType
//===----------------------------------------------------------------------===//

Type MatrixType::parse(AsmParser &parser) {
  SmallVector<int64_t> dims;
  auto layout = LayoutAttr::getRowMajor(parser.getContext());
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(dims, /*allowDynamic=*/false,
                                /*withTrailingX=*/false))
    return {};
  if (dims.size() != 2) {
    parser.emitError(loc, "a ternary matrix has 2 dimensions, found ")
        << dims.size();
    return {};
  }
  if (succeeded(parser.parseOptionalComma()) && parser.parseAttribute(layout))
    return {};
  if (parser.parseGreater())
    return {};
  return parser.getChecked<MatrixType>(loc, parser.getContext(), dims[0],
                                       dims[1], layout);
}

void MatrixType::print(AsmPrinter &printer) const {
  printer << '<' << getRows() << 'x' << getCols();
  if (getLayout() != LayoutAttr::getRowMajor(getContext()))
    printer << ", " << getLayout();
  printer << '>';
}

LogicalResult MatrixType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t rows, int64_t cols, LayoutAttr) {
  // |sum| <= 128 K must fit i32 (see ternary.matmul).
  constexpr int64_t maxCols = (int64_t(1) << 24) - 1;
  if (rows < 0 || cols < 0)
    return emitError() << "dimensions must not be negative, found " << rows
                       << "x" << cols;
  if (cols > maxCols)
    return emitError() << "has " << cols << " columns; expected at most "
                       << maxCols << ", so that a sum fits i32";
  if (rows > (int64_t(1) << 32))
    return emitError() << "has " << rows << " rows; expected at most 2^32";
  return success();
}
