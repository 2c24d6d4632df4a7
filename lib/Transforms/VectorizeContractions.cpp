//===- VectorizeContractions.cpp - float products in registers ------------===//
//
// The loops around the register tiles of ContractionTile.h:
//
//   parallel for each batch, outer column and block of columns   (shared out)
//     for each block of the sum                    (a block's rows fit the
//     cache)
//       for each tile of rows
//         for each tile of columns
//
//===----------------------------------------------------------------------===//

#include "ContractionTile.h"
#include "VectorLanes.h"

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tern {
#define GEN_PASS_DEF_VECTORIZECONTRACTIONS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;
using namespace tern;

/// Columns of a block of dot products: what a thread takes at once. So many
/// rows of weights stay in the second cache while all rows of activations pass.
constexpr int64_t kDotColumns = 64;
/// Elements of a block of the sum where there are many rows: those of a tile
/// stay in the first cache while the columns of a block pass.
constexpr int64_t kSumBlock = 1024;

namespace {
class ContractionLoops {
public:
  ContractionLoops(linalg::GenericOp op, const Contraction &contraction,
                   const VectorRegisters &registers)
      : b(op.getLoc(), op), contraction(contraction), registers(registers),
        isNested(op->getParentOfType<scf::ForallOp>() ||
                 op->getParentOfType<scf::ParallelOp>()) {
    auto loops = cast<linalg::LinalgOp>(op.getOperation());
    for (Range range : loops.createLoopRanges(b, b.getLoc()))
      sizes.push_back(
          getValueOrCreateConstantIndexOp(b, b.getLoc(), range.size));
  }

  void emit();

private:
  /// A part of some loop, [begin, end).
  struct Part {
    Value begin, end;
  };

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value product(ArrayRef<unsigned> loops);
  /// Sets in `loops` the indices of `dims` whose flattened index is `flat`.
  void delinearize(Value flat, ArrayRef<unsigned> dims,
                   MutableArrayRef<Value> loops);
  int64_t columnsInBlock() const;
  /// The sum fills whole vectors, whatever its blocks.
  bool isSumWhole() const;

  void emitBlock(ArrayRef<Value> loops, Part columns);
  void emitSumBlock(ArrayRef<Value> loops, Part columns, Part sum, Value rows);
  /// A tile of `count` rows for all columns of a block.
  void emitRows(ArrayRef<Value> loops, Part columns, Part sum, Value firstRow,
                int64_t count);
  void emitTile(ArrayRef<SmallVector<Value>> rows, Value column, int64_t width,
                Value mask, Part sum);
  void emitLoop(Part part, int64_t step, function_ref<void(Value)> body);

  ImplicitLocOpBuilder b;
  const Contraction &contraction;
  const VectorRegisters &registers;
  /// What is in a parallel loop already has its thread.
  const bool isNested;
  /// Of the loops of the operation.
  SmallVector<Value> sizes;
};
} // namespace

Value ContractionLoops::product(ArrayRef<unsigned> loops) {
  Value result = index(1);
  for (unsigned loop : loops)
    result = b.createOrFold<arith::MulIOp>(result, sizes[loop]);
  return result;
}

void ContractionLoops::delinearize(Value flat, ArrayRef<unsigned> dims,
                                   MutableArrayRef<Value> loops) {
  // Sizes of 1 need no division, nor does the outermost of the others.
  SmallVector<unsigned> proper;
  for (unsigned dim : dims) {
    loops[dim] = index(0);
    if (getConstantIntValue(sizes[dim]) != 1)
      proper.push_back(dim);
  }
  for (unsigned dim : llvm::reverse(proper)) {
    if (dim == proper.front()) {
      loops[dim] = flat;
      return;
    }
    loops[dim] = b.createOrFold<arith::RemUIOp>(flat, sizes[dim]);
    flat = b.createOrFold<arith::DivUIOp>(flat, sizes[dim]);
  }
}

int64_t ContractionLoops::columnsInBlock() const {
  if (contraction.form == ContractionForm::Dot)
    return kDotColumns;
  return registers.lanes *
         registers.getAccumulators(/*rows=*/1, ContractionForm::Outer);
}

bool ContractionLoops::isSumWhole() const {
  static_assert(kSumBlock % 64 == 0, "blocks are whole vectors");
  std::optional<int64_t> size = getConstantIntValue(sizes[contraction.sum]);
  return size && *size % registers.lanes == 0;
}

void ContractionLoops::emitLoop(Part part, int64_t step,
                                function_ref<void(Value)> body) {
  scf::ForOp::create(b, part.begin, part.end, index(step), ValueRange(),
                     [&](OpBuilder &, Location, Value i, ValueRange) {
                       body(i);
                       scf::YieldOp::create(b);
                     });
}

void ContractionLoops::emit() {
  Value columns = sizes[contraction.column];
  Value blocks =
      b.createOrFold<arith::CeilDivUIOp>(columns, index(columnsInBlock()));
  SmallVector<unsigned> outer(contraction.batch);
  llvm::append_range(outer, contraction.outerColumns);
  Value units = b.createOrFold<arith::MulIOp>(product(outer), blocks);
  auto emitUnit = [&](Value unit) {
    Value block = b.createOrFold<arith::RemUIOp>(unit, blocks);
    SmallVector<Value> loops(sizes.size());
    delinearize(b.createOrFold<arith::DivUIOp>(unit, blocks), outer, loops);
    Value begin = b.createOrFold<arith::MulIOp>(block, index(columnsInBlock()));
    Value end = b.createOrFold<arith::MinUIOp>(
        b.createOrFold<arith::AddIOp>(begin, index(columnsInBlock())), columns);
    emitBlock(loops, {begin, end});
  };
  if (isNested)
    return emitLoop({index(0), units}, 1, emitUnit);
  scf::ParallelOp::create(
      b, b.getLoc(), index(0), units, index(1),
      [&](OpBuilder &, Location, ValueRange unit) { emitUnit(unit[0]); });
}

void ContractionLoops::emitBlock(ArrayRef<Value> loops, Part columns) {
  Value length = sizes[contraction.sum];
  Value rows = product(contraction.rows);
  // A single tile of rows reads everything once: blocks would not help.
  Value isOneTile = b.createOrFold<arith::CmpIOp>(
      arith::CmpIPredicate::ule, rows, index(registers.getMostRows()));
  Value step = b.createOrFold<arith::SelectOp>(
      isOneTile, b.createOrFold<arith::MaxUIOp>(length, index(kSumBlock)),
      index(kSumBlock));
  scf::ForOp::create(b, index(0), length, step, ValueRange(),
                     [&](OpBuilder &, Location, Value begin, ValueRange) {
                       Value end = b.createOrFold<arith::MinUIOp>(
                           b.createOrFold<arith::AddIOp>(begin, step), length);
                       emitSumBlock(loops, columns, {begin, end}, rows);
                       scf::YieldOp::create(b);
                     });
}

void ContractionLoops::emitSumBlock(ArrayRef<Value> loops, Part columns,
                                    Part sum, Value rows) {
  int64_t most = registers.getMostRows();
  Value rest = b.createOrFold<arith::RemUIOp>(rows, index(most));
  Value whole = b.createOrFold<arith::SubIOp>(rows, rest);
  emitLoop({index(0), whole}, most,
           [&](Value row) { emitRows(loops, columns, sum, row, most); });
  SmallVector<int64_t> cases = llvm::to_vector(llvm::seq<int64_t>(1, most));
  auto choice = scf::IndexSwitchOp::create(b, TypeRange(), rest, cases,
                                           static_cast<unsigned>(cases.size()));
  OpBuilder::InsertionGuard guard(b);
  auto emitCase = [&](Region &region, int64_t count) {
    b.setInsertionPointToStart(&region.emplaceBlock());
    if (count > 0)
      emitRows(loops, columns, sum, whole, count);
    scf::YieldOp::create(b);
  };
  emitCase(choice.getDefaultRegion(), 0);
  for (auto [region, count] : llvm::zip(choice.getCaseRegions(), cases))
    emitCase(region, count);
}

void ContractionLoops::emitRows(ArrayRef<Value> loops, Part columns, Part sum,
                                Value firstRow, int64_t count) {
  SmallVector<SmallVector<Value>> rows;
  for (int64_t i = 0; i < count; ++i) {
    rows.emplace_back(loops);
    delinearize(b.createOrFold<arith::AddIOp>(firstRow, index(i)),
                contraction.rows, rows.back());
  }
  bool isDot = contraction.form == ContractionForm::Dot;
  int64_t unit = isDot ? 1 : registers.lanes;
  int64_t width = registers.getAccumulators(count, contraction.form);
  std::optional<int64_t> total = getConstantIntValue(sizes[contraction.column]);
  // No wider than what there is.
  while (total && width > 1 && (width / 2) * unit >= *total)
    width /= 2;
  Value length = b.createOrFold<arith::SubIOp>(columns.end, columns.begin);
  Value rest = b.createOrFold<arith::RemUIOp>(length, index(width * unit));
  Value whole = b.createOrFold<arith::SubIOp>(columns.end, rest);
  emitLoop({columns.begin, whole}, width * unit, [&](Value column) {
    emitTile(rows, column, width, /*mask=*/{}, sum);
  });
  if (total && *total % (width * unit) == 0)
    return;
  emitLoop({whole, columns.end}, unit, [&](Value column) {
    Value mask;
    if (!isDot && !(total && *total % unit == 0))
      mask = vector::CreateMaskOp::create(
          b, VectorType::get(unit, b.getI1Type()),
          b.createOrFold<arith::SubIOp>(columns.end, column));
    emitTile(rows, column, /*width=*/1, mask, sum);
  });
}

void ContractionLoops::emitTile(ArrayRef<SmallVector<Value>> rows, Value column,
                                int64_t width, Value mask, Part sum) {
  emitContractionTile(b, contraction, registers,
                      {rows, column, width, mask, sum.begin, sum.end},
                      isSumWhole());
}

namespace {
struct VectorizeContractionsPass
    : tern::impl::VectorizeContractionsBase<VectorizeContractionsPass> {
  using Base::Base;
  void runOnOperation() override {
    if (failed(checkLanes(getOperation().getLoc(), lanes)))
      return signalPassFailure();
    VectorRegisters vectors{static_cast<int64_t>(lanes),
                            static_cast<int64_t>(registers)};
    SmallVector<linalg::GenericOp> found;
    getOperation().walk([&](linalg::GenericOp op) { found.push_back(op); });
    for (linalg::GenericOp op : found) {
      std::optional<Contraction> contraction = matchContraction(op);
      if (!contraction)
        continue;
      ContractionLoops(op, *contraction, vectors).emit();
      op.erase();
    }
  }
};
} // namespace
