//===- SplitStreamLoops.cpp - results of streams are stored later ---------===//
//
// A product's loop over rows reads weights in a few streams, each fetched ahead
// of use, and stores a line when a group of rows is done. That line costs far
// more than its bytes: with four streams of 8 KiB a group, on a Sapphire
// Rapids, one thread reads 20 GB/s if it stores to lines that are in its first
// cache, and 17 GB/s if it stores each group's sums where they belong; fetching
// those lines ahead, to be written, changes nothing. So what follows the
// streams is done for several groups at once, and what they computed waits in
// the first cache.
//
//===----------------------------------------------------------------------===//

#include "IndependentLoop.h"

#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace tern {
#define GEN_PASS_DEF_SPLITSTREAMLOOPS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

namespace {

using OperationSet = llvm::SetVector<Operation *>;

/// The two parts of a loop's body, in its order.
struct Split {
  OperationSet head; ///< up to the last stream, and what follows from it
  OperationSet tail; ///< reads and writes of memory behind it
  /// Values of the head that the tail uses, and that it has to be handed.
  llvm::SetVector<Value> staged;
  /// Operations of the head that the tail does again: they compute addresses.
  OperationSet repeated;
};

} // namespace

/// Whether `op` is a loop that fetches ahead what it reads.
static bool isStream(Operation &op) {
  auto loop = dyn_cast<scf::ForOp>(op);
  return loop && !loop.getBody()->getOps<memref::PrefetchOp>().empty();
}

/// Whether some operand of `op` or of what is nested in it comes from `set`.
static bool usesAnyOf(Operation &op, const OperationSet &set) {
  return op
      .walk([&](Operation *nested) {
        for (Value operand : nested->getOperands())
          if (set.contains(operand.getDefiningOp()))
            return WalkResult::interrupt();
        return WalkResult::advance();
      })
      .wasInterrupted();
}

/// Behind the last stream, everything that touches memory is of the tail, and
/// what depends on that.
static Split splitBody(Block &body) {
  Operation *lastStream = nullptr;
  for (Operation &op : body)
    if (isStream(op))
      lastStream = &op;
  Split split;
  bool isBehind = false;
  for (Operation &op : body.without_terminator()) {
    bool isTail =
        isBehind && (!isMemoryEffectFree(&op) || usesAnyOf(op, split.tail));
    (isTail ? split.tail : split.head).insert(&op);
    isBehind |= &op == lastStream;
  }
  return split;
}

/// Whether `op` only computes whole numbers, from others: where something lies.
static bool isAddress(Operation *op) {
  auto isIndex = [](Type type) { return type.isIndex(); };
  return op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
         llvm::all_of(op->getResultTypes(), isIndex) &&
         llvm::all_of(op->getOperandTypes(), isIndex);
}

/// Finds what the tail needs of the head. Returns false if something of it is
/// no number, nor a vector of numbers: a buffer of the iteration, say.
static bool findNeeds(Split &split) {
  SmallVector<Value> needed;
  auto addOperands = [&](Operation *op) {
    op->walk([&](Operation *nested) {
      llvm::append_range(needed, nested->getOperands());
    });
  };
  for (Operation *op : split.tail)
    addOperands(op);
  while (!needed.empty()) {
    Value value = needed.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!split.head.contains(op))
      continue;
    if (isAddress(op)) {
      if (split.repeated.insert(op))
        addOperands(op);
    } else if (isa<IndexType, IntegerType, FloatType, VectorType>(
                   value.getType())) {
      split.staged.insert(value);
    } else {
      return false;
    }
  }
  return true;
}

namespace {

/// Rewrites one loop.
class LoopSplitter {
public:
  LoopSplitter(scf::ForOp loop, Split split, int64_t group)
      : b(loop.getLoc(), loop), loop(loop), split(std::move(split)),
        group(group) {}

  void run() {
    for (Value value : split.staged) {
      auto type = MemRefType::get(group, value.getType());
      stages.push_back(memref::AllocaOp::create(b, type));
    }
    Value one = arith::ConstantIndexOp::create(b, 1);
    Value size = arith::ConstantIndexOp::create(b, group);
    auto groups =
        scf::ForOp::create(b, loop.getLowerBound(), loop.getUpperBound(), size);
    b.setInsertionPointToStart(groups.getBody());
    Value first = groups.getInductionVar();
    Value end = arith::MinSIOp::create(b, arith::AddIOp::create(b, first, size),
                                       loop.getUpperBound());
    auto forEach = [&](llvm::function_ref<void(Value i, Value place)> build) {
      OpBuilder::InsertionGuard guard(b);
      auto inner = scf::ForOp::create(b, first, end, one);
      b.setInsertionPointToStart(inner.getBody());
      Value i = inner.getInductionVar();
      build(i, arith::SubIOp::create(b, i, first));
    };
    forEach([&](Value i, Value place) { buildHead(i, place); });
    forEach([&](Value i, Value place) { buildTail(i, place); });
    loop.erase();
  }

private:
  void buildHead(Value i, Value place) {
    IRMapping mapping;
    mapping.map(loop.getInductionVar(), i);
    for (Operation *op : split.head)
      b.clone(*op, mapping);
    for (auto [value, stage] : llvm::zip_equal(split.staged, stages))
      memref::StoreOp::create(b, mapping.lookup(value), stage, place);
  }

  void buildTail(Value i, Value place) {
    IRMapping mapping;
    mapping.map(loop.getInductionVar(), i);
    for (auto [value, stage] : llvm::zip_equal(split.staged, stages))
      mapping.map(value, memref::LoadOp::create(b, stage, place).getResult());
    for (Operation &op : loop.getBody()->without_terminator())
      if (split.repeated.contains(&op) || split.tail.contains(&op))
        b.clone(op, mapping);
  }

  ImplicitLocOpBuilder b;
  scf::ForOp loop;
  Split split;
  int64_t group;
  SmallVector<Value> stages;
};

struct SplitStreamLoopsPass
    : tern::impl::SplitStreamLoopsBase<SplitStreamLoopsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) {
      if (loop->hasAttr(tern::kIndependentLoop) && loop.getNumResults() == 0 &&
          getConstantIntValue(loop.getStep()) == 1 &&
          llvm::any_of(*loop.getBody(), isStream))
        loops.push_back(loop);
    });
    for (scf::ForOp loop : loops) {
      Split split = splitBody(*loop.getBody());
      if (!split.tail.empty() && findNeeds(split))
        LoopSplitter(loop, std::move(split), group).run();
    }
  }
};

} // namespace
