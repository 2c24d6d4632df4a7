//===- Storage.cpp - reading and writing stored trits ---------------------===//

#include "tern/Dialect/Ternary/IR/Storage.h"

#include "mlir/IR/DialectResourceBlobManager.h"

#include <type_traits>

using namespace mlir;
using namespace tern::ternary;

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

using DecodeTable = std::array<ByteCodes, 256>;

/// The byte of the codes that `getCode` gives, of four planes or five.
template <int64_t planes, typename GetCode>
static constexpr uint8_t encodeByte(GetCode getCode) {
  if constexpr (planes == 4)
    return getCode(0) + 4 * getCode(1) + 16 * getCode(2) + 64 * getCode(3);
  unsigned others =
      27 * getCode(1) + 9 * getCode(2) + 3 * getCode(3) + getCode(4);
  unsigned first = getCode(0);
  return others + (others < 64 ? 64 * first : 129 + 18 * (2 - first));
}

static constexpr DecodeTable buildI2Table() {
  DecodeTable table{};
  for (unsigned byte = 0; byte < 256; ++byte)
    for (unsigned plane = 0; plane < 4; ++plane)
      table[byte][plane] = (byte >> (2 * plane)) & 3;
  return table;
}

// Bytes that no codes give have the first code 3 and are found to be invalid.
static constexpr DecodeTable buildT5Table() {
  DecodeTable table{};
  for (ByteCodes &codes : table)
    codes = {3};
  for (unsigned number = 0; number < 243; ++number) {
    ByteCodes codes{};
    unsigned rest = number;
    for (uint8_t &code : codes) {
      code = rest % 3;
      rest /= 3;
    }
    table[encodeByte<5>([&](int64_t plane) { return codes[plane]; })] = codes;
  }
  return table;
}

static const DecodeTable &getDecodeTable(Encoding encoding) {
  static constexpr DecodeTable i2Table = buildI2Table();
  static constexpr DecodeTable t5Table = buildT5Table();
  return encoding == Encoding::I2 ? i2Table : t5Table;
}

ByteCodes tern::ternary::decodeByte(Encoding encoding, uint8_t byte) {
  return getDecodeTable(encoding)[byte];
}

uint8_t tern::ternary::getZeroByte(Encoding encoding) {
  auto getOne = [](int64_t) { return 1; };
  return encoding == Encoding::I2 ? encodeByte<4>(getOne)
                                  : encodeByte<5>(getOne);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

namespace {
template <int64_t value>
using Constant = std::integral_constant<int64_t, value>;
} // namespace

/// Calls `visit(byte, column, planes, stride)` for each byte of a row: the
/// byte's code of plane j, of `planes`, belongs to column `column + j *
/// stride`. The last two are constants, so that the loop over planes is
/// unrolled: model weights are billions of trits.
template <int64_t planes, typename Visitor>
static void forEachByteOf(MatrixType matrix, int64_t row, Visitor visit) {
  LayoutAttr layout = matrix.getLayout();
  if (layout.isRowMajor()) {
    int64_t rowBytes = matrix.getPaddedCols() / planes;
    for (int64_t b = 0; b < rowBytes; ++b)
      visit(row * rowBytes + b, b * planes, Constant<planes>(), Constant<1>());
    return;
  }
  int64_t tile = layout.getTile();
  int64_t steps = matrix.getPaddedCols() / (4 * planes);
  int64_t first = (row / tile) * steps * 4 * tile + (row % tile) * 4;
  for (int64_t s = 0; s < steps; ++s)
    for (int64_t i = 0; i < 4; ++i)
      visit(first + s * 4 * tile + i, s * 4 * planes + i, Constant<planes>(),
            Constant<4>());
}

template <typename Visitor>
static void forEachByte(MatrixType matrix, int64_t row, Visitor visit) {
  if (matrix.getLayout().getEncoding() == Encoding::I2)
    forEachByteOf<4>(matrix, row, visit);
  else
    forEachByteOf<5>(matrix, row, visit);
}

void tern::ternary::decodeRow(MatrixType matrix, ArrayRef<uint8_t> storage,
                              int64_t row, MutableArrayRef<uint8_t> codes) {
  const uint8_t *in = storage.data();
  uint8_t *out = codes.data();
  const DecodeTable &table = getDecodeTable(matrix.getLayout().getEncoding());
  forEachByte(matrix, row,
              [in, out, &table](int64_t byte, int64_t column, auto planes,
                                auto stride) {
                const ByteCodes byteCodes = table[in[byte]];
                for (int64_t j = 0; j < planes; ++j)
                  out[column + j * stride] = byteCodes[j];
              });
}

void tern::ternary::encodeRow(MatrixType matrix, ArrayRef<uint8_t> codes,
                              int64_t row, MutableArrayRef<uint8_t> storage) {
  const uint8_t *in = codes.data();
  uint8_t *out = storage.data();
  forEachByte(
      matrix, row,
      [in, out](int64_t byte, int64_t column, auto planes, auto stride) {
        out[byte] = encodeByte<decltype(planes)::value>(
            [=](int64_t j) { return in[column + j * stride]; });
      });
}

void tern::ternary::repack(ArrayRef<StoredMatrix> sources, MatrixType to,
                           MutableArrayRef<uint8_t> result) {
  llvm::fill(result, getZeroByte(to.getLayout().getEncoding()));
  int64_t row = 0;
  for (const StoredMatrix &source : sources) {
    MatrixType from = source.type;
    int64_t cols = std::max(from.getPaddedCols(), to.getPaddedCols());
    SmallVector<uint8_t> codes(cols, 1);
    for (int64_t i = 0; i < from.getRows(); ++i) {
      decodeRow(from, source.bytes, i, codes);
      std::fill(codes.begin() + from.getCols(), codes.end(), 1);
      encodeRow(to, codes, row++, result);
    }
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

ArrayRef<char> tern::ternary::getElementBytes(ElementsAttr attr) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? blob->getData() : ArrayRef<char>();
  }
  auto dense = dyn_cast<DenseElementsAttr>(attr);
  return dense && !dense.isSplat() ? dense.getRawData() : ArrayRef<char>();
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
