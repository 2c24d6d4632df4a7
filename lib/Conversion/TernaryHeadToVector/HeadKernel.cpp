//===- HeadKernel.cpp - the body of a head --------------------------------===//
//
// Why the rows that are left out are not among the best: the threshold is the
// least logit of as many rows as are asked for, so the last of the best logits
// is no smaller; a row that is left out has an upper bound below it. Bounds
// that are not defined compare as if they reached it.
//
//===----------------------------------------------------------------------===//

#include "HeadKernel.h"

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

#include <limits>

using namespace mlir;
using namespace tern::ternary;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

//===----------------------------------------------------------------------===//
// HeadBuilder
//===----------------------------------------------------------------------===//

Value HeadBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(*this, value);
}

Value HeadBuilder::f32(float value) {
  return arith::ConstantOp::create(*this, getF32FloatAttr(value));
}

Value HeadBuilder::f64(double value) {
  return arith::ConstantOp::create(*this, getF64FloatAttr(value));
}

Value HeadBuilder::add(Value lhs, Value rhs) {
  if (isa<FloatType>(getElementTypeOrSelf(lhs)))
    return arith::AddFOp::create(*this, lhs, rhs);
  return arith::AddIOp::create(*this, lhs, rhs);
}

Value HeadBuilder::mul(Value lhs, Value rhs) {
  if (isa<FloatType>(getElementTypeOrSelf(lhs)))
    return arith::MulFOp::create(*this, lhs, rhs);
  return arith::MulIOp::create(*this, lhs, rhs);
}

Value HeadBuilder::load(Value memref, ValueRange indices) {
  return memref::LoadOp::create(*this, memref, indices);
}

void HeadBuilder::store(Value value, Value memref, ValueRange indices) {
  memref::StoreOp::create(*this, value, memref, indices);
}

Value HeadBuilder::loadVector(Value memref, int64_t size, ValueRange indices) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  return vector::LoadOp::create(*this, VectorType::get(size, element), memref,
                                indices);
}

Value HeadBuilder::splat(Value scalar, int64_t size) {
  return vector::BroadcastOp::create(
      *this, VectorType::get(size, scalar.getType()), scalar);
}

Value HeadBuilder::allocate(int64_t size, Type elementType) {
  return memref::AllocOp::create(*this, MemRefType::get(size, elementType),
                                 /*alignment=*/getI64IntegerAttr(64));
}

ResultRange HeadBuilder::loop(Value begin, Value end, int64_t step,
                              ValueRange initial, LoopBody body) {
  auto loop = scf::ForOp::create(
      *this, begin, end, index(step), initial,
      [&](OpBuilder &, Location, Value position, ValueRange values) {
        // The loop's builder is another; everything here goes through this one.
        OpBuilder::InsertionGuard guard(*this);
        setInsertionPointToEnd(position.getParentBlock());
        scf::YieldOp::create(*this, body(position, values));
      });
  return loop.getResults();
}

scf::ParallelOp HeadBuilder::parallel(Value end,
                                      function_ref<void(Value)> body) {
  return scf::ParallelOp::create(
      *this, index(0), end, index(1),
      [&](OpBuilder &nested, Location, ValueRange position) {
        OpBuilder::InsertionGuard guard(*this);
        restoreInsertionPoint(nested.saveInsertionPoint());
        body(position[0]);
      });
}

void HeadBuilder::describe(scf::ParallelOp loop, StringRef what,
                           ScreenShape shape, int64_t bytes) {
  std::string name =
      (what + " " + Twine(shape.rows) + "x" + Twine(shape.cols)).str();
  loop->setAttr(
      tern::kKernelAttr,
      getDictionaryAttr(
          {getNamedAttr("name", getStringAttr(name)),
           getNamedAttr("bytes", getI64IntegerAttr(bytes)),
           getNamedAttr("macs", getI64IntegerAttr(shape.rows * shape.cols))}));
}

void HeadBuilder::when(Value condition, function_ref<void()> body) {
  scf::IfOp::create(*this, condition, [&](OpBuilder &nested, Location) {
    OpBuilder::InsertionGuard guard(*this);
    restoreInsertionPoint(nested.saveInsertionPoint());
    body();
    scf::YieldOp::create(*this);
  });
}

//===----------------------------------------------------------------------===//
// HeadKernel
//===----------------------------------------------------------------------===//

namespace {
class HeadKernel {
public:
  HeadKernel(HeadBuilder &b, CodeProduct product, bool isRounded,
             const HeadOperands &operands)
      : b(b), product(product), isRounded(isRounded), operands(operands) {
    ArrayRef<int64_t> sizes =
        cast<MemRefType>(operands.rows.getType()).getShape();
    shape = {sizes[0], sizes[1]};
    // Beyond this, rows are read faster in order.
    mostCandidates = llvm::divideCeil(shape.rows, 4);
  }

  void build();

private:
  /// The logit of a row, whose elements are those of `weights` from `at` on:
  /// a matrix and a row's number, or a row.
  Value buildLogit(Value weights, ArrayRef<Value> at);
  /// Writes the logits of `count` rows on all threads. Rows that lie apart are
  /// fetched: see FetchOp.
  void buildListedLogits(Value list, Value count, StringRef name);
  void buildAllLogits();
  /// Whether a screen may be used: not all logits are asked for, and the hidden
  /// state's norm is in its range.
  Value buildIsScreened(Value norm);
  /// Writes the best logits. Returns how many there are; more than
  /// mostCandidates if `out` is not written for that reason.
  Value buildBestLogits(Value norm, Value largest);
  /// A score that as many tiles reach as logits are asked for.
  Value buildFloor(Value tileMax);
  /// No more than the least logit of as many rows as are asked for. Writes to
  /// `list` and `out`.
  Value buildThreshold(const HeadScores &scores, Value floor, Value list);
  /// Lists the rows whose upper bound reaches `threshold`; returns their
  /// number.
  Value buildCandidates(Value upper, Value threshold, Value list);

  Value compare(arith::CmpIPredicate predicate, Value lhs, Value rhs) {
    return arith::CmpIOp::create(b, predicate, lhs, rhs);
  }
  Value compare(arith::CmpFPredicate predicate, Value lhs, Value rhs) {
    return arith::CmpFOp::create(b, predicate, lhs, rhs);
  }
  Value both(Value lhs, Value rhs) {
    return arith::AndIOp::create(b, lhs, rhs);
  }
  /// `condition ? body() : otherwise`.
  SmallVector<Value> select(Value condition, ValueRange otherwise,
                            function_ref<SmallVector<Value>()> body);
  /// The rows of a tile, one after the other.
  ResultRange loopOverRows(Value tile, ValueRange initial,
                           HeadBuilder::LoopBody body);

  HeadBuilder &b;
  CodeProduct product;
  bool isRounded;
  const HeadOperands &operands;
  ScreenShape shape;
  int64_t mostCandidates;
};
} // namespace

SmallVector<Value> HeadKernel::select(Value condition, ValueRange otherwise,
                                      function_ref<SmallVector<Value>()> body) {
  auto branch = scf::IfOp::create(b, otherwise.getTypes(), condition,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, body());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, otherwise);
  return SmallVector<Value>(branch.getResults());
}

ResultRange HeadKernel::loopOverRows(Value tile, ValueRange initial,
                                     HeadBuilder::LoopBody body) {
  Value first = b.mul(tile, b.index(ScreenShape::kTile));
  Value end = arith::MinUIOp::create(
      b, b.add(first, b.index(ScreenShape::kTile)), b.index(shape.rows));
  return b.loop(first, end, 1, initial, body);
}

//===----------------------------------------------------------------------===//
// Logits
//===----------------------------------------------------------------------===//

/// The sum of a vector's elements, halves added to each other.
static Value buildSum(HeadBuilder &b, Value vector) {
  int64_t size = cast<VectorType>(vector.getType()).getNumElements();
  while (size > 1) {
    size /= 2;
    auto half = [&](int64_t first) -> Value {
      return vector::ExtractStridedSliceOp::create(
          b, vector, ArrayRef(first), ArrayRef(size), ArrayRef<int64_t>(1));
    };
    vector = b.add(half(0), half(size));
  }
  return vector::ExtractOp::create(b, vector, ArrayRef<int64_t>{0});
}

/// `value` as f32, a scalar or a vector.
static Value extend(HeadBuilder &b, Value value) {
  Type element = getElementTypeOrSelf(value);
  if (element.isF32())
    return value;
  Type type = b.getF32Type();
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = VectorType::get(vector.getShape(), type);
  return arith::ExtFOp::create(b, type, value);
}

// No flags of fast mathematics: the order is what HeadOp says, wherever this is
// inlined.
Value HeadKernel::buildLogit(Value weights, ArrayRef<Value> at) {
  auto indices = [&](Value column) {
    SmallVector<Value> all(at);
    all.push_back(column);
    return all;
  };
  constexpr int64_t lanes = 16, numSums = 4, block = lanes * numSums;
  int64_t whole = shape.cols / block * block;
  Value zeros = b.splat(b.f32(0), lanes);
  auto sums = b.loop(
      b.index(0), b.index(whole), block, SmallVector<Value>(numSums, zeros),
      [&](Value column, ValueRange sums) {
        SmallVector<Value> results;
        for (int64_t i = 0; i < numSums; ++i) {
          Value first = b.add(column, b.index(i * lanes));
          Value part = extend(b, b.loadVector(weights, lanes, indices(first)));
          Value x = b.loadVector(operands.x, lanes, first);
          results.push_back(b.add(sums[i], b.mul(part, x)));
        }
        return results;
      });
  Value sum =
      buildSum(b, b.add(b.add(sums[0], sums[1]), b.add(sums[2], sums[3])));
  return b.loop(b.index(whole), b.index(shape.cols), 1, sum,
                [&](Value column, ValueRange sum) -> SmallVector<Value> {
                  Value weight = extend(b, b.load(weights, indices(column)));
                  return {
                      b.add(sum[0], b.mul(weight, b.load(operands.x, column)))};
                })[0];
}

void HeadKernel::buildAllLogits() {
  auto loop = b.parallel(b.index(shape.getTiles()), [&](Value tile) {
    loopOverRows(tile, {}, [&](Value row, ValueRange) -> SmallVector<Value> {
      b.store(buildLogit(operands.rows, row), operands.out, row);
      return {};
    });
  });
  auto rows = cast<MemRefType>(operands.rows.getType());
  b.describe(loop, "head", shape,
             shape.rows * shape.cols * rows.getElementTypeBitWidth() / 8);
}

void HeadKernel::buildListedLogits(Value list, Value count, StringRef name) {
  Type element = cast<MemRefType>(operands.rows.getType()).getElementType();
  auto loop = b.parallel(count, [&](Value position) {
    Value row = b.load(list, position);
    Value copy = b.allocate(shape.cols, element);
    FetchOp::create(b, operands.rows, row, copy);
    b.store(buildLogit(copy, {}), operands.out, row);
    memref::DeallocOp::create(b, copy);
  });
  // How many rows it reads, only a run tells.
  loop->setAttr(tern::kKernelAttr, b.getDictionaryAttr(b.getNamedAttr(
                                       "name", b.getStringAttr(name))));
}

//===----------------------------------------------------------------------===//
// The best
//===----------------------------------------------------------------------===//

Value HeadKernel::buildIsScreened(Value norm) {
  Value isLarge =
      compare(arith::CmpFPredicate::OGE, norm, b.f64(kLeastHiddenNorm));
  Value isSmall =
      compare(arith::CmpFPredicate::OLE, norm, b.f64(kLargestHiddenNorm));
  Value isSome = compare(arith::CmpIPredicate::sgt, operands.best, b.index(0));
  // As many tiles are needed; with a quarter of them, little is left out.
  Value isFew = compare(arith::CmpIPredicate::sle, operands.best,
                        b.index(shape.getTiles() / 4));
  return both(both(isLarge, isSmall), both(isSome, isFew));
}

// Halves the range in which the floor lies; any number that enough tiles reach
// will do.
Value HeadKernel::buildFloor(Value tileMax) {
  constexpr int64_t halvings = 24, lanes = 16;
  int64_t tiles = shape.getTiles();
  auto range = b.loop(b.index(0), b.index(tiles), 1,
                      {b.f32(kInfinity), b.f32(-kInfinity)},
                      [&](Value tile, ValueRange range) -> SmallVector<Value> {
                        Value score = b.load(tileMax, tile);
                        return {arith::MinNumFOp::create(b, range[0], score),
                                arith::MaxNumFOp::create(b, range[1], score)};
                      });
  auto i32s = VectorType::get(lanes, b.getI32Type());
  auto countFrom = [&](Value least) -> Value {
    Value counts = b.loop(
        b.index(0), b.index(llvm::alignTo(tiles, lanes)), lanes,
        buildIntegerSplat(b, i32s, 0),
        [&](Value tile, ValueRange counts) -> SmallVector<Value> {
          Value reaches = compare(arith::CmpFPredicate::OGE,
                                  b.loadVector(tileMax, lanes, tile),
                                  b.splat(least, lanes));
          return {b.add(counts[0], arith::ExtUIOp::create(b, i32s, reaches))};
        })[0];
    Value count =
        vector::ReductionOp::create(b, vector::CombiningKind::ADD, counts);
    return arith::IndexCastOp::create(b, b.getIndexType(), count);
  };
  Value isOne = compare(arith::CmpIPredicate::eq, operands.best, b.index(1));
  Value steps =
      arith::SelectOp::create(b, isOne, b.index(0), b.index(halvings));
  Value low = arith::SelectOp::create(b, isOne, range[1], range[0]);
  return b.loop(b.index(0), steps, 1, {low, range[1]},
                [&](Value, ValueRange range) -> SmallVector<Value> {
                  Value middle = b.mul(b.add(range[0], range[1]), b.f32(0.5));
                  Value isReached = compare(arith::CmpIPredicate::sge,
                                            countFrom(middle), operands.best);
                  return {
                      arith::SelectOp::create(b, isReached, middle, range[0]),
                      arith::SelectOp::create(b, isReached, range[1], middle)};
                })[0];
}

// The logits of the best rows of the first tiles that reach the floor, until
// there are enough.
Value HeadKernel::buildThreshold(const HeadScores &scores, Value floor,
                                 Value list) {
  Value count = b.loop(
      b.index(0), b.index(shape.getTiles()), 1, b.index(0),
      [&](Value tile, ValueRange count) {
        Value isMissing =
            compare(arith::CmpIPredicate::slt, count[0], operands.best);
        Value reaches = compare(arith::CmpFPredicate::OGE,
                                b.load(scores.tileMax, tile), floor);
        return select(
            both(isMissing, reaches), count, [&]() -> SmallVector<Value> {
              Value row = arith::IndexCastOp::create(
                  b, b.getIndexType(), b.load(scores.tileRow, tile));
              // Whatever the bounds are, as a logit is written.
              row = arith::MinUIOp::create(b, row, b.index(shape.rows - 1));
              b.store(row, list, count[0]);
              return {b.add(count[0], b.index(1))};
            });
      })[0];
  buildListedLogits(list, count, "head, rows in full");
  Value least =
      b.loop(b.index(0), count, 1, b.f32(kInfinity),
             [&](Value position, ValueRange least) -> SmallVector<Value> {
               Value logit = b.load(operands.out, b.load(list, position));
               return {arith::MinimumFOp::create(b, least[0], logit)};
             })[0];
  if (!isRounded)
    return least;
  // What rounds to the same bf16 is no further away.
  Value margin = b.add(b.mul(math::AbsFOp::create(b, least), b.f32(0x1p-6f)),
                       b.f32(1e-37f));
  return arith::SubFOp::create(b, least, margin);
}

Value HeadKernel::buildCandidates(Value upper, Value threshold, Value list) {
  auto listRow = [&](Value row, ValueRange count) {
    // Not less: a NaN is one, too.
    Value isCandidate =
        compare(arith::CmpFPredicate::UGE, b.load(upper, row), threshold);
    return select(isCandidate, count, [&]() -> SmallVector<Value> {
      Value hasRoom =
          compare(arith::CmpIPredicate::slt, count[0], b.index(mostCandidates));
      b.when(hasRoom, [&] { b.store(row, list, count[0]); });
      return {b.add(count[0], b.index(1))};
    });
  };
  return b.loop(
      b.index(0), b.index(shape.getTiles()), 1, b.index(0),
      [&](Value tile, ValueRange count) {
        Value bounds = b.loadVector(upper, ScreenShape::kTile,
                                    b.mul(tile, b.index(ScreenShape::kTile)));
        Value reach = compare(arith::CmpFPredicate::UGE, bounds,
                              b.splat(threshold, ScreenShape::kTile));
        Value any =
            vector::ReductionOp::create(b, vector::CombiningKind::OR, reach);
        return select(any, count, [&] {
          return SmallVector<Value>(loopOverRows(tile, count, listRow));
        });
      })[0];
}

Value HeadKernel::buildBestLogits(Value norm, Value largest) {
  Type f32 = b.getF32Type();
  int64_t tiles = shape.getTiles(), paddedTiles = llvm::alignTo(tiles, 16);
  HiddenCopy hidden = buildHiddenCopy(b, shape, operands.x, norm, largest);
  // Logits may be written over bounds before candidates are listed: those rows
  // are candidates by either, as no logit is above its bound or below the
  // threshold.
  bool isPadded = shape.getPaddedRows() != shape.rows;
  HeadScores scores = {
      isPadded ? b.allocate(shape.getPaddedRows(), f32) : operands.out,
      b.allocate(paddedTiles, f32), b.allocate(tiles, b.getI32Type())};
  Value list = b.allocate(mostCandidates, b.getIndexType());
  buildScores(b, shape, product, operands, hidden, scores);
  b.loop(b.index(tiles), b.index(paddedTiles), 1, {},
         [&](Value tile, ValueRange) -> SmallVector<Value> {
           b.store(b.f32(-kInfinity), scores.tileMax, tile);
           return {};
         });

  Value floor = buildFloor(scores.tileMax);
  Value threshold = buildThreshold(scores, floor, list);
  Value count = buildCandidates(scores.upper, threshold, list);
  Value fits =
      compare(arith::CmpIPredicate::sle, count, b.index(mostCandidates));
  b.when(fits, [&] {
    b.loop(b.index(0), b.index(shape.rows), 1, {},
           [&](Value row, ValueRange) -> SmallVector<Value> {
             b.store(b.f32(-kInfinity), operands.out, row);
             return {};
           });
    buildListedLogits(list, count, "head, rows in full");
  });
  SmallVector<Value> buffers = {hidden.high, hidden.low, scores.tileMax,
                                scores.tileRow, list};
  if (isPadded)
    buffers.push_back(scores.upper);
  for (Value buffer : buffers)
    memref::DeallocOp::create(b, buffer);
  return count;
}

void HeadKernel::build() {
  if (!operands.codes)
    return buildAllLogits();
  auto norms =
      b.loop(b.index(0), b.index(shape.cols), 1, {b.f64(0), b.f64(0)},
             [&](Value column, ValueRange sums) -> SmallVector<Value> {
               Value value = arith::ExtFOp::create(b, b.getF64Type(),
                                                   b.load(operands.x, column));
               return {b.add(sums[0], b.mul(value, value)),
                       arith::MaxNumFOp::create(
                           b, sums[1], math::AbsFOp::create(b, value))};
             });
  Value norm = b.mul(math::SqrtOp::create(b, norms[0]), b.f64(1 + 0x1p-20));
  Value count = select(buildIsScreened(norm), b.index(mostCandidates + 1),
                       [&]() -> SmallVector<Value> {
                         return {buildBestLogits(norm, norms[1])};
                       })[0];
  Value isUndecided =
      compare(arith::CmpIPredicate::sgt, count, b.index(mostCandidates));
  b.when(isUndecided, [&] { buildAllLogits(); });
}

void tern::ternary::buildHead(OpBuilder &builder, Location loc,
                              CodeProduct product, bool isRounded,
                              const HeadOperands &operands) {
  HeadBuilder b(loc, builder);
  b.setInsertionPoint(builder.getInsertionBlock(), builder.getInsertionPoint());
  HeadKernel(b, product, isRounded, operands).build();
  builder.setInsertionPointToEnd(b.getInsertionBlock());
}
