//===- RowGroup.cpp - operations that work row by row ---------------------===//

#include "RowGroup.h"

#include "DataflowOrder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace tern;

//===----------------------------------------------------------------------===//
// Loops and dimensions
//===----------------------------------------------------------------------===//

/// The dimensions of a tensor that `rowLoops` run over, if all of them do.
static std::optional<RowDims> getTensorDims(AffineMap map,
                                            const RowDims &rowLoops) {
  RowDims dims;
  for (unsigned loop : rowLoops) {
    std::optional<unsigned> dim =
        map.getResultPosition(getAffineDimExpr(loop, map.getContext()));
    if (!dim)
      return std::nullopt;
    dims.push_back(*dim);
  }
  return dims;
}

/// The loops that run over `dims` of a tensor.
static std::optional<RowDims> getLoops(AffineMap map, const RowDims &dims) {
  RowDims loops;
  for (unsigned dim : dims) {
    auto loop = dyn_cast<AffineDimExpr>(map.getResult(dim));
    if (!loop)
      return std::nullopt;
    loops.push_back(loop.getPosition());
  }
  return loops;
}

/// Where a reshape puts the dimensions `dims` of the side that `groups` has one
/// entry a dimension of, if it leaves them alone.
static std::optional<RowDims>
getSplitDims(ArrayRef<ReassociationIndices> groups, const RowDims &dims) {
  RowDims split;
  for (unsigned dim : dims) {
    if (groups[dim].size() != 1)
      return std::nullopt;
    split.push_back(groups[dim].front());
  }
  return split;
}

/// The other way round.
static std::optional<RowDims>
getMergedDims(ArrayRef<ReassociationIndices> groups, const RowDims &dims) {
  RowDims merged;
  for (unsigned dim : dims) {
    const auto *group = llvm::find_if(groups, [&](ReassociationIndicesRef g) {
      return g.size() == 1 && g.front() == dim;
    });
    if (group == groups.end())
      return std::nullopt;
    merged.push_back(static_cast<unsigned>(group - groups.begin()));
  }
  return merged;
}

//===----------------------------------------------------------------------===//
// Which operations qualify
//===----------------------------------------------------------------------===//

/// Whether each iteration is arithmetic on the elements that the maps name.
static bool isElementwise(linalg::GenericOp op) {
  return op.hasPureTensorSemantics() && op.getNumDpsInputs() > 0 &&
         llvm::all_of(op.getIndexingMapsArray(),
                      [](AffineMap map) {
                        return map.isProjectedPermutation(
                            /*allowZeroInResults=*/true);
                      }) &&
         llvm::all_of(op.getBody()->without_terminator(),
                      [](Operation &nested) {
                        return OpTrait::hasElementwiseMappableTraits(&nested) ||
                               isa<linalg::IndexOp, arith::ConstantOp>(nested);
                      });
}

/// Whether a row of the operand with `map` is one element of each cache line.
static bool isColumn(AffineMap map, const RowDims &rowLoops) {
  auto isRowLoop = [&](AffineExpr expr) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    return loop && llvm::is_contained(rowLoops, loop.getPosition());
  };
  return map.getNumResults() > 0 && isRowLoop(map.getResults().back()) &&
         !llvm::all_of(map.getResults(), isRowLoop);
}

/// Whether rows of `op` are independent of each other, if `rowLoops` count
/// them. A product of two operands, though it may be, has lowerings of its own;
/// rows without elements are refused as slices, which would begin beyond their
/// end.
static bool worksByRows(linalg::GenericOp op, const RowDims &rowLoops) {
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  return isElementwise(op) &&
         !llvm::is_contained(op.getStaticLoopRanges(), 0) &&
         (op.getNumReductionLoops() == 0 || op.getNumDpsInputs() == 1) &&
         llvm::all_of(rowLoops,
                      [&](unsigned loop) {
                        return kinds[loop] == utils::IteratorType::parallel;
                      }) &&
         llvm::none_of(
             op.getIndexingMapsArray(),
             [&](AffineMap map) { return isColumn(map, rowLoops); }) &&
         llvm::all_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
           return getTensorDims(op.getMatchingIndexingMap(&init), rowLoops)
               .has_value();
         });
}

/// The loops that run over rows of a reduction.
static RowDims getParallelLoops(linalg::GenericOp op) {
  RowDims loops;
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::parallel)
      loops.push_back(static_cast<unsigned>(loop));
  return loops;
}

bool RowGroup::isSeed(linalg::GenericOp op) {
  RowDims rows = getParallelLoops(op);
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  return op.getNumReductionLoops() > 0 && worksByRows(op, rows) &&
         llvm::any_of(rows, [&](unsigned loop) { return sizes[loop] != 1; });
}

//===----------------------------------------------------------------------===//
// Growing
//===----------------------------------------------------------------------===//

RowGroup::RowGroup(linalg::GenericOp seed) {
  if (!tryToAdd(seed, getParallelLoops(seed)))
    return;
  for (size_t before = 0; before != members.size();) {
    before = members.size();
    grow();
  }
}

void RowGroup::grow() {
  // A copy, as members are added.
  for (Operation *member : llvm::to_vector(members)) {
    for (OpResult result : member->getResults())
      for (OpOperand &use : llvm::make_early_inc_range(result.getUses()))
        tryToAddReader(use);
    auto generic = dyn_cast<linalg::GenericOp>(member);
    if (!generic)
      continue;
    for (OpOperand *input : generic.getDpsInputOperands())
      if (std::optional<RowDims> rowDims = getTensorDims(
              generic.getMatchingIndexingMap(input), loops[member]))
        if (Operation *producer = input->get().getDefiningOp())
          tryToAddProducer(producer, *rowDims);
  }
}

bool RowGroup::tryToAddReader(OpOperand &use) {
  auto op = dyn_cast<linalg::GenericOp>(use.getOwner());
  if (!op)
    return false;
  std::optional<RowDims> rowLoops =
      getLoops(op.getMatchingIndexingMap(&use), dims[use.get()]);
  return rowLoops && tryToAdd(op, *rowLoops);
}

bool RowGroup::tryToAddProducer(Operation *op, const RowDims &rowDims) {
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    if (generic.getNumResults() != 1)
      return false;
    std::optional<RowDims> rowLoops = getLoops(
        generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)), rowDims);
    return rowLoops && tryToAdd(generic, *rowLoops);
  }
  std::optional<RowDims> from;
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    from = getSplitDims(collapse.getReassociationIndices(), rowDims);
  else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    from = getMergedDims(expand.getReassociationIndices(), rowDims);
  return from && tryToAddReshape(op, *from, rowDims);
}

/// Whether members that read `result` read it in the row that they compute.
bool RowGroup::readersAgree(Value result, const RowDims &rowDims) const {
  return llvm::all_of(result.getUses(), [&](OpOperand &use) {
    auto reader = loops.find(use.getOwner());
    return reader == loops.end() ||
           getTensorDims(cast<linalg::GenericOp>(use.getOwner())
                             .getMatchingIndexingMap(&use),
                         reader->second) == rowDims;
  });
}

/// Whether a member starts its results from what `value` holds.
bool RowGroup::isInit(Value value) const {
  return llvm::any_of(value.getUses(), [&](OpOperand &use) {
    return loops.contains(use.getOwner()) &&
           cast<linalg::GenericOp>(use.getOwner()).isDpsInit(&use);
  });
}

/// A reshape is worth a member only between two.
bool RowGroup::tryToAddReshape(Operation *op, const RowDims &from,
                               const RowDims &to) {
  auto producer = op->getOperand(0).getDefiningOp<linalg::GenericOp>();
  if (!producer || members.contains(op) ||
      op->getBlock() != members.front()->getBlock() ||
      (members.contains(producer) && dims[op->getOperand(0)] != from) ||
      !readersAgree(op->getResult(0), to) || isInit(op->getResult(0)) ||
      !staysConvex(op))
    return false;
  members.insert(op);
  dims[op->getResult(0)] = to;
  if (members.contains(producer) || tryToAddProducer(producer, from))
    return true;
  members.remove(op);
  dims.erase(op->getResult(0));
  return false;
}

bool RowGroup::tryToAdd(linalg::GenericOp op, const RowDims &rowLoops) {
  if (members.contains(op) || !worksByRows(op, rowLoops) ||
      (!members.empty() && op->getBlock() != members.front()->getBlock()))
    return false;
  // What it reads of members, it reads in the row that it computes.
  for (OpOperand &operand : op->getOpOperands())
    if (auto known = dims.find(operand.get()); known != dims.end())
      if (getTensorDims(op.getMatchingIndexingMap(&operand), rowLoops) !=
          known->second)
        return false;
  for (auto [result, init] :
       llvm::zip(op.getResults(), op.getDpsInitsMutable())) {
    Operation *start = init.get().getDefiningOp();
    bool startsFromReshape = members.contains(start) && !loops.contains(start);
    if (startsFromReshape ||
        !readersAgree(
            result, *getTensorDims(op.getMatchingIndexingMap(&init), rowLoops)))
      return false;
  }
  if (!staysConvex(op))
    return false;
  members.insert(op);
  loops[op] = rowLoops;
  for (auto [result, init] :
       llvm::zip(op.getResults(), op.getDpsInitsMutable()))
    dims[result] = *getTensorDims(op.getMatchingIndexingMap(&init), rowLoops);
  return true;
}

//===----------------------------------------------------------------------===//
// What is between members
//===----------------------------------------------------------------------===//

/// Calls `visit` for the operations from the first of `members` to the last,
/// with whether it is a member, reads one, and reads what depends on one. Stops
/// where `visit` returns false, and returns whether it did not.
static bool
visitSpan(const llvm::SetVector<Operation *> &members,
          llvm::function_ref<bool(Operation *, bool isMember, bool readsMember,
                                  bool readsDependent)>
              visit) {
  auto isBefore = [](Operation *a, Operation *b) {
    return a->isBeforeInBlock(b);
  };
  Operation *op = *llvm::min_element(members, isBefore);
  Operation *end = (*llvm::max_element(members, isBefore))->getNextNode();
  llvm::SmallPtrSet<Operation *, 16> dependent;
  for (; op != end; op = op->getNextNode()) {
    bool readsMember = false, readsDependent = false;
    for (Value value : getOuterOperands(op)) {
      readsMember |= members.contains(value.getDefiningOp());
      readsDependent |= dependent.contains(value.getDefiningOp());
    }
    bool isMember = members.contains(op);
    if (!visit(op, isMember, readsMember, readsDependent))
      return false;
    if (!isMember && (readsMember || readsDependent))
      dependent.insert(op);
  }
  return true;
}

bool RowGroup::staysConvex(Operation *op) const {
  llvm::SetVector<Operation *> all = members;
  all.insert(op);
  return visitSpan(all, [](Operation *other, bool isMember, bool readsMember,
                           bool readsDependent) {
    // What depends on members has to follow the last of them.
    return isMember
               ? !readsDependent
               : !(readsMember || readsDependent) || isMemoryEffectFree(other);
  });
}

SmallVector<Operation *> RowGroup::getMembers() const {
  SmallVector<Operation *> sorted = llvm::to_vector(members);
  llvm::sort(sorted,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return sorted;
}

SmallVector<Operation *> RowGroup::getDependentOperations() const {
  SmallVector<Operation *> dependent;
  visitSpan(members, [&](Operation *op, bool isMember, bool readsMember,
                         bool readsDependent) {
    if (!isMember && (readsMember || readsDependent))
      dependent.push_back(op);
    return true;
  });
  return dependent;
}
