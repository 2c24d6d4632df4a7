//===- HeadScores.cpp - scores of a head's rows by their codes ------------===//
//
// With row scale s, levels q counted from a zero z, hidden scale t and its copy
// g = 128 a + b,
//
//   score = s t (sum q g) = s t (128 sum (q + z) a + sum (q + z) b - z sum g)
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

#include "tern/Conversion/Streams.h"
#include "tern/Transforms/Passes.h"

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
struct BestRow {
  Value score; ///< f32
  Value row;   ///< i32
};

/// Scores the rows of some tiles at once: those that the lanes of one vector
/// hold, of each.
class StripScorer {
public:
  StripScorer(HeadBuilder &b, ScreenShape shape, CodeProduct product,
              const HeadOperands &operands, const HiddenCopy &hidden)
      : b(b), shape(shape), product(product), operands(operands),
        hidden(hidden),
        sumType(VectorType::get(product.lanes, b.getI32Type())) {}

  /// Scores the rows of `tiles` from `firstRow` on; returns the best of each.
  SmallVector<BestRow> build(ArrayRef<Value> tiles, int64_t firstRow,
                             const HeadScores &scores);

private:
  /// 128 sum (q + z) a + sum (q + z) b of each tile, in f64.
  SmallVector<Value> buildSums(ArrayRef<Value> tiles, int64_t firstRow);
  /// Adds the products of a step to the sums.
  SmallVector<Value> buildStep(ArrayRef<Value> offsets, Value step,
                               ValueRange sums);
  /// Fetches a line ahead of the one at `offset` of a stream.
  void prefetch(size_t stream, Value offset);
  /// Adds the products of a plane of a step, `levels` being those of each tile.
  void addProducts(ArrayRef<Value> levels, Value step, int64_t plane,
                   SmallVectorImpl<Value> &sums);
  /// The levels of plane `group` of a step; adds to `split` what the group
  /// holds of the codes of plane 3.
  Value buildGroup(Value offset, int64_t group, Value &split);
  Value buildShift(Value bytes, int64_t amount, int64_t mask);
  /// The sums of a half of a tile, of `numTiles` that are read at once. Planes
  /// take turns with several, where one dot product would wait for the other;
  /// where products are added by themselves, additions are soon done.
  unsigned getWays(size_t numTiles) const {
    return numTiles == 1 && product.form == CodeProduct::Dot ? 4 : 1;
  }
  /// Where among all sums that of a plane is; half 0 is the high one.
  size_t getSumIndex(size_t tile, unsigned plane, unsigned half,
                     size_t numTiles) const {
    unsigned ways = getWays(numTiles);
    return (tile * ways + plane % ways) * 2 + half;
  }
  /// Four bytes of a copy of the hidden state, in each lane.
  Value loadHidden(Value memref, Value column);
  /// From a sum, the bounds of a tile's rows; returns the one of the best
  /// score.
  BestRow finish(Value tile, int64_t firstRow, Value sum,
                 const HeadScores &scores);
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

Value StripScorer::buildGroup(Value offset, int64_t group, Value &split) {
  Value bytes = b.loadVector(operands.codes, 4 * product.lanes,
                             b.add(offset, b.index(64 * group)));
  // Bits 6 and 7 go to bits 2 g and 2 g + 1.
  Value part = buildShift(bytes, 6 - 2 * group, 3 << (2 * group));
  split = split ? arith::OrIOp::create(b, split, part) : part;
  return product.buildLevels(b, bytes);
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

void StripScorer::prefetch(size_t stream, Value offset) {
  tern::StreamFetch fetch;
  memref::PrefetchOp::create(
      b, operands.codes, b.add(offset, b.index(fetch.getDistance(stream))),
      /*isWrite=*/false, fetch.locality, /*isDataCache=*/true);
}

void StripScorer::addProducts(ArrayRef<Value> levels, Value step, int64_t plane,
                              SmallVectorImpl<Value> &sums) {
  Value column =
      b.add(b.mul(step, b.index(ScreenShape::kStep)), b.index(4 * plane));
  for (auto [half, memref] :
       llvm::enumerate(ArrayRef<Value>{hidden.high, hidden.low})) {
    Value x = loadHidden(memref, column);
    for (size_t tile = 0; tile < levels.size(); ++tile) {
      Value &sum = sums[getSumIndex(tile, plane, half, levels.size())];
      sum = product.build(b, sum, levels[tile], x);
    }
  }
}

// Codes are read once: fetch them from memory ahead of use. A core has room for
// few lines on their way, so each line of a step is fetched where as much work
// is done: all of them at once would hold up what follows.
SmallVector<Value> StripScorer::buildStep(ArrayRef<Value> offsets, Value step,
                                          ValueRange sums) {
  SmallVector<Value> results(sums), splits(offsets.size());
  for (int64_t group = 0; group < 3; ++group) {
    SmallVector<Value> levels;
    for (auto [stream, offset] : llvm::enumerate(offsets)) {
      prefetch(stream, b.add(offset, b.index(64 * group)));
      levels.push_back(buildGroup(offset, group, splits[stream]));
    }
    addProducts(levels, step, /*plane=*/group, results);
  }
  for (Value &split : splits)
    split = product.buildLevels(b, split);
  addProducts(splits, step, /*plane=*/3, results);
  return results;
}

Value StripScorer::toF64(Value vector) {
  return arith::SIToFPOp::create(
      b, VectorType::get(product.lanes, b.getF64Type()), vector);
}

SmallVector<Value> StripScorer::buildSums(ArrayRef<Value> tiles,
                                          int64_t firstRow) {
  int64_t tileBytes = shape.getSteps() * ScreenShape::kStepBytes;
  SmallVector<Value> tileOffsets;
  for (Value tile : tiles)
    tileOffsets.push_back(
        b.add(b.mul(tile, b.index(tileBytes)), b.index(4 * firstRow)));
  SmallVector<Value> zeros(getSumIndex(tiles.size(), 0, 0, tiles.size()),
                           buildIntegerSplat(b, sumType, 0));
  auto sums = b.loop(b.index(0), b.index(shape.getSteps()), 1, zeros,
                     [&](Value step, ValueRange sums) {
                       Value stepOffset =
                           b.mul(step, b.index(ScreenShape::kStepBytes));
                       SmallVector<Value> offsets;
                       for (Value tileOffset : tileOffsets)
                         offsets.push_back(b.add(tileOffset, stepOffset));
                       return buildStep(offsets, step, sums);
                     });
  SmallVector<Value> results;
  for (size_t tile = 0; tile < tiles.size(); ++tile) {
    auto joinPlanes = [&](unsigned half) {
      Value sum = sums[getSumIndex(tile, 0, half, tiles.size())];
      for (unsigned plane = 1; plane < getWays(tiles.size()); ++plane)
        sum = b.add(sum, sums[getSumIndex(tile, plane, half, tiles.size())]);
      return toF64(sum);
    };
    results.push_back(
        b.add(b.mul(joinPlanes(0), b.splat(b.f64(128), product.lanes)),
              joinPlanes(1)));
  }
  return results;
}

BestRow StripScorer::finish(Value tile, int64_t firstRow, Value sum,
                            const HeadScores &scores) {
  int64_t lanes = product.lanes;
  auto splat = [&](Value scalar) { return b.splat(scalar, lanes); };
  auto f64s = VectorType::get(lanes, b.getF64Type());
  auto f32s = VectorType::get(lanes, b.getF32Type());
  Value row =
      b.add(b.mul(tile, b.index(ScreenShape::kTile)), b.index(firstRow));
  auto loadBounds = [&](ScreenShape::Bound bound) -> Value {
    Value values =
        b.loadVector(operands.bounds, lanes, {tile, b.index(bound + firstRow)});
    Value wide = arith::ExtFOp::create(b, f32s, values);
    return arith::ExtFOp::create(b, f64s, wide);
  };
  Value norm = arith::ExtFOp::create(
      b, b.getF64Type(),
      b.load(operands.bounds, {tile, b.index(ScreenShape::Norm)}));

  Value zeros = b.mul(hidden.sum, b.f64(kZeroLevel));
  sum = arith::SubFOp::create(b, sum, splat(zeros));
  Value score =
      b.mul(b.mul(loadBounds(ScreenShape::Scale), splat(hidden.scale)), sum);
  Value error = b.add(b.mul(loadBounds(ScreenShape::Error), splat(hidden.norm)),
                      splat(b.mul(norm, hidden.normFactor)));
  Value magnitude = b.add(math::AbsFOp::create(b, score), error);
  // What vanished in products, too, is below the last term.
  error = b.add(error, b.add(b.mul(magnitude, splat(b.f64(0x1p-22))),
                             splat(b.f64(1e-30))));
  Value upper = arith::TruncFOp::create(b, f32s, b.add(score, error));
  Value narrow = arith::TruncFOp::create(b, f32s, score);
  // Padding is never the best: its bound is minus infinity.
  narrow = arith::MinNumFOp::create(b, narrow, upper);
  vector::StoreOp::create(b, upper, scores.upper, row);
  Value best =
      vector::ReductionOp::create(b, vector::CombiningKind::MAXNUMF, narrow);
  // Scores of rows are finite (see kLargestRowNorm), so none is padding.
  Value isBest =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, narrow, splat(best));
  auto i32s = VectorType::get(lanes, b.getI32Type());
  SmallVector<int32_t> numbers = llvm::to_vector(llvm::seq<int32_t>(lanes));
  Value all = arith::ConstantOp::create(
      b, DenseElementsAttr::get(i32s, ArrayRef(numbers)));
  Value places = arith::SelectOp::create(b, isBest, all,
                                         buildIntegerSplat(b, i32s, lanes - 1));
  Value place =
      vector::ReductionOp::create(b, vector::CombiningKind::MINUI, places);
  Value first = arith::IndexCastOp::create(b, b.getI32Type(), row);
  return {best, b.add(first, place)};
}

SmallVector<BestRow> StripScorer::build(ArrayRef<Value> tiles, int64_t firstRow,
                                        const HeadScores &scores) {
  SmallVector<BestRow> best;
  for (auto [tile, sum] : llvm::zip_equal(tiles, buildSums(tiles, firstRow)))
    best.push_back(finish(tile, firstRow, sum, scores));
  return best;
}

/// Scores all rows of some tiles, which are read at once.
static void buildTileScores(HeadBuilder &b, StripScorer &scorer, int64_t lanes,
                            ArrayRef<Value> tiles, const HeadScores &scores) {
  SmallVector<BestRow> best;
  for (int64_t row = 0; row < ScreenShape::kTile; row += lanes) {
    SmallVector<BestRow> strip = scorer.build(tiles, row, scores);
    if (best.empty())
      best = strip;
    else
      for (auto [earlier, later] : llvm::zip_equal(best, strip)) {
        Value isKept = arith::CmpFOp::create(b, arith::CmpFPredicate::OGE,
                                             earlier.score, later.score);
        earlier = {
            arith::SelectOp::create(b, isKept, earlier.score, later.score),
            arith::SelectOp::create(b, isKept, earlier.row, later.row)};
      }
  }
  for (auto [tile, row] : llvm::zip_equal(tiles, best)) {
    b.store(row.score, scores.tileMax, tile);
    b.store(row.row, scores.tileRow, tile);
  }
}

// A core fetches several streams of bytes at once faster than one: a thread
// reads from as many parts of the codes.
void tern::ternary::buildScores(HeadBuilder &b, ScreenShape shape,
                                CodeProduct product,
                                const HeadOperands &operands,
                                const HiddenCopy &hidden,
                                const HeadScores &scores) {
  StripScorer scorer(b, shape, product, operands, hidden);
  int64_t streams = countStreams(shape.getTiles(), product.streams);
  int64_t length = shape.getTiles() / streams;
  auto loop = b.parallel(b.index(length), [&](Value first) {
    SmallVector<Value> tiles;
    for (int64_t stream = 0; stream < streams; ++stream)
      tiles.push_back(b.add(first, b.index(stream * length)));
    buildTileScores(b, scorer, product.lanes, tiles, scores);
  });
  loop->setAttr(kStreamsAttr, b.getI64IntegerAttr(streams));
  b.describe(loop, "head screen", shape,
             shape.getCodeBytes() + shape.getBoundBytes());
  SmallVector<Value> rest;
  for (int64_t tile = streams * length; tile < shape.getTiles(); ++tile)
    rest.push_back(b.index(tile));
  if (!rest.empty())
    buildTileScores(b, scorer, product.lanes, rest, scores);
}
