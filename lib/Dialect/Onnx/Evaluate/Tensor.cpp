//===- Tensor.cpp - a tensor known at compile time ------------------------===//

#include "tern/Dialect/Onnx/Evaluate/Tensor.h"

#include "Evaluation.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

#include <cstdlib>
#include <cstring>

using namespace mlir;
using namespace tern::onnx;

//===----------------------------------------------------------------------===//
// Element kinds and sizes
//===----------------------------------------------------------------------===//

unsigned tern::onnx::getBitWidth(ElementKind kind) {
  switch (kind) {
  case ElementKind::Bool:
    return 1;
  case ElementKind::I2:
  case ElementKind::U2:
    return 2;
  case ElementKind::I4:
  case ElementKind::U4:
    return 4;
  case ElementKind::I8:
  case ElementKind::U8:
    return 8;
  case ElementKind::I16:
  case ElementKind::U16:
  case ElementKind::F16:
  case ElementKind::BF16:
    return 16;
  case ElementKind::I32:
  case ElementKind::U32:
  case ElementKind::F32:
    return 32;
  case ElementKind::I64:
  case ElementKind::U64:
  case ElementKind::F64:
    return 64;
  }
  llvm_unreachable("unknown ElementKind");
}

unsigned tern::onnx::getStorageBytes(ElementKind kind) {
  return llvm::divideCeil(getBitWidth(kind), 8);
}

bool tern::onnx::isFloat(ElementKind kind) { return kind >= ElementKind::F16; }

bool tern::onnx::isUnsigned(ElementKind kind) {
  return kind >= ElementKind::U2 && kind <= ElementKind::U64;
}

bool tern::onnx::isSubByte(ElementKind kind) {
  return kind != ElementKind::Bool && getBitWidth(kind) < 8;
}

std::optional<ElementKind> tern::onnx::getElementKind(Type type) {
  if (type.isF16())
    return ElementKind::F16;
  if (type.isBF16())
    return ElementKind::BF16;
  if (type.isF32())
    return ElementKind::F32;
  if (type.isF64())
    return ElementKind::F64;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return std::nullopt;
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return ElementKind::Bool;
  case 2:
    return isUnsigned ? ElementKind::U2 : ElementKind::I2;
  case 4:
    return isUnsigned ? ElementKind::U4 : ElementKind::I4;
  case 8:
    return isUnsigned ? ElementKind::U8 : ElementKind::I8;
  case 16:
    return isUnsigned ? ElementKind::U16 : ElementKind::I16;
  case 32:
    return isUnsigned ? ElementKind::U32 : ElementKind::I32;
  case 64:
    return isUnsigned ? ElementKind::U64 : ElementKind::I64;
  default:
    return std::nullopt;
  }
}

Type tern::onnx::getElementType(ElementKind kind, MLIRContext *context) {
  switch (kind) {
  case ElementKind::F16:
    return Float16Type::get(context);
  case ElementKind::BF16:
    return BFloat16Type::get(context);
  case ElementKind::F32:
    return Float32Type::get(context);
  case ElementKind::F64:
    return Float64Type::get(context);
  default:
    return IntegerType::get(context, getBitWidth(kind),
                            isUnsigned(kind) ? IntegerType::Unsigned
                                             : IntegerType::Signless);
  }
}

std::optional<ElementKind> tern::onnx::getElementKind(int64_t onnxDataType) {
  switch (onnxDataType) {
  case 1:
    return ElementKind::F32;
  case 2:
    return ElementKind::U8;
  case 3:
    return ElementKind::I8;
  case 4:
    return ElementKind::U16;
  case 5:
    return ElementKind::I16;
  case 6:
    return ElementKind::I32;
  case 7:
    return ElementKind::I64;
  case 9:
    return ElementKind::Bool;
  case 10:
    return ElementKind::F16;
  case 11:
    return ElementKind::F64;
  case 12:
    return ElementKind::U32;
  case 13:
    return ElementKind::U64;
  case 16:
    return ElementKind::BF16;
  case 21:
    return ElementKind::U4;
  case 22:
    return ElementKind::I4;
  case 25:
    return ElementKind::U2;
  case 26:
    return ElementKind::I2;
  default:
    return std::nullopt;
  }
}

/// Bytes of elements of `bits` each.
static int64_t getBytes(Type type, unsigned bits) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape())
    return 0;
  uint64_t count = 1;
  for (int64_t dim : tensor.getShape())
    count = llvm::SaturatingMultiply<uint64_t>(count, dim);
  return llvm::SaturatingMultiply<uint64_t>(count, bits) / 8;
}

int64_t tern::onnx::getPackedBytes(Type type) {
  std::optional<ElementKind> kind = getElementKind(getElementTypeOrSelf(type));
  return kind ? getBytes(type, getBitWidth(*kind)) : 0;
}

int64_t tern::onnx::getTensorBytes(Type type) {
  std::optional<ElementKind> kind = getElementKind(getElementTypeOrSelf(type));
  return kind ? getBytes(type, 8 * getStorageBytes(*kind)) : 0;
}

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

/// The number of elements of `shape`, or nullopt where it is no valid size of
/// elements of `elementBytes` bytes.
static std::optional<int64_t> countElements(ArrayRef<int64_t> shape,
                                            int64_t elementBytes) {
  int64_t count = 1;
  for (int64_t dim : shape) {
    if (dim < 0 || llvm::MulOverflow(count, dim, count))
      return std::nullopt;
  }
  if (count > Tensor::kMaxBytes / elementBytes)
    return std::nullopt;
  return count;
}

std::optional<Tensor> Tensor::allocate(ElementKind kind,
                                       ArrayRef<int64_t> shape) {
  std::optional<int64_t> count = countElements(shape, ::getStorageBytes(kind));
  if (!count)
    return std::nullopt;
  // One byte more, so that an empty tensor has an address too.
  auto *memory =
      static_cast<char *>(std::malloc(*count * ::getStorageBytes(kind) + 1));
  if (!memory)
    return std::nullopt;
  Tensor tensor;
  tensor.kind = kind;
  tensor.owned = true;
  tensor.numElements = *count;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.elements = std::shared_ptr<char>(memory, std::free);
  return tensor;
}

/// Spreads fields of `bits` bits, lowest first, over bytes, with their sign.
static void unpackFields(ElementKind kind, ArrayRef<char> bytes, int64_t count,
                         char *out) {
  unsigned bits = getBitWidth(kind);
  unsigned perByte = 8 / bits;
  unsigned mask = (1u << bits) - 1;
  unsigned sign = isUnsigned(kind) ? 0 : 1u << (bits - 1);
  for (int64_t i = 0; i < count; ++i) {
    unsigned byte = static_cast<unsigned char>(bytes[i / perByte]);
    unsigned field = byte >> (i % perByte * bits) & mask;
    out[i] = static_cast<char>((field ^ sign) - sign);
  }
}

void tern::onnx::wrapSubByte(Tensor &tensor) {
  unsigned bits = getBitWidth(tensor.getKind());
  unsigned mask = (1u << bits) - 1;
  unsigned sign = isUnsigned(tensor.getKind()) ? 0 : 1u << (bits - 1);
  auto *data = tensor.getMutableData<uint8_t>();
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i)
    data[i] = static_cast<uint8_t>(((data[i] & mask) ^ sign) - sign);
}

std::optional<Tensor> Tensor::fromBytes(ElementKind kind,
                                        ArrayRef<int64_t> shape,
                                        ArrayRef<char> bytes, bool packed) {
  unsigned elementBytes = ::getStorageBytes(kind);
  std::optional<int64_t> count = countElements(shape, elementBytes);
  if (!count)
    return std::nullopt;
  bool mustUnpack = packed && isSubByte(kind);
  int64_t expected = mustUnpack
                         ? llvm::divideCeil(*count * ::getBitWidth(kind), 8)
                         : *count * elementBytes;
  if (static_cast<int64_t>(bytes.size()) != expected)
    return std::nullopt;

  // A file may hold any byte for a Bool and start a tensor at any address;
  // loops may rely on 0 and 1 and on natural alignment.
  bool aligned = reinterpret_cast<uintptr_t>(bytes.data()) % elementBytes == 0;
  if (aligned && bytes.data() && kind != ElementKind::Bool &&
      !isSubByte(kind)) {
    Tensor tensor;
    tensor.kind = kind;
    tensor.numElements = *count;
    tensor.shape.assign(shape.begin(), shape.end());
    tensor.elements =
        std::shared_ptr<char>(const_cast<char *>(bytes.data()), [](char *) {});
    return tensor;
  }

  std::optional<Tensor> tensor = allocate(kind, shape);
  if (!tensor)
    return std::nullopt;
  char *out = tensor->elements.get();
  if (mustUnpack)
    unpackFields(kind, bytes, *count, out);
  else if (!bytes.empty())
    std::memcpy(out, bytes.data(), bytes.size());
  if (kind == ElementKind::Bool)
    for (int64_t i = 0; i < *count; ++i)
      out[i] = out[i] != 0;
  // A dense attribute does not extend the sign of a narrow integer.
  if (isSubByte(kind) && !mustUnpack)
    wrapSubByte(*tensor);
  return tensor;
}

std::optional<Tensor> Tensor::fromAttr(ElementsAttr attr) {
  ShapedType type = attr.getShapedType();
  std::optional<ElementKind> kind =
      type.hasStaticShape() ? ::getElementKind(type.getElementType())
                            : std::nullopt;
  if (!kind)
    return std::nullopt;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? fromBytes(*kind, type.getShape(), blob->getData(),
                            /*packed=*/true)
                : std::nullopt;
  }
  auto dense = dyn_cast<DenseElementsAttr>(attr);
  if (!dense)
    return std::nullopt;
  if (*kind != ElementKind::Bool && !dense.isSplat())
    return fromBytes(*kind, type.getShape(), dense.getRawData(),
                     /*packed=*/false);

  std::optional<Tensor> tensor = allocate(*kind, type.getShape());
  if (!tensor)
    return std::nullopt;
  char *out = tensor->elements.get();
  if (*kind == ElementKind::Bool) {
    for (bool element : dense.getValues<bool>())
      *out++ = element;
    return tensor;
  }
  ArrayRef<char> element = dense.getRawData();
  for (int64_t i = 0; i < tensor->numElements; ++i, out += element.size())
    std::memcpy(out, element.data(), element.size());
  if (isSubByte(*kind))
    wrapSubByte(*tensor);
  return tensor;
}

Tensor Tensor::withShape(ArrayRef<int64_t> newShape) const {
  Tensor tensor = *this;
  tensor.shape.assign(newShape.begin(), newShape.end());
  return tensor;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// Packs bytes to fields of `bits` bits, lowest first, as ONNX files have them.
static void packFields(unsigned bits, ArrayRef<char> elements,
                       MutableArrayRef<char> out) {
  unsigned perByte = 8 / bits;
  unsigned mask = (1u << bits) - 1;
  std::memset(out.data(), 0, out.size());
  for (auto [i, element] : llvm::enumerate(elements))
    out[i / perByte] |= (element & mask) << (i % perByte * bits);
}

ElementsAttr Tensor::toAttr(MLIRContext *context, StringRef name,
                            int64_t maxDenseElements) const {
  auto type = RankedTensorType::get(shape, ::getElementType(kind, context));
  ArrayRef<char> bytes(elements.get(), getNumBytes());
  // An empty resource would have no address; an empty dense costs nothing.
  if (numElements <= maxDenseElements || numElements == 0) {
    if (kind == ElementKind::Bool)
      return DenseElementsAttr::get(
          type, ArrayRef<bool>(reinterpret_cast<const bool *>(bytes.data()),
                               bytes.size()));
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  }
  if (isSubByte(kind)) {
    unsigned bits = ::getBitWidth(kind);
    AsmResourceBlob blob = HeapAsmResourceBlob::allocate(
        llvm::divideCeil(numElements * bits, 8), /*align=*/64);
    packFields(bits, bytes, blob.getMutableData());
    return DenseResourceElementsAttr::get(type, name, std::move(blob));
  }
  // The blob keeps the elements alive for as long as the context has it.
  auto keep = [owner = elements](void *, size_t, size_t) {};
  return DenseResourceElementsAttr::get(
      type, name,
      AsmResourceBlob(bytes, ::getStorageBytes(kind), std::move(keep),
                      /*dataIsMutable=*/false));
}
