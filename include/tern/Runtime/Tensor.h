//===- Tensor.h - arrays that enter and leave a model -----------*- C++ -*-===//
#ifndef TERN_RUNTIME_TENSOR_H
#define TERN_RUNTIME_TENSOR_H

#include "tern/Runtime/ModelABI.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tern::runtime {

/// Bytes of one element, or 0 if `dtype` is not a TernDType.
size_t elementSize(int32_t dtype);

/// "float32", "bfloat16", …: NumPy's names.
const char *elementName(int32_t dtype);

/// "float32[2,3]"; a dimension below 0 prints as its symbol or "?".
std::string describeTensor(const TernTensor &tensor);
std::string describeSpec(const TernTensorSpec &spec);

/// Owns the memory of one dense, row-major array. The memory comes from malloc
/// because the arrays that generated code returns do.
class Tensor {
public:
  Tensor() = default;
  /// Zero-filled; each dimension is at least 0, at most TERN_MAX_RANK of them.
  /// \throws InputError if the size does not fit in memory's address range.
  Tensor(int32_t dtype, const std::vector<int64_t> &dims);
  /// Takes over `raw.data`.
  static Tensor adopt(const TernTensor &raw);
  Tensor(Tensor &&other) noexcept;
  Tensor &operator=(Tensor &&other) noexcept;
  ~Tensor();

  const TernTensor &raw() const { return tensor; }
  int32_t dtype() const { return tensor.dtype; }
  std::vector<int64_t> dims() const;
  int64_t numElements() const;
  size_t numBytes() const;
  template <typename T>
  T *data() {
    return static_cast<T *>(tensor.data);
  }
  template <typename T>
  const T *data() const {
    return static_cast<const T *>(tensor.data);
  }

  /// Gives the memory away: the caller frees it.
  TernTensor release();

private:
  TernTensor tensor = {};
};

/// Copies `count` elements of a floating-point tensor from element `begin` on
/// into `out`, as float32.
/// \throws InputError for any other element type.
void copyAsFloat(const Tensor &tensor, int64_t begin, int64_t count,
                 float *out);

/// IEEE 754 binary16 and bfloat16, rounding to nearest, ties to even.
uint16_t floatToHalf(float value);
uint16_t floatToBfloat16(float value);
float halfToFloat(uint16_t bits);
float bfloat16ToFloat(uint16_t bits);

} // namespace tern::runtime

#endif // TERN_RUNTIME_TENSOR_H
