//===- Repetition.cpp - equal stretches of a sequence ---------------------===//

#include "Repetition.h"

#include "DataflowOrder.h"

#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace tern;

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

llvm::hash_code tern::hashStructure(Operation *op) {
  llvm::hash_code hash = 0;
  op->walk<WalkOrder::PreOrder>([&](Operation *inner) {
    hash =
        llvm::hash_combine(hash,
                           OperationEquivalence::computeHash(
                               inner, OperationEquivalence::ignoreHashValue,
                               OperationEquivalence::ignoreHashValue,
                               OperationEquivalence::IgnoreLocations),
                           llvm::hash_combine_range(inner->getOperandTypes()));
  });
  return hash;
}

/// Calls `take` with every run of `sequence`.
static void forEachRun(ArrayRef<llvm::hash_code> sequence, size_t maxPeriod,
                       llvm::function_ref<void(Run)> take) {
  size_t longest = std::min(maxPeriod, sequence.size());
  for (size_t period = 2; period < longest; ++period) {
    size_t end = sequence.size() - period;
    for (size_t i = 0; i < end; ++i) {
      Run run = {i, period, 0};
      while (i < end && sequence[i] == sequence[i + period])
        ++i;
      run.matches = i - run.begin;
      if (run.matches)
        take(run);
    }
  }
}

Run tern::findLongestRun(ArrayRef<llvm::hash_code> sequence, size_t maxPeriod) {
  Run best;
  forEachRun(sequence, maxPeriod, [&](Run run) {
    if (run.matches > best.matches)
      best = run;
  });
  return best;
}

Run tern::findBestRepetition(ArrayRef<llvm::hash_code> sequence,
                             size_t maxPeriod) {
  Run best;
  forEachRun(sequence, maxPeriod, [&](Run run) {
    if (run.getSaving() > best.getSaving())
      best = run;
  });
  return best;
}

//===----------------------------------------------------------------------===//
// Isomorphism
//===----------------------------------------------------------------------===//

/// True if `a` and `b` are the same operation, whatever they use from outside.
static bool areEquivalentInside(Operation *a, Operation *b) {
  llvm::DenseMap<Value, Value> inside;
  auto mark = [&](Value left, Value right) { inside[left] = right; };
  auto check = [&](Value left, Value right) {
    auto it = inside.find(left);
    return success(it == inside.end() ? left.getType() == right.getType()
                                      : it->second == right);
  };
  return OperationEquivalence::isEquivalentTo(
      a, b, check, mark, OperationEquivalence::IgnoreLocations);
}

bool tern::areIsomorphic(ArrayRef<Operation *> a, ArrayRef<Operation *> b) {
  llvm::DenseMap<Operation *, size_t> positionsInA, positionsInB;
  for (auto [position, ops] : llvm::enumerate(llvm::zip_equal(a, b))) {
    positionsInA[std::get<0>(ops)] = position;
    positionsInB[std::get<1>(ops)] = position;
  }
  auto correspond = [&](Value left, Value right) {
    auto inA = positionsInA.find(left.getDefiningOp());
    auto inB = positionsInB.find(right.getDefiningOp());
    bool isInside = inA != positionsInA.end();
    if (isInside != (inB != positionsInB.end()))
      return false;
    return !isInside || (inA->second == inB->second &&
                         cast<OpResult>(left).getResultNumber() ==
                             cast<OpResult>(right).getResultNumber());
  };
  for (auto [left, right] : llvm::zip_equal(a, b)) {
    SmallVector<Value> leftOperands = getOuterOperands(left);
    SmallVector<Value> rightOperands = getOuterOperands(right);
    if (leftOperands.size() != rightOperands.size() ||
        !areEquivalentInside(left, right))
      return false;
    for (auto [l, r] : llvm::zip_equal(leftOperands, rightOperands))
      if (!correspond(l, r))
        return false;
  }
  return true;
}
