//===- Float16.h - the 16-bit float formats ---------------------*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_EVALUATE_FLOAT16_H
#define TERN_LIB_DIALECT_ONNX_EVALUATE_FLOAT16_H

#include "llvm/ADT/bit.h"

#include <cstdint>

namespace tern::onnx {

/// IEEE binary16: 5 exponent bits, 10 mantissa bits.
struct Half {
  uint16_t bits;

  /// Rounds to nearest, ties to even.
  static Half fromFloat(float value) {
    uint32_t u = llvm::bit_cast<uint32_t>(value);
    auto sign = static_cast<uint16_t>((u >> 16) & 0x8000);
    u &= 0x7fffffff;
    if (u > 0x7f800000) // NaN, kept quiet
      return {static_cast<uint16_t>(sign | 0x7e00)};
    if (u >= 0x477ff000) // 65520 and above round to infinity
      return {static_cast<uint16_t>(sign | 0x7c00)};
    if (u < 0x38800000) {
      // Subnormal: adding 0.5 leaves the ten bits at the bottom, rounded.
      float magnitude = llvm::bit_cast<float>(u) + 0.5f;
      uint32_t low = llvm::bit_cast<uint32_t>(magnitude) - 0x3f000000;
      return {static_cast<uint16_t>(sign | low)};
    }
    uint32_t odd = (u >> 13) & 1;
    u += 0xfff + odd - (uint32_t(112) << 23);
    return {static_cast<uint16_t>(sign | (u >> 13))};
  }

  float toFloat() const {
    uint32_t sign = uint32_t(bits & 0x8000) << 16;
    uint32_t magnitude = bits & 0x7fff;
    if (magnitude >= 0x7c00) // infinity and NaN
      return llvm::bit_cast<float>(sign | 0x7f800000 |
                                   (magnitude & 0x3ff) << 13);
    // Scaling by 2^112 moves the exponent and makes subnormals normal.
    float scaled = llvm::bit_cast<float>(magnitude << 13) * 0x1p112f;
    return llvm::bit_cast<float>(sign | llvm::bit_cast<uint32_t>(scaled));
  }
};

/// The upper half of binary32.
struct BFloat16 {
  uint16_t bits;

  /// Rounds to nearest, ties to even.
  static BFloat16 fromFloat(float value) {
    uint32_t u = llvm::bit_cast<uint32_t>(value);
    if ((u & 0x7fffffff) > 0x7f800000) // NaN, kept quiet
      return {static_cast<uint16_t>(u >> 16 | 0x40)};
    return {static_cast<uint16_t>((u + 0x7fff + (u >> 16 & 1)) >> 16)};
  }

  float toFloat() const { return llvm::bit_cast<float>(uint32_t(bits) << 16); }
};

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_EVALUATE_FLOAT16_H
