//===- VectorizeTransposes.cpp - copies that turn rows into columns -------===//
//
// A copy whose source is contiguous in one loop and whose target in another
// moves squares of as many rows and columns as a vector has lanes: they are
// read by rows, transposed in registers, and written by columns.
//
//===----------------------------------------------------------------------===//

#include "VectorLanes.h"

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {
#define GEN_PASS_DEF_VECTORIZETRANSPOSES
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

namespace {
/// A copy of 32-bit elements: the source's last index is loop `row`, the
/// target's is loop `column`.
struct TransposingCopy {
  linalg::GenericOp op;
  unsigned row, column;
};
} // namespace

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

/// The loop that runs over contiguous elements of `operand`.
static std::optional<unsigned> getContiguousLoop(linalg::GenericOp op,
                                                 OpOperand &operand) {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!type || !type.getElementType().isIntOrFloat() ||
      type.getElementTypeBitWidth() != 32 || !type.isLastDimUnitStride() ||
      !map.isPermutation())
    return std::nullopt;
  return cast<AffineDimExpr>(map.getResults().back()).getPosition();
}

static std::optional<TransposingCopy> matchCopy(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 ||
      op.getNumReductionLoops() != 0 ||
      op->getOperand(0) == op->getOperand(1) ||
      op.getBody()->getTerminator()->getOperand(0) !=
          op.getRegionInputArgs().front())
    return std::nullopt;
  // Elsewhere the rows are for threads to share.
  if (!op->getParentOfType<scf::ForallOp>() &&
      !op->getParentOfType<scf::ParallelOp>())
    return std::nullopt;
  std::optional<unsigned> row =
      getContiguousLoop(op, *op.getDpsInputOperand(0));
  std::optional<unsigned> column =
      getContiguousLoop(op, *op.getDpsInitOperand(0));
  if (!row || !column || row == column)
    return std::nullopt;
  return TransposingCopy{op, *row, *column};
}

//===----------------------------------------------------------------------===//
// Squares
//===----------------------------------------------------------------------===//

/// Elements of `lhs` and `rhs` in turns: those of the lower or the upper half.
static Value interleave(ImplicitLocOpBuilder &b, Value lhs, Value rhs,
                        bool isUpper) {
  int64_t lanes = cast<VectorType>(lhs.getType()).getNumElements();
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < lanes / 2; ++i) {
    int64_t lane = (isUpper ? lanes / 2 : 0) + i;
    order.append({lane, lanes + lane});
  }
  return vector::ShuffleOp::create(b, lhs, rhs, order);
}

/// The columns of the square that `rows` are. Merging the first half of the
/// vectors with the second, element by element, brings the lowest bit of an
/// element's place to where the highest of its vector's number was: after as
/// many rounds as such a number has bits, both have changed places.
static SmallVector<Value> transpose(ImplicitLocOpBuilder &b,
                                    SmallVector<Value> rows) {
  size_t count = rows.size();
  for (size_t round = 1; round < count; round *= 2) {
    SmallVector<Value> next;
    for (size_t i = 0; i < count / 2; ++i) {
      next.push_back(interleave(b, rows[i], rows[i + count / 2], false));
      next.push_back(interleave(b, rows[i], rows[i + count / 2], true));
    }
    rows = std::move(next);
  }
  return rows;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

namespace {
class CopyEmitter {
public:
  CopyEmitter(TransposingCopy copy, int64_t lanes)
      : b(copy.op.getLoc(), copy.op), copy(copy), lanes(lanes) {
    auto loops = cast<linalg::LinalgOp>(copy.op.getOperation());
    for (Range range : loops.createLoopRanges(b, b.getLoc()))
      sizes.push_back(
          getValueOrCreateConstantIndexOp(b, b.getLoc(), range.size));
  }

  /// Emits the loops from `loop` on; `indices` has those before it.
  void emit(unsigned loop = 0);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  /// The end of whole squares along `loop`.
  Value wholeOf(unsigned loop) {
    return b.createOrFold<arith::SubIOp>(
        sizes[loop], b.createOrFold<arith::RemUIOp>(sizes[loop], index(lanes)));
  }
  void emitFor(unsigned loop, Value begin, Value end, int64_t step,
               function_ref<void()> body);
  SmallVector<Value> indicesOf(OpOperand &operand);
  void emitPlane();
  void emitSquare();
  void emitElement();

  ImplicitLocOpBuilder b;
  TransposingCopy copy;
  int64_t lanes;
  SmallVector<Value> sizes;
  /// Of all loops, where they are known.
  SmallVector<Value> indices = SmallVector<Value>(copy.op.getNumLoops());
};
} // namespace

void CopyEmitter::emitFor(unsigned loop, Value begin, Value end, int64_t step,
                          function_ref<void()> body) {
  scf::ForOp::create(b, begin, end, index(step), ValueRange(),
                     [&](OpBuilder &, Location, Value i, ValueRange) {
                       indices[loop] = i;
                       body();
                       scf::YieldOp::create(b);
                     });
}

SmallVector<Value> CopyEmitter::indicesOf(OpOperand &operand) {
  SmallVector<Value> result;
  for (AffineExpr expr : copy.op.getMatchingIndexingMap(&operand).getResults())
    result.push_back(indices[cast<AffineDimExpr>(expr).getPosition()]);
  return result;
}

void CopyEmitter::emitSquare() {
  OpOperand &source = *copy.op.getDpsInputOperand(0);
  OpOperand &target = *copy.op.getDpsInitOperand(0);
  auto element = cast<MemRefType>(source.get().getType()).getElementType();
  auto type = VectorType::get(lanes, element);
  // `fn` with `loop` at each of the square's indices.
  auto forEach = [&](unsigned loop, function_ref<void(int64_t)> fn) {
    Value first = indices[loop];
    for (int64_t i = 0; i < lanes; ++i) {
      indices[loop] = b.createOrFold<arith::AddIOp>(first, index(i));
      fn(i);
    }
    indices[loop] = first;
  };
  SmallVector<Value> rows;
  forEach(copy.column, [&](int64_t) {
    rows.push_back(
        vector::LoadOp::create(b, type, source.get(), indicesOf(source)));
  });
  SmallVector<Value> columns = transpose(b, rows);
  forEach(copy.row, [&](int64_t i) {
    vector::StoreOp::create(b, columns[i], target.get(), indicesOf(target));
  });
}

void CopyEmitter::emitElement() {
  OpOperand &source = *copy.op.getDpsInputOperand(0);
  OpOperand &target = *copy.op.getDpsInitOperand(0);
  Value element = memref::LoadOp::create(b, source.get(), indicesOf(source));
  memref::StoreOp::create(b, element, target.get(), indicesOf(target));
}

void CopyEmitter::emitPlane() {
  Value wholeRows = wholeOf(copy.row), wholeColumns = wholeOf(copy.column);
  emitFor(copy.row, index(0), wholeRows, lanes, [&] {
    emitFor(copy.column, index(0), wholeColumns, lanes, [&] { emitSquare(); });
  });
  // What is left of the columns, then of the rows.
  emitFor(copy.column, wholeColumns, sizes[copy.column], 1, [&] {
    emitFor(copy.row, index(0), sizes[copy.row], 1, [&] { emitElement(); });
  });
  emitFor(copy.row, wholeRows, sizes[copy.row], 1, [&] {
    emitFor(copy.column, index(0), wholeColumns, 1, [&] { emitElement(); });
  });
}

void CopyEmitter::emit(unsigned loop) {
  if (loop == sizes.size())
    return emitPlane();
  if (loop == copy.row || loop == copy.column)
    return emit(loop + 1);
  emitFor(loop, index(0), sizes[loop], 1, [&] { emit(loop + 1); });
}

namespace {
struct VectorizeTransposesPass
    : tern::impl::VectorizeTransposesBase<VectorizeTransposesPass> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(tern::checkLanes(getOperation().getLoc(), lanes)))
      return signalPassFailure();
    SmallVector<linalg::GenericOp> found;
    getOperation().walk([&](linalg::GenericOp op) { found.push_back(op); });
    for (linalg::GenericOp op : found) {
      std::optional<TransposingCopy> copy = matchCopy(op);
      if (!copy)
        continue;
      CopyEmitter(*copy, static_cast<int64_t>(lanes)).emit();
      op.erase();
    }
  }
};
} // namespace
