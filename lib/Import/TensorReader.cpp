//===- TensorReader.cpp - TensorProto to attribute ------------------------===//

#include "TensorReader.h"

#include "TypedData.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/APInt.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tern::importer;

using TensorProto = onnxlib::TensorProto;

Type tern::importer::getElementType(int dataType, MLIRContext &context) {
  Builder builder(&context);
  switch (dataType) {
  case TensorProto::BOOL:
    return builder.getI1Type();
  case TensorProto::INT2:
    return builder.getIntegerType(2);
  case TensorProto::INT4:
    return builder.getIntegerType(4);
  case TensorProto::INT8:
    return builder.getI8Type();
  case TensorProto::INT16:
    return builder.getI16Type();
  case TensorProto::INT32:
    return builder.getI32Type();
  case TensorProto::INT64:
    return builder.getI64Type();
  case TensorProto::UINT2:
    return builder.getIntegerType(2, /*isSigned=*/false);
  case TensorProto::UINT4:
    return builder.getIntegerType(4, /*isSigned=*/false);
  case TensorProto::UINT8:
    return builder.getIntegerType(8, /*isSigned=*/false);
  case TensorProto::UINT16:
    return builder.getIntegerType(16, /*isSigned=*/false);
  case TensorProto::UINT32:
    return builder.getIntegerType(32, /*isSigned=*/false);
  case TensorProto::UINT64:
    return builder.getIntegerType(64, /*isSigned=*/false);
  case TensorProto::FLOAT4E2M1:
    return Float4E2M1FNType::get(&context);
  case TensorProto::FLOAT8E4M3FN:
    return Float8E4M3FNType::get(&context);
  case TensorProto::FLOAT8E4M3FNUZ:
    return Float8E4M3FNUZType::get(&context);
  case TensorProto::FLOAT8E5M2:
    return Float8E5M2Type::get(&context);
  case TensorProto::FLOAT8E5M2FNUZ:
    return Float8E5M2FNUZType::get(&context);
  case TensorProto::FLOAT8E8M0:
    return Float8E8M0FNUType::get(&context);
  case TensorProto::FLOAT16:
    return builder.getF16Type();
  case TensorProto::BFLOAT16:
    return builder.getBF16Type();
  case TensorProto::FLOAT:
    return builder.getF32Type();
  case TensorProto::DOUBLE:
    return builder.getF64Type();
  case TensorProto::COMPLEX64:
    return ComplexType::get(builder.getF32Type());
  case TensorProto::COMPLEX128:
    return ComplexType::get(builder.getF64Type());
  default:
    return {};
  }
}

std::string tern::importer::getDataTypeName(int dataType) {
  if (TensorProto::DataType_IsValid(dataType))
    return TensorProto::DataType_Name(dataType);
  return "number " + llvm::itostr(dataType);
}

// The shape and type of a tensor, as ONNX writes it: "FLOAT[2, 3]".
static std::string getTypeText(const TensorProto &tensor) {
  std::string text = getDataTypeName(tensor.data_type()) + "[";
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(tensor.dims(), os);
  return text + "]";
}

// The number of bytes that `tensor` must hold; nullopt where it overflows.
static std::optional<uint64_t> getStorageSize(const TensorProto &tensor) {
  int64_t bits = getStorageBits(tensor.data_type());
  if (llvm::is_contained(tensor.dims(), 0))
    return 0;
  for (int64_t dim : tensor.dims())
    if (llvm::MulOverflow(bits, dim, bits))
      return std::nullopt;
  return llvm::divideCeil(static_cast<uint64_t>(bits), 8);
}

LogicalResult TensorReader::prepare(TensorProto &tensor, StringRef name) {
  if (!getElementType(tensor.data_type(), file.getContext()))
    return file.emitTensorError(name)
           << "element type " << getDataTypeName(tensor.data_type())
           << " is not supported";
  for (int64_t dim : tensor.dims())
    if (dim < 0)
      return file.emitTensorError(name)
             << "has a negative dimension in " << getTypeText(tensor);
  if (tensor.has_segment())
    return file.emitTensorError(name) << "is stored in segments; expected all "
                                         "of its data in one place";
  std::optional<uint64_t> size = getStorageSize(tensor);
  if (!size)
    return file.emitTensorError(name)
           << "claims more bytes than can be addressed: "
           << getTypeText(tensor);

  if (failed(findData(tensor, name, *size)))
    return failure();
  if (uint64_t found = getBytes(tensor).size(); found != *size)
    return file.emitTensorError(name)
           << "holds " << found << " bytes; expected " << *size << " for "
           << getTypeText(tensor);
  return checkBools(tensor, name);
}

LogicalResult TensorReader::findData(TensorProto &tensor, StringRef name,
                                     uint64_t size) {
  if (std::optional<FileSlice> slice = file.findInlineData(tensor)) {
    slices[&tensor] = std::move(*slice);
    return success();
  }
  if (std::optional<std::string> problem = moveToRawData(tensor))
    return file.emitTensorError(name) << *problem;
  if (tensor.data_location() == TensorProto::EXTERNAL)
    return loadExternal(tensor, name, size);
  return success();
}

ArrayRef<char> TensorReader::getBytes(const TensorProto &tensor) const {
  if (auto slice = slices.find(&tensor); slice != slices.end())
    return slice->second.bytes;
  return ArrayRef(tensor.raw_data().data(), tensor.raw_data().size());
}

LogicalResult TensorReader::loadExternal(TensorProto &tensor, StringRef name,
                                         uint64_t size) {
  StringRef location;
  uint64_t offset = 0, length = size;
  for (const auto &entry : tensor.external_data()) {
    bool isOffset = entry.key() == "offset", isLength = entry.key() == "length";
    if (entry.key() == "location")
      location = entry.value();
    else if ((isOffset || isLength) &&
             StringRef(entry.value())
                 .getAsInteger(10, isOffset ? offset : length))
      return file.emitTensorError(name)
             << "external data has " << entry.key() << " '" << entry.value()
             << "'; expected a number of bytes";
  }
  if (length != size)
    return file.emitTensorError(name)
           << "external data has " << length << " bytes; expected " << size
           << " for " << getTypeText(tensor);
  llvm::Expected<FileSlice> slice = external.map(location, offset, size);
  if (!slice)
    return file.emitTensorError(name) << llvm::toString(slice.takeError());

  // Type inference reads the values of small tensors, such as shapes.
  if (size <= options.maxDenseBytes) {
    tensor.set_raw_data(slice->bytes.data(), size);
    tensor.clear_data_location();
    tensor.clear_external_data();
  } else {
    slices[&tensor] = std::move(*slice);
  }
  return success();
}

LogicalResult TensorReader::checkBools(const TensorProto &tensor,
                                       StringRef name) {
  if (tensor.data_type() != TensorProto::BOOL)
    return success();
  ArrayRef<char> bytes = getBytes(tensor);
  const auto *wrong =
      llvm::find_if(bytes, [](char byte) { return byte != 0 && byte != 1; });
  if (wrong == bytes.end())
    return success();
  return file.emitTensorError(name)
         << "byte " << (wrong - bytes.begin()) << " of a BOOL tensor is "
         << static_cast<int>(static_cast<uint8_t>(*wrong))
         << "; expected 0 or 1";
}

// The elements of a type narrower than a byte, which lie lowest bits first.
static SmallVector<APInt> unpack(ArrayRef<char> bytes, int64_t count,
                                 unsigned bits) {
  SmallVector<APInt> elements;
  unsigned perByte = 8 / bits;
  for (int64_t i = 0; i < count; ++i) {
    auto byte = static_cast<uint8_t>(bytes[i / perByte]);
    uint64_t code = (byte >> (i % perByte * bits)) & ((1u << bits) - 1);
    elements.push_back(APInt(bits, code));
  }
  return elements;
}

static ElementsAttr makeDense(RankedTensorType type, ArrayRef<char> bytes,
                              int dataType) {
  Type elementType = type.getElementType();
  if (type.getNumElements() == 0)
    return DenseElementsAttr::get(type, ArrayRef<Attribute>());
  if (dataType == TensorProto::BOOL)
    return DenseElementsAttr::get(
        type,
        ArrayRef(reinterpret_cast<const bool *>(bytes.data()), bytes.size()));
  unsigned bits = getStorageBits(dataType);
  if (bits >= 8)
    return DenseElementsAttr::getFromRawBuffer(type, bytes);

  SmallVector<APInt> codes = unpack(bytes, type.getNumElements(), bits);
  auto floatType = dyn_cast<FloatType>(elementType);
  if (!floatType)
    return DenseElementsAttr::get(type, codes);
  SmallVector<APFloat> values;
  for (const APInt &code : codes)
    values.emplace_back(floatType.getFloatSemantics(), code);
  return DenseElementsAttr::get(type, values);
}

// A resource over `bytes`, which live as long as `owner`. Files may put a
// tensor at any address; who reads elements in place looks at it.
static ElementsAttr makeResource(RankedTensorType type, StringRef name,
                                 ArrayRef<char> bytes,
                                 std::shared_ptr<const void> owner) {
  auto release = [owner = std::move(owner)](void *, size_t, size_t) {};
  return DenseResourceElementsAttr::get(
      type, name,
      UnmanagedAsmResourceBlob::allocateWithAlign(bytes, /*align=*/1,
                                                  std::move(release)));
}

ElementsAttr TensorReader::read(TensorProto &tensor, StringRef name) {
  auto type = RankedTensorType::get(
      ArrayRef<int64_t>(tensor.dims().data(), tensor.dims_size()),
      getElementType(tensor.data_type(), file.getContext()));
  if (auto slice = slices.find(&tensor); slice != slices.end())
    return makeResource(type, name, slice->second.bytes, slice->second.file);

  ArrayRef<char> bytes(tensor.raw_data().data(), tensor.raw_data().size());
  if (bytes.size() <= options.maxDenseBytes)
    return makeDense(type, bytes, tensor.data_type());
  // The characters stay where they are when the string changes hands.
  std::shared_ptr<std::string> owner(tensor.release_raw_data());
  return makeResource(type, name, bytes, std::move(owner));
}
