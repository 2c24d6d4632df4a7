//===- TypedData.cpp - the typed fields of a TensorProto ------------------===//

#include "TypedData.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using TensorProto = ::onnx::TensorProto;

// Bytes are copied between typed fields and `raw_data`, which is little-endian.
static_assert(llvm::endianness::native == llvm::endianness::little,
              "the importer runs on little-endian machines");

unsigned tern::importer::getStorageBits(int dataType) {
  switch (dataType) {
  case TensorProto::INT2:
  case TensorProto::UINT2:
    return 2;
  case TensorProto::INT4:
  case TensorProto::UINT4:
  case TensorProto::FLOAT4E2M1:
    return 4;
  case TensorProto::BOOL:
  case TensorProto::INT8:
  case TensorProto::UINT8:
  case TensorProto::FLOAT8E4M3FN:
  case TensorProto::FLOAT8E4M3FNUZ:
  case TensorProto::FLOAT8E5M2:
  case TensorProto::FLOAT8E5M2FNUZ:
  case TensorProto::FLOAT8E8M0:
    return 8;
  case TensorProto::INT16:
  case TensorProto::UINT16:
  case TensorProto::FLOAT16:
  case TensorProto::BFLOAT16:
    return 16;
  case TensorProto::INT32:
  case TensorProto::UINT32:
  case TensorProto::FLOAT:
    return 32;
  case TensorProto::INT64:
  case TensorProto::UINT64:
  case TensorProto::DOUBLE:
  case TensorProto::COMPLEX64:
    return 64;
  case TensorProto::COMPLEX128:
    return 128;
  default:
    return 0;
  }
}

// Appends the low `bytes` bytes of each element of `field` to `raw`.
template <typename Field>
static void appendBytes(const Field &field, size_t bytes, std::string &raw) {
  raw.reserve(field.size() * bytes);
  for (auto element : field)
    raw.append(reinterpret_cast<const char *>(&element), bytes);
}

// True where `value` is one element of a type of `bits` bits, signed or not, or
// a byte of packed elements of a narrower type.
static bool fitsElement(int32_t value, unsigned bits, bool isSigned) {
  if (bits >= 32)
    return true;
  if (isSigned)
    return llvm::isIntN(bits, value);
  return value >= 0 && llvm::isUIntN(bits, static_cast<uint32_t>(value));
}

// `int32_data` holds every type of at most 32 bits but FLOAT and UINT32: one
// element each, or one byte of packed elements.
static std::optional<std::string> appendInt32Data(const TensorProto &tensor,
                                                  std::string &raw) {
  unsigned bits =
      std::max(8u, tern::importer::getStorageBits(tensor.data_type()));
  bool isSigned = tensor.data_type() == TensorProto::INT8 ||
                  tensor.data_type() == TensorProto::INT16;
  for (int i = 0, e = tensor.int32_data_size(); i != e; ++i)
    if (!fitsElement(tensor.int32_data(i), bits, isSigned))
      return "int32_data[" + llvm::itostr(i) + "] is " +
             llvm::itostr(tensor.int32_data(i)) + "; expected " +
             (isSigned ? "a signed" : "an unsigned") + " value of " +
             llvm::utostr(bits) + " bits";
  appendBytes(tensor.int32_data(), bits / 8, raw);
  return std::nullopt;
}

// Appends the elements in the field that the data type prescribes.
static std::optional<std::string> appendTypedData(const TensorProto &tensor,
                                                  std::string &raw) {
  switch (tensor.data_type()) {
  case TensorProto::FLOAT:
  case TensorProto::COMPLEX64:
    appendBytes(tensor.float_data(), sizeof(float), raw);
    return std::nullopt;
  case TensorProto::DOUBLE:
  case TensorProto::COMPLEX128:
    appendBytes(tensor.double_data(), sizeof(double), raw);
    return std::nullopt;
  case TensorProto::INT64:
    appendBytes(tensor.int64_data(), sizeof(int64_t), raw);
    return std::nullopt;
  case TensorProto::UINT32:
    for (int i = 0, e = tensor.uint64_data_size(); i != e; ++i)
      if (!llvm::isUInt<32>(tensor.uint64_data(i)))
        return "uint64_data[" + llvm::itostr(i) + "] is " +
               llvm::utostr(tensor.uint64_data(i)) +
               "; expected an unsigned value of 32 bits";
    appendBytes(tensor.uint64_data(), sizeof(uint32_t), raw);
    return std::nullopt;
  case TensorProto::UINT64:
    appendBytes(tensor.uint64_data(), sizeof(uint64_t), raw);
    return std::nullopt;
  default:
    return appendInt32Data(tensor, raw);
  }
}

std::optional<std::string> tern::importer::moveToRawData(TensorProto &tensor) {
  bool hasTyped =
      !tensor.float_data().empty() || !tensor.int32_data().empty() ||
      !tensor.int64_data().empty() || !tensor.double_data().empty() ||
      !tensor.uint64_data().empty() || !tensor.string_data().empty();
  bool isExternal = tensor.data_location() == TensorProto::EXTERNAL;
  if (hasTyped && (tensor.has_raw_data() || isExternal))
    return std::string("holds data in a typed field and in ") +
           (isExternal ? "an external file" : "raw_data") +
           "; expected one place";
  if (tensor.has_raw_data() || isExternal)
    return std::nullopt;
  std::string raw;
  if (auto error = appendTypedData(tensor, raw))
    return error;
  tensor.set_raw_data(std::move(raw));
  tensor.clear_float_data();
  tensor.clear_int32_data();
  tensor.clear_int64_data();
  tensor.clear_double_data();
  tensor.clear_uint64_data();
  return std::nullopt;
}
