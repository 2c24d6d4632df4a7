//===- Tensor.cpp - arrays that enter and leave a model -------------------===//

#include "tern/Runtime/Tensor.h"

#include "tern/Runtime/Error.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <numeric>
#include <utility>

using namespace tern::runtime;

size_t tern::runtime::elementSize(int32_t dtype) {
  switch (dtype) {
  case TERN_U8:
  case TERN_I8:
  case TERN_BOOL:
    return 1;
  case TERN_U16:
  case TERN_I16:
  case TERN_F16:
  case TERN_BF16:
    return 2;
  case TERN_F32:
  case TERN_I32:
  case TERN_U32:
    return 4;
  case TERN_I64:
  case TERN_F64:
  case TERN_U64:
    return 8;
  default:
    return 0;
  }
}

const char *tern::runtime::elementName(int32_t dtype) {
  switch (dtype) {
  case TERN_F32:
    return "float32";
  case TERN_U8:
    return "uint8";
  case TERN_I8:
    return "int8";
  case TERN_U16:
    return "uint16";
  case TERN_I16:
    return "int16";
  case TERN_I32:
    return "int32";
  case TERN_I64:
    return "int64";
  case TERN_BOOL:
    return "bool";
  case TERN_F16:
    return "float16";
  case TERN_F64:
    return "float64";
  case TERN_U32:
    return "uint32";
  case TERN_U64:
    return "uint64";
  case TERN_BF16:
    return "bfloat16";
  default:
    return "unknown";
  }
}

static std::string describe(int32_t dtype, int32_t rank, const int64_t *dims,
                            const char *const *symbols) {
  if (rank < 0 || rank > TERN_MAX_RANK) // from a user of the C interface
    return std::string("an array of rank ") + std::to_string(rank);
  std::string text = elementName(dtype);
  text += '[';
  for (int32_t i = 0; i < rank; ++i) {
    if (i)
      text += ',';
    if (dims[i] >= 0)
      text += std::to_string(dims[i]);
    else
      text += symbols && symbols[i] ? symbols[i] : "?";
  }
  return text + ']';
}

std::string tern::runtime::describeTensor(const TernTensor &tensor) {
  return describe(tensor.dtype, tensor.rank, tensor.dims, nullptr);
}

std::string tern::runtime::describeSpec(const TernTensorSpec &spec) {
  return describe(spec.dtype, spec.rank, spec.dims, spec.symbols);
}

Tensor::Tensor(int32_t dtype, const std::vector<int64_t> &dims) {
  tensor.dtype = dtype;
  tensor.rank = static_cast<int32_t>(dims.size());
  size_t bytes = elementSize(dtype);
  for (size_t i = 0; i < dims.size(); ++i) {
    tensor.dims[i] = dims[i];
    if (__builtin_mul_overflow(bytes, static_cast<size_t>(dims[i]), &bytes))
      throw InputError("an array of shape " + describeTensor(tensor) +
                       " is larger than the address space");
  }
  // An array without elements still has an address.
  tensor.data = std::calloc(bytes ? bytes : 1, 1);
  if (!tensor.data)
    throw MemoryError(bytes, "an array of " + describeTensor(tensor));
}

Tensor Tensor::adopt(const TernTensor &raw) {
  Tensor result;
  result.tensor = raw;
  return result;
}

Tensor::Tensor(Tensor &&other) noexcept
    : tensor(std::exchange(other.tensor, TernTensor{})) {}

Tensor &Tensor::operator=(Tensor &&other) noexcept {
  std::swap(tensor, other.tensor);
  return *this;
}

Tensor::~Tensor() { std::free(tensor.data); }

std::vector<int64_t> Tensor::dims() const {
  return {tensor.dims, tensor.dims + tensor.rank};
}

int64_t Tensor::numElements() const {
  // Only where none is zero is their product known to be small.
  const int64_t *end = tensor.dims + tensor.rank;
  if (std::find(tensor.dims, end, 0) != end)
    return 0;
  return std::accumulate(tensor.dims, end, int64_t(1), std::multiplies<>());
}

size_t Tensor::numBytes() const {
  return static_cast<size_t>(numElements()) * elementSize(tensor.dtype);
}

TernTensor Tensor::release() { return std::exchange(tensor, TernTensor{}); }

void tern::runtime::copyAsFloat(const Tensor &tensor, int64_t begin,
                                int64_t count, float *out) {
  switch (tensor.dtype()) {
  case TERN_F32:
    std::memcpy(out, tensor.data<float>() + begin,
                static_cast<size_t>(count) * sizeof(float));
    return;
  case TERN_F64:
    for (int64_t i = 0; i < count; ++i)
      out[i] = static_cast<float>(tensor.data<double>()[begin + i]);
    return;
  case TERN_F16:
    for (int64_t i = 0; i < count; ++i)
      out[i] = halfToFloat(tensor.data<uint16_t>()[begin + i]);
    return;
  case TERN_BF16:
    for (int64_t i = 0; i < count; ++i)
      out[i] = bfloat16ToFloat(tensor.data<uint16_t>()[begin + i]);
    return;
  default:
    throw InputError("expected a floating-point array, found " +
                     describeTensor(tensor.raw()));
  }
}

static uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

/// Drops the low `shift` bits of `bits`, rounding to nearest, ties to even.
static uint32_t roundShift(uint32_t bits, unsigned shift) {
  uint32_t half = (1u << (shift - 1)) - 1;
  return (bits + half + ((bits >> shift) & 1)) >> shift;
}

uint16_t tern::runtime::floatToBfloat16(float value) {
  uint32_t bits = bitsOf(value);
  if (std::isnan(value)) // rounding could carry a NaN into infinity
    return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>(roundShift(bits, 16));
}

float tern::runtime::bfloat16ToFloat(uint16_t bits) {
  return floatOf(static_cast<uint32_t>(bits) << 16);
}

uint16_t tern::runtime::floatToHalf(float value) {
  uint32_t bits = bitsOf(value);
  uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000)
    return sign | 0x7E00; // NaN
  if (magnitude >= 0x47800000)
    return sign | 0x7C00; // 65,536 and above
  if (magnitude < 0x38800000) {
    // Below 2^-14 a half counts units of 2^-24; the product is exact.
    float units = floatOf(magnitude) * 16777216.0f;
    return sign | static_cast<uint16_t>(std::nearbyint(units));
  }
  // Rebias the exponent from 127 to 15; a carry out of the mantissa is right.
  return sign | static_cast<uint16_t>(roundShift(magnitude - 0x38000000, 13));
}

float tern::runtime::halfToFloat(uint16_t bits) {
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 0x1F;
  uint32_t mantissa = bits & 0x3FF;
  if (exponent == 0) {
    float magnitude = static_cast<float>(mantissa) / 16777216.0f;
    return floatOf(sign | bitsOf(magnitude));
  }
  uint32_t rebased = exponent == 31 ? 255 : exponent + 112;
  return floatOf(sign | (rebased << 23) | (mantissa << 13));
}
