//===- HeadScreen.cpp - writes a coarse copy of a head's rows -------------===//

#include "tern/Dialect/Ternary/IR/HeadScreen.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir;
using namespace tern::ternary;

//===----------------------------------------------------------------------===//
// Reading rows
//===----------------------------------------------------------------------===//

static void readBf16(const char *data, MutableArrayRef<float> values) {
  for (size_t k = 0; k < values.size(); ++k) {
    uint16_t half;
    std::memcpy(&half, data + 2 * k, sizeof(half));
    uint32_t bits = static_cast<uint32_t>(half) << 16;
    std::memcpy(&values[k], &bits, sizeof(bits));
  }
}

static void readF16(const char *data, MutableArrayRef<float> values) {
  for (size_t k = 0; k < values.size(); ++k) {
    uint16_t half;
    std::memcpy(&half, data + 2 * k, sizeof(half));
    APFloat value(APFloat::IEEEhalf(), APInt(16, half));
    bool losesInfo;
    value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
    values[k] = value.convertToFloat();
  }
}

static void readRow(FloatType type, const char *data,
                    MutableArrayRef<float> values) {
  if (type.isF32())
    std::memcpy(values.data(), data, values.size() * sizeof(float));
  else if (type.isBF16())
    readBf16(data, values);
  else
    readF16(data, values);
}

//===----------------------------------------------------------------------===//
// Copying a row
//===----------------------------------------------------------------------===//

/// `value` without the lower half of its bits: as a bf16, which it has to be.
static uint16_t getBf16Bits(float value) {
  return static_cast<uint16_t>(llvm::bit_cast<uint32_t>(value) >> 16);
}

/// `value`, which is not negative, rounded to a bf16 that is no smaller.
static float roundUpToBf16(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  return llvm::bit_cast<float>((bits + 0xffff) & 0xffff0000);
}

/// The same of a double. The errors of summing a row, and of converting to f32,
/// are far below 2^-20 of it.
static float roundUp(double value) {
  return roundUpToBf16(static_cast<float>(value * (1 + 0x1p-20)));
}

namespace {
/// A row's copy, and how good it is.
struct RowCopy {
  float scale = 0;
  double error = 0; ///< squared norm of the row less its copy
  double norm = 0;  ///< squared norm of the copy
};

/// As many columns as are summed side by side.
constexpr size_t kSums = 8;
} // namespace

/// A small number to the nearest whole one: added and taken away again, this
/// leaves no room for a fraction.
static float roundToWhole(float value) {
  constexpr float rounder = 0x1.8p23f;
  return value + rounder - rounder;
}

/// The level next to a magnitude, in units of the scale.
struct NearestLevel {
  float code, level;
};

/// As sums of how many levels of each distance are below: loops over this are
/// vector code.
static NearestLevel findLevel(float magnitude) {
  constexpr float fine = ScreenShape::kFineLevel;
  constexpr float middle = ScreenShape::kMiddleLevel;
  constexpr float largest = ScreenShape::kLargestLevel;
  auto count = [&](float from, float to, float distance) {
    float above = std::max(std::min(magnitude, to) - from, 0.0f);
    return roundToWhole(above / distance);
  };
  float ones = count(0, fine, 1), twos = count(fine, middle, 2),
        fours = count(middle, largest, 4);
  return {ones + twos + fours, ones + 2 * twos + 4 * fours};
}

/// Copies `row`, whose size is a multiple of kSums, with a scale; `q` becomes
/// the codes, less that of zero.
static RowCopy copyRow(ArrayRef<float> row, float scale,
                       MutableArrayRef<int8_t> q) {
  const float inverse = 1 / scale;
  double errors[kSums] = {}, norms[kSums] = {};
  for (size_t first = 0; first < row.size(); first += kSums)
    for (size_t i = 0; i < kSums; ++i) {
      float weight = row[first + i];
      NearestLevel nearest = findLevel(std::fabs(weight) * inverse);
      q[first + i] = static_cast<int8_t>(
          static_cast<int>(std::copysign(nearest.code, weight)));
      double value =
          static_cast<double>(scale) * std::copysign(nearest.level, weight);
      double difference = weight - value;
      errors[i] += difference * difference;
      norms[i] += value * value;
    }
  RowCopy copy;
  copy.scale = scale;
  for (size_t i = 0; i < kSums; ++i) {
    copy.error += errors[i];
    copy.norm += norms[i];
  }
  return copy;
}

/// Copies `row`, whose largest magnitude is `largest`, as well as some scales
/// allow: cutting off a few large values makes all others finer.
static RowCopy copyRowWell(ArrayRef<float> row, float largest,
                           MutableArrayRef<int8_t> q) {
  SmallVector<int8_t> candidate(row.size());
  RowCopy best;
  best.error = std::numeric_limits<double>::infinity();
  for (float share : {1.0f, 0.95f, 0.9f, 0.85f, 0.8f, 0.75f, 0.7f}) {
    float scale = roundUpToBf16(share * largest / ScreenShape::kLargestLevel);
    RowCopy copy = copyRow(row, scale, candidate);
    if (copy.error >= best.error)
      break;
    best = copy;
    llvm::copy(candidate, q.begin());
  }
  return best;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Writes the codes of row `inTile` of a tile.
static void writeCodes(ScreenShape shape, ArrayRef<int8_t> q, int64_t inTile,
                       uint8_t *tile) {
  auto code = [&](int64_t column) -> uint8_t {
    return (column < shape.cols ? q[column] : 0) + ScreenShape::kZeroCode;
  };
  for (int64_t step = 0; step < shape.getSteps(); ++step) {
    int64_t first = step * ScreenShape::kStep;
    uint8_t *bytes = tile + step * ScreenShape::kStepBytes + 4 * inTile;
    for (int64_t c = 0; c < 4; ++c) {
      unsigned split = code(first + 12 + c);
      for (int64_t group = 0; group < 3; ++group)
        bytes[64 * group + c] =
            code(first + 4 * group + c) | ((split >> (2 * group)) & 3) << 6;
    }
  }
}

namespace {
/// What a tile's bounds say of a row; of padding, that it is never chosen.
struct RowBounds {
  float scale = 0;
  float error = -std::numeric_limits<float>::infinity();
  float norm = 0;
};
} // namespace

/// Copies `row`; `q`, zeros before, becomes the codes, less that of zero.
static RowBounds boundRow(ArrayRef<float> row, MutableArrayRef<int8_t> q) {
  double norm = 0;
  float largest = 0;
  for (float value : row) {
    norm += static_cast<double>(value) * value;
    largest = std::max(largest, std::fabs(value));
  }
  norm = std::sqrt(norm);
  // Written so that a NaN fails. Its error is enough for the row to be chosen.
  if (!(norm < kLargestRowNorm))
    return {0, std::numeric_limits<float>::infinity(), 0};
  // A scale must not vanish either.
  if (!(largest > 1e-30f))
    return {0, roundUp(norm), roundUp(norm)};
  RowCopy copy = copyRowWell(row, largest, q);
  return {copy.scale, roundUp(std::sqrt(copy.error)),
          roundUp(std::max(norm, std::sqrt(copy.norm)))};
}

void tern::ternary::buildScreenTiles(ScreenShape shape, FloatType elementType,
                                     ArrayRef<char> rows, int64_t firstTile,
                                     int64_t endTile,
                                     MutableArrayRef<uint8_t> codes,
                                     MutableArrayRef<uint16_t> bounds) {
  int64_t rowBytes = shape.cols * elementType.getWidth() / 8;
  int64_t tileBytes = shape.getSteps() * ScreenShape::kStepBytes;
  SmallVector<float> row(llvm::alignTo(shape.cols, kSums));
  SmallVector<int8_t> q(row.size());
  for (int64_t tile = firstTile; tile < endTile; ++tile) {
    uint16_t *tileBounds = &bounds[tile * ScreenShape::kTileBounds];
    float largestNorm = 0;
    for (int64_t inTile = 0; inTile < ScreenShape::kTile; ++inTile) {
      int64_t index = tile * ScreenShape::kTile + inTile;
      RowBounds bound;
      llvm::fill(q, 0);
      if (index < shape.rows) {
        readRow(elementType, rows.data() + index * rowBytes,
                MutableArrayRef(row).take_front(shape.cols));
        bound = boundRow(row, q);
      }
      tileBounds[ScreenShape::Scale + inTile] = getBf16Bits(bound.scale);
      tileBounds[ScreenShape::Error + inTile] = getBf16Bits(bound.error);
      largestNorm = std::max(largestNorm, bound.norm);
      writeCodes(shape, q, inTile, &codes[tile * tileBytes]);
    }
    tileBounds[ScreenShape::Norm] = getBf16Bits(largestNorm);
  }
}
