//===- WeightProof.cpp - is this matrix ternary? --------------------------===//

#include "WeightProof.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace tern;
using tern::onnx::ElementKind;
using tern::onnx::Tensor;

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

/// Groups of fewer columns prove nothing.
static constexpr int64_t kMinGroup = 8;
/// Elements looked at before the next chance to give up.
static constexpr int64_t kChunk = 1024;

/// Magnitudes are compared as bits: equal floats, no -0.
static uint32_t getMagnitude(float value) {
  return llvm::bit_cast<uint32_t>(value) & 0x7fffffff;
}

/// True where every element is 0 or of the first non-zero magnitude, which
/// `magnitude` then holds (it stays 0 for zeros only; a value it has on entry
/// binds).
static bool hasOneMagnitude(const float *values, int64_t count,
                            uint32_t &magnitude) {
  for (int64_t begin = 0; begin < count; begin += kChunk) {
    int64_t end = std::min(begin + kChunk, count);
    for (int64_t i = begin; magnitude == 0 && i < end; ++i)
      magnitude = getMagnitude(values[i]);
    uint32_t wrong = 0;
    for (int64_t i = begin; i < end; ++i) {
      uint32_t m = getMagnitude(values[i]);
      wrong |= static_cast<uint32_t>(m != 0) & (m != magnitude);
    }
    if (wrong)
      return false;
  }
  return true;
}

/// The scale of a magnitude; nullopt for infinities and NaN.
static std::optional<float> getScale(uint32_t magnitude) {
  if (magnitude >= 0x7f800000)
    return std::nullopt;
  return magnitude == 0 ? 1.0f : llvm::bit_cast<float>(magnitude);
}

/// One scale for each run of `length` elements, or nullopt.
static std::optional<SmallVector<float>>
findScales(const float *values, int64_t count, int64_t length) {
  SmallVector<float> scales;
  for (int64_t at = 0; at < count; at += length) {
    uint32_t magnitude = 0;
    if (!hasOneMagnitude(values + at, length, magnitude))
      return std::nullopt;
    std::optional<float> scale = getScale(magnitude);
    if (!scale)
      return std::nullopt;
    scales.push_back(*scale);
  }
  return scales;
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

/// Code of a weight: trit + 1.
static uint8_t getCode(float value) {
  return static_cast<uint8_t>(1 + (value > 0) - (value < 0));
}

/// Packs rows of codes as `#ternary.layout<i2>` defines: four a byte, lowest
/// bits first, columns past the end holding trit 0.
static std::optional<Tensor> packTrits(const float *values, int64_t rows,
                                       int64_t cols) {
  int64_t rowBytes = llvm::divideCeil(cols, 4);
  std::optional<Tensor> packed =
      Tensor::allocate(ElementKind::U8, {rows * rowBytes});
  if (!packed)
    return std::nullopt;
  auto *out = packed->getMutableData<uint8_t>();
  for (int64_t n = 0; n < rows; ++n, values += cols) {
    for (int64_t b = 0; b < cols / 4; ++b) {
      const float *w = values + 4 * b;
      *out++ = getCode(w[0]) | getCode(w[1]) << 2 | getCode(w[2]) << 4 |
               getCode(w[3]) << 6;
    }
    if (cols % 4 == 0)
      continue;
    uint8_t last = 0;
    for (int64_t j = 0; j < 4; ++j) {
      int64_t k = cols / 4 * 4 + j;
      last |= (k < cols ? getCode(values[k]) : 1) << 2 * j;
    }
    *out++ = last;
  }
  return packed;
}

std::optional<TernaryWeight> tern::proveTernary(const Tensor &weights) {
  int64_t rows = weights.getShape()[0], cols = weights.getShape()[1];
  // What `!ternary.matrix` takes: a sum must fit i32.
  if (cols >= int64_t(1) << 24 || rows > int64_t(1) << 32)
    return std::nullopt;
  const auto *values = weights.getData<float>();
  TernaryWeight result;
  result.rows = rows;
  result.cols = cols;

  uint32_t magnitude = 0;
  if (hasOneMagnitude(values, rows * cols, magnitude)) {
    std::optional<float> scale = getScale(magnitude);
    if (!scale)
      return std::nullopt;
    result.scales.push_back(*scale);
  } else {
    // All divisors of K, from one group of all columns down.
    for (int64_t groups = 1; groups == 1 || cols / groups >= kMinGroup;
         ++groups) {
      if (cols % groups != 0)
        continue;
      auto scales = findScales(values, rows * cols, cols / groups);
      if (!scales)
        continue;
      result.groups = groups;
      result.scales = std::move(*scales);
      break;
    }
    if (result.scales.empty())
      return std::nullopt;
  }
  std::optional<Tensor> bytes = packTrits(values, rows, cols);
  if (!bytes)
    return std::nullopt;
  result.bytes = std::move(*bytes);
  return result;
}

//===----------------------------------------------------------------------===//
// Near misses
//===----------------------------------------------------------------------===//

/// The nearest of -unit, 0 and unit.
static float getNearest(float value, float unit) {
  if (std::fabs(value) < unit / 2)
    return 0.0f;
  return std::copysign(unit, value);
}

/// Adds what is off in one row; false where the row is not near at all.
template <typename IsNear>
static bool checkRow(const float *row, int64_t cols, int64_t n, float unit,
                     NearMiss &miss, IsNear isNear) {
  for (int64_t k = 0; k < cols; ++k) {
    float expected = getNearest(row[k], unit);
    if (row[k] == expected)
      continue;
    if (!isNear(row[k]))
      return false;
    if (miss.count++ == 0) {
      miss.row = n;
      miss.col = k;
      miss.found = row[k];
      miss.expected = expected;
    }
  }
  return true;
}

/// The largest and the smallest non-zero magnitude.
static std::pair<float, float> getMagnitudes(const float *values,
                                             int64_t count) {
  float largest = 0.0f, smallest = INFINITY;
  for (int64_t i = 0; i < count; ++i) {
    float m = std::fabs(values[i]);
    largest = std::max(largest, m);
    smallest = m > 0 ? std::min(smallest, m) : smallest;
  }
  return {largest, smallest};
}

/// The magnitude that more than half of the non-zero elements have, if one
/// does, else any of theirs (Boyer and Moore's vote).
static float getCommonMagnitude(const float *values, int64_t count) {
  float candidate = 0.0f;
  int64_t votes = 0;
  for (int64_t i = 0; i < count; ++i) {
    float m = std::fabs(values[i]);
    if (m == 0.0f)
      continue;
    if (votes == 0)
      candidate = m;
    votes += m == candidate ? 1 : -1;
  }
  return candidate;
}

/// Rounding errors: each element within 1e-3 of a trit of its row's scale.
static std::optional<NearMiss> findNoise(const float *values, int64_t rows,
                                         int64_t cols) {
  constexpr float tolerance = 1e-3f;
  // A short row is near something too often by chance.
  if (cols < kMinGroup)
    return std::nullopt;
  NearMiss miss;
  for (int64_t n = 0; n < rows; ++n) {
    const float *row = values + n * cols;
    float unit = getCommonMagnitude(row, cols);
    if (!std::isfinite(unit))
      return std::nullopt;
    auto isNear = [&](float value) {
      float m = std::fabs(value);
      return m <= tolerance * unit || std::fabs(m - unit) <= tolerance * unit;
    };
    if (!checkRow(row, cols, n, unit, miss, isNear))
      return std::nullopt;
  }
  return miss.count > 0 ? std::optional(miss) : std::nullopt;
}

/// Adds the elements of one run that are 2 or -2 times its unit, all others
/// being 0 or the unit; false where they are not.
static bool addStrayCodes(const float *values, int64_t cols, int64_t begin,
                          int64_t length, NearMiss &miss) {
  // Give up on other floats before reading all of them.
  int64_t sample = std::min(length, kChunk);
  auto [sampleLargest, sampleSmallest] = getMagnitudes(values + begin, sample);
  if (sampleLargest > 2 * sampleSmallest && sampleSmallest < INFINITY)
    return false;
  auto [largest, unit] = getMagnitudes(values + begin, length);
  if (largest != 2 * unit) // no stray code, or other floats
    return largest == unit || largest == 0.0f;
  auto isStray = [unit = unit](float value) {
    return std::fabs(value) == 2 * unit;
  };
  for (int64_t at = begin; at < begin + length;) {
    int64_t row = at / cols, end = std::min((row + 1) * cols, begin + length);
    int64_t count = miss.count;
    if (!checkRow(values + at, end - at, row, unit, miss, isStray))
      return false;
    if (count == 0 && miss.count > 0)
      miss.col += at % cols;
    at = end;
  }
  return true;
}

/// Codes that are no trits: 2 or -2 among multiples of the unit of each run of
/// `length` elements, as a 2-bit code 3 or an INT2 of -2 gives.
static std::optional<NearMiss> findStrayCodes(const float *values, int64_t rows,
                                              int64_t cols, int64_t length) {
  NearMiss miss;
  for (int64_t at = 0; at < rows * cols; at += length)
    if (!addStrayCodes(values, cols, at, length, miss))
      return std::nullopt;
  miss.isStrayCode = true;
  return miss.count > 0 ? std::optional(miss) : std::nullopt;
}

std::optional<NearMiss> tern::findNearMiss(const Tensor &weights,
                                           WeightCodes codes) {
  int64_t rows = weights.getShape()[0], cols = weights.getShape()[1];
  const auto *values = weights.getData<float>();
  if (rows * cols == 0)
    return std::nullopt;
  if (std::optional<NearMiss> miss = findNoise(values, rows, cols))
    return miss;
  if (auto miss = findStrayCodes(values, rows, cols, rows * cols))
    return miss;
  if (codes != WeightCodes::TwoBit)
    return std::nullopt;
  // As proveTernary groups columns.
  for (int64_t groups = 1; groups == 1 || cols / groups >= kMinGroup; ++groups)
    if (cols % groups == 0)
      if (auto miss = findStrayCodes(values, rows, cols, cols / groups))
        return miss;
  return std::nullopt;
}
