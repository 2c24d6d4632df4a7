//===- HeadScores.cpp - scores of a head's rows by their codes ------------===//
//
// With row scale s and codes q + 32, hidden scale t and its copy g = 128 a + b,
//
//   score = s t (sum q g) = s t (128 sum (q + 32) a + sum (q + 32) b
//                                - 32 sum g)
//
// in which all sums are exact. A logit is at most
//
//   score + error |h| + norm (|h - t g| + gamma |h|)
//
// (see HeadScreen.h). All this is computed in double, whose rounding is
// covered, with that of the result to f32, by 2^-22 of the terms.
//
//===----------------------------------------------------------------------===//

#include "HeadKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tern::ternary;

/// Largest magnitude of g: 127 * 128 + 63, less what rounding b takes.
static constexpr int64_t kLargestHidden = 127 * 128;

//===----------------------------------------------------------------------===//
// The hidden state
//===----------------------------------------------------------------------===//

/// `value`, of f64, to the nearest i32, halves away from zero.
static Value roundToInteger(HeadBuilder &b, Value value) {
  Value half = math::CopySignOp::create(b, b.f64(0.5), value);
  return arith::FPToSIOp::create(b, b.getI32Type(), b.add(value, half));
}

/// The relative error of a logit, twice over: each product passes through its
/// own rounding, the additions of its sum, six that join sums, and at most one
/// for each column behind the last multiple of 64.
static double getGamma(int64_t cols) {
  double chain = 1 + cols / 64 + 6 + cols % 64 + 1;
  return chain * 0x1p-23;
}

HiddenCopy tern::ternary::buildHiddenCopy(HeadBuilder &b, ScreenShape shape,
                                          Value x, Value norm, Value largest) {
  int64_t padded = shape.getPaddedCols();
  HiddenCopy copy;
  copy.high = b.allocate(padded, b.getI8Type());
  copy.low = b.allocate(padded, b.getI8Type());
  Value limit = b.f64(kLargestHidden);
  copy.scale = arith::DivFOp::create(b, largest, limit);
  Value inverse = arith::DivFOp::create(b, limit, largest);

  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(b, value, 32);
  };
  auto sums = b.loop(
      b.index(0), b.index(shape.cols), 1,
      {b.f64(0), arith::ConstantIntOp::create(b, 0, 64)},
      [&](Value column, ValueRange sums) -> SmallVector<Value> {
        Value value =
            arith::ExtFOp::create(b, b.getF64Type(), b.load(x, column));
        Value g = roundToInteger(b, b.mul(value, inverse));
        Value high =
            arith::ShRSIOp::create(b, b.add(g, constant(64)), constant(7));
        Value low = arith::SubIOp::create(
            b, g, arith::ShLIOp::create(b, high, constant(7)));
        auto narrow = [&](Value code) -> Value {
          return arith::TruncIOp::create(b, b.getI8Type(), code);
        };
        b.store(narrow(high), copy.high, column);
        b.store(narrow(low), copy.low, column);
        Value copied =
            b.mul(copy.scale, arith::SIToFPOp::create(b, b.getF64Type(), g));
        Value difference = arith::SubFOp::create(b, value, copied);
        return {b.add(sums[0], b.mul(difference, difference)),
                b.add(sums[1], arith::ExtSIOp::create(b, b.getI64Type(), g))};
      });
  Value zero = arith::ConstantIntOp::create(b, 0, 8);
  b.loop(b.index(shape.cols), b.index(padded), 1, {},
         [&](Value column, ValueRange) -> SmallVector<Value> {
           b.store(zero, copy.high, column);
           b.store(zero, copy.low, column);
           return {};
         });
  copy.sum = arith::SIToFPOp::create(b, b.getF64Type(), sums[1]);
  copy.norm = norm;
  Value error = math::SqrtOp::create(b, sums[0]);
  copy.normFactor = b.add(b.mul(error, b.f64(1 + 0x1p-20)),
                          b.mul(norm, b.f64(getGamma(shape.cols) + 0x1p-40)));
  return copy;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

namespace {
/// Scores the rows that the lanes of one vector hold.
class StripScorer {
public:
  StripScorer(HeadBuilder &b, ScreenShape shape, CodeProduct product,
              const HeadOperands &operands, const HiddenCopy &hidden)
      : b(b), shape(shape), product(product), operands(operands),
        hidden(hidden),
        sumType(VectorType::get(product.lanes, b.getI32Type())) {}

  /// Scores `tile`'s rows from `firstRow` on; returns their best.
  Value build(Value tile, int64_t firstRow, const HeadScores &scores);

private:
  /// 128 sum (q + 32) a + sum (q + 32) b, in f64.
  Value buildSums(Value tile, int64_t firstRow);
  /// Adds the products of a step to the sums of each plane with each half.
  SmallVector<Value> buildStep(Value offset, Value step, ValueRange sums);
  /// The codes of the four planes of a step.
  SmallVector<Value> buildCodes(Value offset);
  Value buildShift(Value bytes, int64_t amount, int64_t mask);
  /// Four bytes of a copy of the hidden state, in each lane.
  Value loadHidden(Value memref, Value column);
  Value toF64(Value vector);

  HeadBuilder &b;
  ScreenShape shape;
  CodeProduct product;
  const HeadOperands &operands;
  const HiddenCopy &hidden;
  VectorType sumType;
};
} // namespace

/// The bits of `mask`, once bytes are shifted right by `amount`, or left by
/// `-amount`. Pairs of bytes are shifted, which x86 can: the mask removes what
/// comes from the neighbour.
Value StripScorer::buildShift(Value bytes, int64_t amount, int64_t mask) {
  auto type = cast<VectorType>(bytes.getType());
  auto pairType = VectorType::get(type.getNumElements() / 2, b.getI16Type());
  if (amount != 0) {
    Value pairs = vector::BitCastOp::create(b, pairType, bytes);
    pairs = arith::ShRUIOp::create(b, pairs,
                                   buildIntegerSplat(b, pairType, amount));
    bytes = vector::BitCastOp::create(b, type, pairs);
  }
  return arith::AndIOp::create(b, bytes, buildIntegerSplat(b, type, mask));
}

SmallVector<Value> StripScorer::buildCodes(Value offset) {
  SmallVector<Value> codes;
  Value split;
  for (int64_t group = 0; group < 3; ++group) {
    Value bytes = b.loadVector(operands.codes, 4 * product.lanes,
                               b.add(offset, b.index(64 * group)));
    codes.push_back(buildShift(bytes, 0, 0x3f));
    // Bits 6 and 7 go to bits 2 g and 2 g + 1.
    Value part = buildShift(bytes, 6 - 2 * group, 3 << (2 * group));
    split = split ? arith::OrIOp::create(b, split, part) : part;
  }
  codes.push_back(split);
  return codes;
}

Value StripScorer::loadHidden(Value memref, Value column) {
  Value four = b.loadVector(memref, 4, column);
  Value word = vector::ExtractOp::create(
      b, vector::BitCastOp::create(b, VectorType::get(1, b.getI32Type()), four),
      ArrayRef<int64_t>{0});
  return vector::BitCastOp::create(
      b, VectorType::get(4 * product.lanes, b.getI8Type()),
      b.splat(word, product.lanes));
}

SmallVector<Value> StripScorer::buildStep(Value offset, Value step,
                                          ValueRange sums) {
  SmallVector<Value> codes = buildCodes(offset), results;
  for (int64_t plane = 0; plane < 4; ++plane) {
    Value column =
        b.add(b.mul(step, b.index(ScreenShape::kStep)), b.index(4 * plane));
    for (auto [half, memref] :
         llvm::enumerate(ArrayRef<Value>{hidden.high, hidden.low}))
      results.push_back(product.build(b, sums[2 * plane + half], codes[plane],
                                      loadHidden(memref, column)));
  }
  return results;
}

Value StripScorer::toF64(Value vector) {
  return arith::SIToFPOp::create(
      b, VectorType::get(product.lanes, b.getF64Type()), vector);
}

Value StripScorer::buildSums(Value tile, int64_t firstRow) {
  // Codes are read once: fetch them from memory ahead of use.
  constexpr int64_t prefetchBytes = 1024;
  int64_t tileBytes = shape.getSteps() * ScreenShape::kStepBytes;
  Value tileOffset =
      b.add(b.mul(tile, b.index(tileBytes)), b.index(4 * firstRow));
  SmallVector<Value> zeros(8, buildIntegerSplat(b, sumType, 0));
  auto sums = b.loop(
      b.index(0), b.index(shape.getSteps()), 1, zeros,
      [&](Value step, ValueRange sums) {
        Value offset =
            b.add(tileOffset, b.mul(step, b.index(ScreenShape::kStepBytes)));
        for (int64_t line = 0; line < ScreenShape::kStepBytes; line += 64)
          memref::PrefetchOp::create(
              b, operands.codes, b.add(offset, b.index(prefetchBytes + line)),
              /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
        return buildStep(offset, step, sums);
      });
  auto joinPlanes = [&](unsigned half) {
    Value sum = sums[half];
    for (unsigned plane = 1; plane < 4; ++plane)
      sum = b.add(sum, sums[2 * plane + half]);
    return toF64(sum);
  };
  return b.add(b.mul(joinPlanes(0), b.splat(b.f64(128), product.lanes)),
               joinPlanes(1));
}

Value StripScorer::build(Value tile, int64_t firstRow,
                         const HeadScores &scores) {
  int64_t lanes = product.lanes;
  auto splat = [&](Value scalar) { return b.splat(scalar, lanes); };
  auto f64s = VectorType::get(lanes, b.getF64Type());
  auto f32s = VectorType::get(lanes, b.getF32Type());
  Value row =
      b.add(b.mul(tile, b.index(ScreenShape::kTile)), b.index(firstRow));
  auto loadBound = [&](ScreenShape::Bound bound) -> Value {
    Value values = b.loadVector(operands.bounds, lanes, {b.index(bound), row});
    return arith::ExtFOp::create(b, f64s, values);
  };

  Value zeros = b.mul(hidden.sum, b.f64(ScreenShape::kZeroCode));
  Value sum = arith::SubFOp::create(b, buildSums(tile, firstRow), splat(zeros));
  Value score =
      b.mul(b.mul(loadBound(ScreenShape::Scale), splat(hidden.scale)), sum);
  Value error =
      b.add(b.mul(loadBound(ScreenShape::Error), splat(hidden.norm)),
            b.mul(loadBound(ScreenShape::Norm), splat(hidden.normFactor)));
  Value magnitude = b.add(math::AbsFOp::create(b, score), error);
  // What vanished in products, too, is below the last term.
  error = b.add(error, b.add(b.mul(magnitude, splat(b.f64(0x1p-22))),
                             splat(b.f64(1e-30))));
  Value upper = arith::TruncFOp::create(b, f32s, b.add(score, error));
  Value narrow = arith::TruncFOp::create(b, f32s, score);
  // Padding is never the best: its bound is minus infinity.
  narrow = arith::MinNumFOp::create(b, narrow, upper);
  vector::StoreOp::create(b, narrow, scores.scores, row);
  vector::StoreOp::create(b, upper, scores.upper, row);
  return vector::ReductionOp::create(b, vector::CombiningKind::MAXNUMF, narrow);
}

void tern::ternary::buildScores(HeadBuilder &b, ScreenShape shape,
                                CodeProduct product,
                                const HeadOperands &operands,
                                const HiddenCopy &hidden,
                                const HeadScores &scores) {
  b.parallel(b.index(shape.getTiles()), [&](Value tile) {
    Value best;
    for (int64_t row = 0; row < ScreenShape::kTile; row += product.lanes) {
      Value strip = StripScorer(b, shape, product, operands, hidden)
                        .build(tile, row, scores);
      best =
          best ? arith::MaxNumFOp::create(b, best, strip).getResult() : strip;
    }
    b.store(best, scores.tileMax, tile);
  });
}
