//===- ConstantVerifier.cpp - are the weights numbers? --------------------===//

#include "ConstantVerifier.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"

#include <cstring>

using namespace mlir;
using namespace tern::importer;

using onnxlib::NodeProto;
using onnxlib::TensorProto;

namespace {

/// Where a constant is read first.
struct Use {
  const NodeProto *node;
  int input;
};

/// The bits of a float's exponent, within an unsigned integer of its size.
struct FloatFormat {
  unsigned bytes;
  uint64_t exponent;
};

} // namespace

// The format of a type that knows infinities; 0 bytes for any other.
static FloatFormat getFormat(int dataType) {
  switch (dataType) {
  case TensorProto::FLOAT16:
    return {2, 0x7c00};
  case TensorProto::BFLOAT16:
    return {2, 0x7f80};
  case TensorProto::FLOAT:
    return {4, 0x7f800000};
  case TensorProto::DOUBLE:
    return {8, 0x7ff0000000000000};
  default:
    return {0, 0};
  }
}

// The index of the first element above `limit` without its sign, or -1.
template <typename Bits>
static int64_t findAbove(ArrayRef<char> bytes, Bits limit) {
  constexpr auto magnitude = static_cast<Bits>(~Bits(0)) >> 1;
  int64_t count = bytes.size() / sizeof(Bits);
  for (int64_t i = 0; i < count; ++i) {
    // External data may lie at any address.
    Bits element;
    std::memcpy(&element, bytes.data() + i * sizeof(Bits), sizeof(Bits));
    if ((element & magnitude) > limit)
      return i;
  }
  return -1;
}

// The index of the first NaN, or of the first infinity too; -1 where there is
// none.
static int64_t findNonFinite(ArrayRef<char> bytes, FloatFormat format,
                             bool allowInfinity) {
  uint64_t limit = format.exponent - (allowInfinity ? 0 : 1);
  switch (format.bytes) {
  case 2:
    return findAbove(bytes, static_cast<uint16_t>(limit));
  case 4:
    return findAbove(bytes, static_cast<uint32_t>(limit));
  case 8:
    return findAbove(bytes, limit);
  default:
    return -1;
  }
}

// Whether the element is an infinity: no bit is set below its exponent.
static bool isInfinity(ArrayRef<char> bytes, FloatFormat format,
                       int64_t index) {
  uint64_t element = 0; // little-endian
  std::memcpy(&element, bytes.data() + index * format.bytes, format.bytes);
  uint64_t sign = uint64_t(1) << (8 * format.bytes - 1);
  return (element & ~sign) == format.exponent;
}

// Whether the constant is a weight or scale of its first user, so that an
// infinity makes the user's results useless.
static bool isWeight(const Use &use) {
  StringRef name = use.node->op_type();
  if (use.input == 2 && name == "MatMulNBits") // the scales
    return true;
  if (use.input == 0)
    return name == "MatMul" || name == "Gemm" || name == "Transpose";
  if (use.input != 1)
    return false;
  return llvm::StringSwitch<bool>(name)
      .Cases({"MatMul", "Gemm", "DequantizeLinear", "QuantizeLinear"}, true)
      .Cases({"LayerNormalization", "RMSNormalization",
              "SimplifiedLayerNormalization"},
             true)
      .Default(false);
}

static std::string getIndexText(const TensorProto &tensor, int64_t index) {
  SmallVector<int64_t> position(tensor.dims_size());
  for (int i = tensor.dims_size() - 1; i >= 0; --i) {
    position[i] = index % tensor.dims(i);
    index /= tensor.dims(i);
  }
  std::string text = "[";
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(position, os);
  return text + "]";
}

// findNonFinite, in pieces that are read and forgotten.
static int64_t findInPieces(const TensorReader &reader, ArrayRef<char> bytes,
                            FloatFormat format, bool allowInfinity) {
  tern::MappedFiles files;
  reader.addFiles(files);
  constexpr size_t pieceBytes = size_t(64) << 20;
  for (size_t begin = 0; begin < bytes.size(); begin += pieceBytes) {
    size_t size = std::min(pieceBytes, bytes.size() - begin);
    int64_t index =
        findNonFinite(bytes.slice(begin, size), format, allowInfinity);
    if (index >= 0)
      return static_cast<int64_t>(begin / format.bytes) + index;
    if (size == pieceBytes)
      files.dropPages();
  }
  return -1;
}

static LogicalResult verifyConstant(const ModelFile &file,
                                    const TensorReader &reader,
                                    const TensorProto &tensor, const Use &use) {
  FloatFormat format = getFormat(tensor.data_type());
  if (format.bytes == 0)
    return success();
  ArrayRef<char> bytes = reader.getBytes(tensor);
  int64_t index = findInPieces(reader, bytes, format, !isWeight(use));
  if (index < 0)
    return success();
  return file.emitError(*use.node)
         << "constant '" << tensor.name() << "', its input " << use.input
         << ", holds " << (isInfinity(bytes, format, index) ? "inf" : "NaN")
         << " at " << getIndexText(tensor, index)
         << "; expected finite numbers";
}

LogicalResult tern::importer::verifyConstants(const ModelFile &file,
                                              const TensorReader &reader) {
  llvm::StringMap<Use> uses;
  for (const NodeProto &node : file.getGraph().node())
    for (int i = 0, e = node.input_size(); i != e; ++i)
      uses.try_emplace(node.input(i), Use{&node, i});
  for (const TensorProto &tensor : file.getGraph().initializer())
    if (auto use = uses.find(tensor.name()); use != uses.end())
      if (failed(verifyConstant(file, reader, tensor, use->second)))
        return failure();
  return success();
}
