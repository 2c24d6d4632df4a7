//===- Storage.cpp - reading and writing stored trits ---------------------===//

#include "tern/Dialect/Ternary/IR/Storage.h"

#include "mlir/IR/DialectResourceBlobManager.h"

#include <array>

using namespace mlir;
using namespace tern::ternary;

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

namespace {
/// The codes of a byte, in the order of its planes.
using ByteCodes = std::array<uint8_t, 5>;
using DecodeTable = std::array<ByteCodes, 256>;
} // namespace

/// What code 1 in a plane adds to the byte.
static constexpr std::array<uint8_t, 5> i2Weights = {1, 4, 16, 64, 0};
static constexpr std::array<uint8_t, 5> t5Weights = {1, 3, 9, 27, 81};

static ArrayRef<uint8_t> getPlaneWeights(Encoding encoding) {
  if (encoding == Encoding::I2)
    return ArrayRef(i2Weights).drop_back();
  return t5Weights;
}

static constexpr DecodeTable buildI2Table() {
  DecodeTable table{};
  for (unsigned byte = 0; byte < 256; ++byte)
    for (unsigned plane = 0; plane < 4; ++plane)
      table[byte][plane] = (byte >> (2 * plane)) & 3;
  return table;
}

// Bytes above 242 give the last code 3, so that they are found to be invalid.
static constexpr DecodeTable buildT5Table() {
  DecodeTable table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned rest = byte;
    for (unsigned plane = 0; plane < 4; ++plane, rest /= 3)
      table[byte][plane] = rest % 3;
    table[byte][4] = rest;
  }
  return table;
}

static const DecodeTable &getDecodeTable(Encoding encoding) {
  static constexpr DecodeTable i2Table = buildI2Table();
  static constexpr DecodeTable t5Table = buildT5Table();
  return encoding == Encoding::I2 ? i2Table : t5Table;
}

uint8_t tern::ternary::getZeroByte(Encoding encoding) {
  unsigned sum = 0;
  for (uint8_t weight : getPlaneWeights(encoding))
    sum += weight;
  return sum;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Calls `visit(byte, column, stride)` for each byte of a row: the byte's code
/// of plane j belongs to column `column + j * stride`.
template <typename Visitor>
static void forEachByte(MatrixType matrix, int64_t row, Visitor visit) {
  LayoutAttr layout = matrix.getLayout();
  int64_t codesPerByte = layout.getCodesPerByte();
  if (layout.isRowMajor()) {
    int64_t rowBytes = matrix.getPaddedCols() / codesPerByte;
    for (int64_t b = 0; b < rowBytes; ++b)
      visit(row * rowBytes + b, b * codesPerByte, 1);
    return;
  }
  int64_t tile = layout.getTile();
  int64_t steps = matrix.getPaddedCols() / layout.getStepColumns();
  int64_t first = (row / tile) * steps * 4 * tile + (row % tile) * 4;
  for (int64_t s = 0; s < steps; ++s)
    for (int64_t i = 0; i < 4; ++i)
      visit(first + s * 4 * tile + i, s * layout.getStepColumns() + i, 4);
}

void tern::ternary::decodeRow(MatrixType matrix, ArrayRef<uint8_t> storage,
                              int64_t row, MutableArrayRef<uint8_t> codes) {
  Encoding encoding = matrix.getLayout().getEncoding();
  const DecodeTable &table = getDecodeTable(encoding);
  int64_t planes = matrix.getLayout().getCodesPerByte();
  forEachByte(matrix, row, [&](int64_t byte, int64_t column, int64_t stride) {
    const ByteCodes &byteCodes = table[storage[byte]];
    for (int64_t j = 0; j < planes; ++j)
      codes[column + j * stride] = byteCodes[j];
  });
}

void tern::ternary::encodeRow(MatrixType matrix, ArrayRef<uint8_t> codes,
                              int64_t row, MutableArrayRef<uint8_t> storage) {
  ArrayRef<uint8_t> weights = getPlaneWeights(matrix.getLayout().getEncoding());
  forEachByte(matrix, row, [&](int64_t byte, int64_t column, int64_t stride) {
    unsigned value = 0;
    for (auto [j, weight] : llvm::enumerate(weights))
      value += codes[column + j * stride] * weight;
    storage[byte] = value;
  });
}

void tern::ternary::repack(MatrixType from, ArrayRef<uint8_t> source,
                           MatrixType to, MutableArrayRef<uint8_t> result) {
  llvm::fill(result, getZeroByte(to.getLayout().getEncoding()));
  int64_t cols = std::max(from.getPaddedCols(), to.getPaddedCols());
  SmallVector<uint8_t> codes(cols, 1);
  for (int64_t row = 0; row < from.getRows(); ++row) {
    decodeRow(from, source, row, codes);
    std::fill(codes.begin() + from.getCols(), codes.end(), 1);
    encodeRow(to, codes, row, result);
  }
}

LogicalResult
tern::ternary::verifyStorage(MatrixType matrix, ArrayRef<uint8_t> storage,
                             function_ref<InFlightDiagnostic()> emitError) {
  SmallVector<uint8_t> codes(matrix.getPaddedCols());
  for (int64_t row = 0; row < matrix.getPaddedRows(); ++row) {
    decodeRow(matrix, storage, row, codes);
    for (auto [column, code] : llvm::enumerate(codes)) {
      bool isPadding = row >= matrix.getRows() ||
                       static_cast<int64_t>(column) >= matrix.getCols();
      if (code > 2)
        return emitError() << "holds the code " << unsigned(code) << " at row "
                           << row << ", column " << column
                           << "; expected 0, 1 or 2";
      if (isPadding && code != 1)
        return emitError() << "holds the code " << unsigned(code)
                           << " in the padding at row " << row << ", column "
                           << column << "; expected 1 (trit 0)";
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

std::optional<ArrayRef<uint8_t>>
tern::ternary::getConstantBytes(ElementsAttr attr,
                                SmallVectorImpl<uint8_t> &scratch) {
  auto asBytes = [](ArrayRef<char> data) {
    return ArrayRef(reinterpret_cast<const uint8_t *>(data.data()),
                    data.size());
  };
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? std::optional(asBytes(blob->getData())) : std::nullopt;
  }
  auto dense = dyn_cast<DenseElementsAttr>(attr);
  if (!dense)
    return std::nullopt;
  if (dense.empty())
    return ArrayRef<uint8_t>();
  if (!dense.isSplat())
    return asBytes(dense.getRawData());
  scratch.assign(dense.getNumElements(),
                 static_cast<uint8_t>(dense.getRawData().front()));
  return ArrayRef<uint8_t>(scratch);
}

ElementsAttr tern::ternary::buildConstantBytes(
    ShapedType type, StringRef name,
    function_ref<void(MutableArrayRef<uint8_t>)> fill) {
  // A dense attribute is hashed and lives as long as the context: it is for
  // what one may want to read in the IR.
  constexpr int64_t maxDenseBytes = 4096;
  // A cache line, so that vector loads do not straddle two.
  constexpr size_t alignment = 64;
  int64_t size = type.getNumElements();
  if (size <= maxDenseBytes) {
    SmallVector<uint8_t> bytes(size);
    fill(bytes);
    return DenseElementsAttr::getFromRawBuffer(
        type, ArrayRef(reinterpret_cast<const char *>(bytes.data()), size));
  }
  AsmResourceBlob blob = HeapAsmResourceBlob::allocate(size, alignment);
  fill(MutableArrayRef(
      reinterpret_cast<uint8_t *>(blob.getMutableData().data()), size));
  return DenseResourceElementsAttr::get(type, name, std::move(blob));
}

StringRef tern::ternary::getConstantName(ElementsAttr attr) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
    return resource.getRawHandle().getKey();
  return "trits";
}
