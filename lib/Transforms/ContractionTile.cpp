//===- ContractionTile.cpp - the register tiles of contractions -----------===//
//
// A tile's sums stay in registers while the loop over the sum runs. In a dot
// product each of them is a vector of partial sums; those of the tile, or else
// of a row, are added up together in the end, by halves: each step halves the
// lanes of all sums and doubles the sums that a vector holds.
//
//===----------------------------------------------------------------------===//

#include "ContractionTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace tern;

constexpr int64_t kLineBytes = 64;
/// How far ahead of its use what is read once is asked for: about what memory
/// takes, and no more than a few rows of keys.
constexpr int64_t kPrefetchBytes = 6144;
constexpr int64_t kShortRowBytes = 512;

int64_t VectorRegisters::getAccumulators(int64_t rows,
                                         ContractionForm form) const {
  int64_t most = static_cast<int64_t>(llvm::bit_floor(
      static_cast<uint64_t>(std::max<int64_t>(count * 3 / 4 / rows, 1))));
  // More columns of a dot product would be more streams of memory than are
  // prefetched.
  return std::min<int64_t>(most, form == ContractionForm::Dot
                                     ? std::min<int64_t>(lanes, 8)
                                     : count / 2);
}

//===----------------------------------------------------------------------===//
// Sums of the lanes of several vectors
//===----------------------------------------------------------------------===//

namespace {
/// Vectors that hold partial sums: `owners` are the columns whose sums a vector
/// holds, each in equally many successive lanes.
struct PartialSums {
  Value vector;
  SmallVector<int64_t> owners;
};
} // namespace

static Value addSums(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  return arith::AddFOp::create(b, lhs, rhs, arith::FastMathFlags::contract);
}

/// Halves the lanes of the sums in `x` and in `y`, which may be null: then the
/// result is shorter.
static PartialSums halve(ImplicitLocOpBuilder &b, const PartialSums &x,
                         const PartialSums *y) {
  int64_t lanes = cast<VectorType>(x.vector.getType()).getNumElements();
  int64_t sums = x.owners.size(), width = lanes / sums;
  SmallVector<int64_t> low, high;
  PartialSums result;
  auto append = [&](const PartialSums &from, int64_t base, int64_t sum) {
    result.owners.push_back(from.owners[sum]);
    for (int64_t lane = 0; lane < width / 2; ++lane) {
      low.push_back(base + sum * width + lane);
      high.push_back(base + sum * width + width / 2 + lane);
    }
  };
  // Instructions that shuffle two vectors keep to their 128 bits if that is
  // what a sum fills: there both alternate.
  constexpr int64_t lanesOf128Bits = 4;
  if (y && width == lanesOf128Bits) {
    for (int64_t sum = 0; sum < sums; ++sum) {
      append(x, 0, sum);
      append(*y, lanes, sum);
    }
  } else if (y && width < lanesOf128Bits) {
    int64_t step = lanesOf128Bits / width;
    for (int64_t sum = 0; sum < sums; sum += step) {
      for (int64_t i = 0; i < step; ++i)
        append(x, 0, sum + i);
      for (int64_t i = 0; i < step; ++i)
        append(*y, lanes, sum + i);
    }
  } else {
    for (int64_t sum = 0; sum < sums; ++sum)
      append(x, 0, sum);
    for (int64_t sum = 0; y && sum < sums; ++sum)
      append(*y, lanes, sum);
  }
  Value other = y ? y->vector : x.vector;
  result.vector = addSums(b, vector::ShuffleOp::create(b, x.vector, other, low),
                          vector::ShuffleOp::create(b, x.vector, other, high));
  return result;
}

/// The sums of the lanes of each vector, of which there are a power of two, at
/// most as many as lanes; in their order, as one vector.
static Value sumLanes(ImplicitLocOpBuilder &b, ArrayRef<Value> vectors) {
  SmallVector<PartialSums> level;
  for (auto [owner, vector] : llvm::enumerate(vectors))
    level.push_back({vector, {static_cast<int64_t>(owner)}});
  while (level.size() > 1) {
    SmallVector<PartialSums> next;
    for (size_t i = 0; i < level.size(); i += 2)
      next.push_back(halve(b, level[i], &level[i + 1]));
    level = std::move(next);
  }
  PartialSums sums = level.front();
  int64_t count = vectors.size();
  while (cast<VectorType>(sums.vector.getType()).getNumElements() > count)
    sums = halve(b, sums, nullptr);
  SmallVector<int64_t> order(count);
  for (auto [lane, owner] : llvm::enumerate(sums.owners))
    order[owner] = lane;
  if (llvm::equal(order, llvm::seq<int64_t>(0, count)))
    return sums.vector;
  return vector::ShuffleOp::create(b, sums.vector, sums.vector, order);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

namespace {
class TileEmitter {
public:
  TileEmitter(ImplicitLocOpBuilder &b, const Contraction &contraction,
              const VectorRegisters &registers, const ContractionTile &tile)
      : b(b), contraction(contraction), registers(registers),
        lanes(registers.lanes), tile(tile),
        type(VectorType::get(lanes, b.getF32Type())) {}

  void emitDot(bool isSumWhole);
  void emitOuter();

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  /// The column `offset` behind the first one.
  Value column(int64_t offset) {
    return offset == 0
               ? tile.firstColumn
               : b.createOrFold<arith::AddIOp>(tile.firstColumn, index(offset));
  }
  SmallVector<Value> indicesOf(const ContractionOperand &operand,
                               ArrayRef<Value> row, Value column, Value sum) {
    SmallVector<Value> loops(row);
    loops[contraction.column] = column;
    loops[contraction.sum] = sum;
    return operand.getIndices(b, b.getLoc(), loops);
  }
  Value multiplyAdd(Value lhs, Value rhs, Value sum) {
    Value product =
        arith::MulFOp::create(b, lhs, rhs, arith::FastMathFlags::contract);
    return addSums(b, sum, product);
  }
  Value widen(Value value) {
    Type type = value.getType();
    if (getElementTypeOrSelf(type).isF32())
      return value;
    Type wide = b.getF32Type();
    if (auto vector = dyn_cast<VectorType>(type))
      wide = VectorType::get(vector.getShape(), wide);
    if (getElementTypeOrSelf(type).isInteger())
      return arith::SIToFPOp::create(b, wide, value);
    return arith::ExtFOp::create(b, wide, value);
  }
  /// A vector of `operand`, in f32; 0 where `mask`, which may be null, is off.
  Value loadVector(const ContractionOperand &operand, ArrayRef<Value> indices,
                   Value mask);
  /// Bytes of a row of `rhs` if it is read once, from memory perhaps: what many
  /// rows of `lhs` multiply is in a cache. 0 otherwise, or where they are not
  /// known.
  int64_t getRowBytes() const;
  /// Elements of `rhs` in a line of the cache.
  int64_t getLineElements() const;
  void prefetch(ValueRange indices);
  /// The columns some way behind a tile of dot products, if they are short
  /// rows, as keys are: hardware follows long ones.
  void prefetchColumns();
  /// What an outer product multiplies some steps behind `sum`.
  void prefetchSums(Value sum);
  /// A step of the dot products: `accumulators` with the products from `sum` on
  /// added, a vector of them.
  SmallVector<Value> emitDotStep(Value sum, Value mask,
                                 ValueRange accumulators);
  void addToOut(ArrayRef<Value> row, Value sums);
  /// Adds up the lanes of `sums`, the columns of each row, to the result: of
  /// all rows together if one vector holds their sums, which takes fewer steps.
  void emitRowSums(ArrayRef<Value> sums);

  ImplicitLocOpBuilder &b;
  const Contraction &contraction;
  const VectorRegisters &registers;
  int64_t lanes;
  const ContractionTile &tile;
  VectorType type;
};
} // namespace

Value TileEmitter::loadVector(const ContractionOperand &operand,
                              ArrayRef<Value> indices, Value mask) {
  auto element = cast<MemRefType>(operand.memref.getType()).getElementType();
  auto stored = VectorType::get(lanes, element);
  if (!mask)
    return widen(
        vector::LoadOp::create(b, stored, operand.memref, indices).getResult());
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(stored));
  return widen(vector::MaskedLoadOp::create(b, stored, operand.memref, indices,
                                            mask, zeros));
}

int64_t TileEmitter::getRowBytes() const {
  auto type = cast<MemRefType>(contraction.rhs.memref.getType());
  bool isReadOnce =
      static_cast<int64_t>(tile.rows.size()) < registers.getMostRows();
  return isReadOnce && !type.isDynamicDim(type.getRank() - 1)
             ? type.getShape().back() * type.getElementTypeBitWidth() / 8
             : 0;
}

int64_t TileEmitter::getLineElements() const {
  auto type = cast<MemRefType>(contraction.rhs.memref.getType());
  return kLineBytes * 8 / type.getElementTypeBitWidth();
}

void TileEmitter::prefetch(ValueRange indices) {
  memref::PrefetchOp::create(b, contraction.rhs.memref, indices,
                             /*isWrite=*/false, /*localityHint=*/3,
                             /*isDataCache=*/true);
}

void TileEmitter::prefetchColumns() {
  int64_t rowBytes = getRowBytes();
  if (rowBytes == 0 || rowBytes > kShortRowBytes)
    return;
  auto type = cast<MemRefType>(contraction.rhs.memref.getType());
  int64_t ahead = llvm::alignTo(kPrefetchBytes / rowBytes, tile.width);
  for (int64_t i = 0; i < tile.width; ++i)
    for (int64_t at = 0; at < type.getShape().back(); at += getLineElements())
      prefetch(indicesOf(contraction.rhs, tile.rows.front(), column(i + ahead),
                         index(at)));
}

void TileEmitter::prefetchSums(Value sum) {
  int64_t rowBytes = getRowBytes();
  if (rowBytes == 0)
    return;
  Value ahead = b.createOrFold<arith::AddIOp>(
      sum, index(llvm::divideCeil(kPrefetchBytes, rowBytes)));
  for (int64_t at = 0; at < tile.width * lanes; at += getLineElements())
    prefetch(indicesOf(contraction.rhs, tile.rows.front(), column(at), ahead));
}

SmallVector<Value> TileEmitter::emitDotStep(Value sum, Value mask,
                                            ValueRange accumulators) {
  SmallVector<Value> lhs;
  for (ArrayRef<Value> row : tile.rows)
    lhs.push_back(loadVector(contraction.lhs,
                             indicesOf(contraction.lhs, row, {}, sum), mask));
  SmallVector<Value> next(accumulators);
  for (int64_t i = 0; i < tile.width; ++i) {
    Value rhs = loadVector(
        contraction.rhs,
        indicesOf(contraction.rhs, tile.rows.front(), column(i), sum), mask);
    for (auto [row, factor] : llvm::enumerate(lhs)) {
      Value &accumulator = next[row * tile.width + i];
      accumulator = multiplyAdd(factor, rhs, accumulator);
    }
  }
  return next;
}

/// Adds a row's sums, one for each column, to the result.
void TileEmitter::addToOut(ArrayRef<Value> row, Value sums) {
  const ContractionOperand &out = contraction.out;
  if (contraction.isOutContiguous && tile.width > 1) {
    SmallVector<Value> indices = indicesOf(out, row, tile.firstColumn, {});
    Value before = vector::LoadOp::create(b, cast<VectorType>(sums.getType()),
                                          out.memref, indices);
    vector::StoreOp::create(b, addSums(b, before, sums), out.memref, indices);
    return;
  }
  for (int64_t i = 0; i < tile.width; ++i) {
    SmallVector<Value> indices = indicesOf(out, row, column(i), {});
    Value before = memref::LoadOp::create(b, out.memref, indices);
    Value sum = vector::ExtractOp::create(b, sums, i);
    memref::StoreOp::create(b, addSums(b, before, sum), out.memref, indices);
  }
}

void TileEmitter::emitRowSums(ArrayRef<Value> sums) {
  int64_t count = sums.size();
  if (count > lanes || !llvm::isPowerOf2_64(count)) {
    for (auto [i, row] : llvm::enumerate(tile.rows))
      addToOut(row, sumLanes(b, sums.slice(i * tile.width, tile.width)));
    return;
  }
  Value all = sumLanes(b, sums);
  for (auto [i, row] : llvm::enumerate(tile.rows))
    addToOut(row, vector::ExtractStridedSliceOp::create(b, all, i * tile.width,
                                                        tile.width, 1));
}

void TileEmitter::emitDot(bool isSumWhole) {
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(type));
  SmallVector<Value> sums(tile.rows.size() * tile.width, zeros);
  Value length = b.createOrFold<arith::SubIOp>(tile.sumEnd, tile.sumBegin);
  Value rest = isSumWhole
                   ? index(0)
                   : b.createOrFold<arith::RemUIOp>(length, index(lanes));
  Value whole = b.createOrFold<arith::SubIOp>(tile.sumEnd, rest);
  prefetchColumns();
  auto loop = scf::ForOp::create(
      b, tile.sumBegin, whole, index(lanes), sums,
      [&](OpBuilder &, Location, Value sum, ValueRange carried) {
        scf::YieldOp::create(b, emitDotStep(sum, /*mask=*/{}, carried));
      });
  sums.assign(loop.result_begin(), loop.result_end());
  if (!isSumWhole) {
    Value mask = vector::CreateMaskOp::create(
        b, VectorType::get(lanes, b.getI1Type()), rest);
    sums = emitDotStep(whole, mask, sums);
  }
  emitRowSums(sums);
}

void TileEmitter::emitOuter() {
  const ContractionOperand &out = contraction.out;
  auto columnOf = [&](int64_t i) { return column(i * lanes); };
  SmallVector<Value> sums;
  for (ArrayRef<Value> row : tile.rows)
    for (int64_t i = 0; i < tile.width; ++i)
      sums.push_back(
          loadVector(out, indicesOf(out, row, columnOf(i), {}), tile.mask));

  auto step = [&](Value sum, ValueRange carried) {
    SmallVector<Value> rhs;
    for (int64_t i = 0; i < tile.width; ++i)
      rhs.push_back(loadVector(
          contraction.rhs,
          indicesOf(contraction.rhs, tile.rows.front(), columnOf(i), sum),
          tile.mask));
    prefetchSums(sum);
    SmallVector<Value> next(carried);
    for (auto [i, row] : llvm::enumerate(tile.rows)) {
      Value factor = widen(memref::LoadOp::create(
          b, contraction.lhs.memref, indicesOf(contraction.lhs, row, {}, sum)));
      factor = vector::BroadcastOp::create(b, type, factor);
      for (int64_t j = 0; j < tile.width; ++j) {
        Value &accumulator = next[i * tile.width + j];
        accumulator = multiplyAdd(factor, rhs[j], accumulator);
      }
    }
    return next;
  };
  auto loop = scf::ForOp::create(
      b, tile.sumBegin, tile.sumEnd, index(1), sums,
      [&](OpBuilder &, Location, Value sum, ValueRange carried) {
        scf::YieldOp::create(b, step(sum, carried));
      });
  for (auto [i, row] : llvm::enumerate(tile.rows))
    for (int64_t j = 0; j < tile.width; ++j) {
      SmallVector<Value> indices = indicesOf(out, row, columnOf(j), {});
      Value sum = loop.getResult(i * tile.width + j);
      if (tile.mask)
        vector::MaskedStoreOp::create(b, out.memref, indices, tile.mask, sum);
      else
        vector::StoreOp::create(b, sum, out.memref, indices);
    }
}

void tern::emitContractionTile(ImplicitLocOpBuilder &b,
                               const Contraction &contraction,
                               const VectorRegisters &registers,
                               const ContractionTile &tile, bool isSumWhole) {
  TileEmitter emitter(b, contraction, registers, tile);
  if (contraction.form == ContractionForm::Dot)
    emitter.emitDot(isSumWhole);
  else
    emitter.emitOuter();
}
