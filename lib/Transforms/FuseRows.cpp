//===- FuseRows.cpp - one loop over rows for what works on rows -----------===//

#include "RowGroup.h"

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"

namespace tern {
#define GEN_PASS_DEF_FUSEROWS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;
using namespace tern;

namespace {
/// A part of a tensor, of one element in each dimension that counts rows.
struct RowSlice {
  SmallVector<OpFoldResult> offsets, sizes, strides;
  RankedTensorType type;
};

/// Replaces the members of a group by a loop.
class RowLoopEmitter {
public:
  RowLoopEmitter(IRRewriter &rewriter, const RowGroup &group)
      : b(rewriter), group(group), members(group.getMembers()) {}

  void emit();

private:
  /// A result of a member, with its place among the loop's results.
  struct Output {
    OpResult value;
    BlockArgument argument;
  };

  bool isUsedOutside(Value value) const;
  /// Sets `outputs`, and returns what the loop starts them from.
  SmallVector<Value> collectOutputs();
  /// The loop over rows, still empty. A dimension of one row is none of its
  /// own.
  scf::ForallOp emitLoop(Location loc, ValueRange empties);
  /// Puts the present row of each output in its place.
  void emitInsertions(scf::ForallOp loop);
  /// How many rows there are: for each dimension that counts them.
  SmallVector<OpFoldResult> emitRowCounts();
  Value emitEmpty(Value like);
  void emitMember(linalg::GenericOp op);
  void emitReshape(Operation *op);
  Value emitInit(linalg::GenericOp op, OpOperand &init);
  /// The row of `tensor`, of which dimension d counts what `rowOf(d)` does.
  RowSlice getSlice(Value tensor, ArrayRef<std::optional<unsigned>> rowOf);
  Value emitSlice(Value tensor, ArrayRef<std::optional<unsigned>> rowOf);
  Output *findOutput(Value value);

  IRRewriter &b;
  const RowGroup &group;
  SmallVector<Operation *> members;
  SmallVector<Output> outputs;
  /// The index of the present row.
  SmallVector<OpFoldResult> row;
  IRMapping mapping;
};
} // namespace

/// For each dimension of an operand, which of the dimensions that count rows it
/// is.
static SmallVector<std::optional<unsigned>> getRowOf(AffineMap map,
                                                     const RowDims &rowLoops) {
  SmallVector<std::optional<unsigned>> rowOf;
  for (AffineExpr expr : map.getResults()) {
    std::optional<unsigned> row;
    if (auto loop = dyn_cast<AffineDimExpr>(expr))
      if (const auto *found = llvm::find(rowLoops, loop.getPosition());
          found != rowLoops.end())
        row = static_cast<unsigned>(found - rowLoops.begin());
    rowOf.push_back(row);
  }
  return rowOf;
}

static SmallVector<std::optional<unsigned>> getRowOf(int64_t rank,
                                                     const RowDims &rowDims) {
  SmallVector<std::optional<unsigned>> rowOf(rank);
  for (auto [row, dim] : llvm::enumerate(rowDims))
    rowOf[dim] = static_cast<unsigned>(row);
  return rowOf;
}

/// Whether `op` puts the same value everywhere, which costs less done again
/// than read.
static bool isFill(linalg::GenericOp op) {
  return op && op.getNumDpsInputs() == 0 && op.getNumReductionLoops() == 0 &&
         op.getNumResults() == 1 && llvm::hasSingleElement(*op.getBody()) &&
         !isa<BlockArgument>(op.getBody()->getTerminator()->getOperand(0));
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

RowSlice RowLoopEmitter::getSlice(Value tensor,
                                  ArrayRef<std::optional<unsigned>> rowOf) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> shape(type.getShape());
  RowSlice slice;
  for (auto [dim, which] : llvm::enumerate(rowOf)) {
    auto position = static_cast<int64_t>(dim);
    slice.offsets.push_back(which ? row[*which] : b.getIndexAttr(0));
    slice.sizes.push_back(
        which ? OpFoldResult(b.getIndexAttr(1))
              : tensor::getMixedSize(b, tensor.getLoc(), tensor, position));
    slice.strides.push_back(b.getIndexAttr(1));
    if (which)
      shape[dim] = 1;
  }
  slice.type = type.clone(shape);
  return slice;
}

Value RowLoopEmitter::emitSlice(Value tensor,
                                ArrayRef<std::optional<unsigned>> rowOf) {
  RowSlice slice = getSlice(tensor, rowOf);
  return tensor::ExtractSliceOp::create(b, tensor.getLoc(), slice.type, tensor,
                                        slice.offsets, slice.sizes,
                                        slice.strides);
}

/// An uninitialised tensor of the sizes of `like`.
Value RowLoopEmitter::emitEmpty(Value like) {
  return tensor::EmptyOp::create(
      b, like.getLoc(), tensor::getMixedSizes(b, like.getLoc(), like),
      cast<RankedTensorType>(like.getType()).getElementType());
}

//===----------------------------------------------------------------------===//
// Members
//===----------------------------------------------------------------------===//

RowLoopEmitter::Output *RowLoopEmitter::findOutput(Value value) {
  auto *found = llvm::find_if(
      outputs, [&](const Output &output) { return output.value == value; });
  return found == outputs.end() ? nullptr : found;
}

Value RowLoopEmitter::emitInit(linalg::GenericOp op, OpOperand &init) {
  auto rowOf =
      getRowOf(op.getMatchingIndexingMap(&init), group.getRowLoops(op));
  Output *output = findOutput(op.getTiedOpResult(&init));
  // What leaves the loop is computed where it goes.
  if (output && !op.payloadUsesValueFromOperand(&init))
    return emitSlice(output->argument, rowOf);
  if (Value row = mapping.lookupOrNull(init.get()))
    return row;
  auto fill = init.get().getDefiningOp<linalg::GenericOp>();
  if (op.payloadUsesValueFromOperand(&init) && !isFill(fill))
    return emitSlice(init.get(), rowOf);
  RowSlice slice = getSlice(init.get(), rowOf);
  Value empty = tensor::EmptyOp::create(b, op.getLoc(), slice.sizes,
                                        slice.type.getElementType());
  if (!op.payloadUsesValueFromOperand(&init))
    return empty;
  return clone(b, fill, empty.getType(), empty)->getResult(0);
}

void RowLoopEmitter::emitMember(linalg::GenericOp op) {
  const RowDims &rowLoops = group.getRowLoops(op);
  SmallVector<Value> operands;
  for (OpOperand *input : op.getDpsInputOperands()) {
    Value present = mapping.lookupOrNull(input->get());
    operands.push_back(
        present
            ? present
            : emitSlice(input->get(),
                        getRowOf(op.getMatchingIndexingMap(input), rowLoops)));
  }
  SmallVector<Type> types;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    operands.push_back(emitInit(op, init));
    types.push_back(operands.back().getType());
  }
  auto present = cast<linalg::GenericOp>(clone(b, op, types, operands));
  mapping.map(op.getResults(), present.getResults());
  // Its loops over rows run once.
  OpBuilder::InsertionGuard guard(b);
  for (auto index :
       llvm::make_early_inc_range(present.getBody()->getOps<linalg::IndexOp>()))
    if (const auto *loop = llvm::find(rowLoops, index.getDim());
        loop != rowLoops.end()) {
      b.setInsertionPoint(index);
      b.replaceOp(index, getValueOrCreateConstantIndexOp(
                             b, index.getLoc(), row[loop - rowLoops.begin()]));
    }
}

void RowLoopEmitter::emitReshape(Operation *op) {
  Value source = mapping.lookup(op->getOperand(0)), result;
  RowSlice slice;
  const RowDims &rowDims = group.getRowDims(op->getResult(0));
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    result = tensor::CollapseShapeOp::create(
        b, op->getLoc(), source, collapse.getReassociationIndices());
  } else {
    auto expand = cast<tensor::ExpandShapeOp>(op);
    SmallVector<OpFoldResult> sizes = expand.getMixedOutputShape();
    SmallVector<int64_t> shape(expand.getResultType().getShape());
    for (unsigned dim : rowDims) {
      sizes[dim] = b.getIndexAttr(1);
      shape[dim] = 1;
    }
    result = tensor::ExpandShapeOp::create(
        b, op->getLoc(), expand.getResultType().clone(shape), source,
        expand.getReassociationIndices(), sizes);
  }
  mapping.map(op->getResult(0), result);
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

bool RowLoopEmitter::isUsedOutside(Value value) const {
  return llvm::any_of(value.getUsers(),
                      [&](Operation *user) { return !group.contains(user); });
}

SmallVector<OpFoldResult> RowLoopEmitter::emitRowCounts() {
  SmallVector<OpFoldResult> counts;
  for (Operation *member : members) {
    auto op = dyn_cast<linalg::GenericOp>(member);
    if (!op)
      continue;
    const RowDims &rowLoops = group.getRowLoops(op);
    counts.resize(rowLoops.size());
    for (OpOperand &operand : op->getOpOperands()) {
      if (group.contains(operand.get().getDefiningOp()))
        continue;
      auto rowOf = getRowOf(op.getMatchingIndexingMap(&operand), rowLoops);
      auto type = cast<RankedTensorType>(operand.get().getType());
      for (auto [dim, which] : llvm::enumerate(rowOf)) {
        // A size that is known says more than one that has to be asked for.
        if (!which || (counts[*which] && (isa<Attribute>(counts[*which]) ||
                                          type.isDynamicDim(dim))))
          continue;
        counts[*which] = tensor::getMixedSize(b, op.getLoc(), operand.get(),
                                              static_cast<int64_t>(dim));
      }
    }
  }
  return counts;
}

SmallVector<Value> RowLoopEmitter::collectOutputs() {
  SmallVector<Value> empties;
  for (Operation *member : members)
    if (auto op = dyn_cast<linalg::GenericOp>(member))
      for (OpOperand &init : op.getDpsInitsMutable())
        if (OpResult result = op.getTiedOpResult(&init);
            isUsedOutside(result)) {
          outputs.push_back({result, {}});
          Value like = init.get();
          while (group.contains(like.getDefiningOp()))
            like = like.getDefiningOp<linalg::GenericOp>()
                       .getTiedOpOperand(cast<OpResult>(like))
                       ->get();
          empties.push_back(emitEmpty(like));
        }
  return empties;
}

scf::ForallOp RowLoopEmitter::emitLoop(Location loc, ValueRange empties) {
  SmallVector<OpFoldResult> counts = emitRowCounts(), bounds;
  for (OpFoldResult count : counts)
    if (!isConstantIntValue(count, 1))
      bounds.push_back(count);
  if (bounds.empty())
    bounds.push_back(b.getIndexAttr(1));
  auto loop = scf::ForallOp::create(b, loc, bounds, empties, std::nullopt);
  for (auto [output, argument] : llvm::zip(outputs, loop.getRegionIterArgs()))
    output.argument = argument;
  unsigned next = 0;
  for (OpFoldResult count : counts)
    row.push_back(isConstantIntValue(count, 1)
                      ? OpFoldResult(b.getIndexAttr(0))
                      : OpFoldResult(loop.getInductionVar(next++)));
  return loop;
}

void RowLoopEmitter::emitInsertions(scf::ForallOp loop) {
  for (Output &output : outputs) {
    b.setInsertionPoint(loop.getTerminator());
    RowSlice slice = getSlice(
        output.argument,
        getRowOf(cast<RankedTensorType>(output.value.getType()).getRank(),
                 group.getRowDims(output.value)));
    b.setInsertionPointToEnd(loop.getTerminator().getBody());
    tensor::ParallelInsertSliceOp::create(
        b, loop.getLoc(), mapping.lookup(output.value), output.argument,
        slice.offsets, slice.sizes, slice.strides);
  }
}

void RowLoopEmitter::emit() {
  Operation *last = members.back();
  SmallVector<Operation *> dependent = group.getDependentOperations();
  b.setInsertionPoint(last);
  SmallVector<Value> empties = collectOutputs();
  scf::ForallOp loop = emitLoop(last->getLoc(), empties);
  b.setInsertionPoint(loop.getTerminator());
  for (Operation *member : members) {
    if (auto op = dyn_cast<linalg::GenericOp>(member))
      emitMember(op);
    else
      emitReshape(member);
  }
  emitInsertions(loop);

  Operation *where = loop;
  for (Operation *op : dependent) {
    op->moveAfter(where);
    where = op;
  }
  for (auto [output, result] : llvm::zip(outputs, loop.getResults()))
    b.replaceAllUsesWith(output.value, result);
  for (Operation *member : llvm::reverse(members))
    b.eraseOp(member);
}

/// A loop is gained by two operations in one; results that are reshaped have to
/// stay in the loop.
static bool isWorthFusing(const RowGroup &group) {
  unsigned loops = 0;
  for (Operation *member : group.getMembers()) {
    if (isa<linalg::GenericOp>(member))
      ++loops;
    else if (llvm::any_of(member->getUsers(), [&](Operation *user) {
               return !group.contains(user);
             }))
      return false;
  }
  return loops > 1;
}

namespace {
struct FuseRowsPass : tern::impl::FuseRowsBase<FuseRowsPass> {
  using Base::Base;
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    IRRewriter rewriter(&getContext());
    SmallVector<Operation *> seeds;
    for (Block &block : getOperation().getBody())
      for (auto op : block.getOps<linalg::GenericOp>())
        if (RowGroup::isSeed(op))
          seeds.push_back(op);
    // A group takes its members away, other seeds among them.
    llvm::SmallPtrSet<Operation *, 32> fused;
    for (Operation *seed : seeds) {
      if (fused.contains(seed))
        continue;
      RowGroup group(cast<linalg::GenericOp>(seed));
      if (!isWorthFusing(group))
        continue;
      fused.insert_range(group.getMembers());
      RowLoopEmitter(rewriter, group).emit();
    }
  }
};
} // namespace
