//===- DataflowOrder.cpp - an order that the dataflow determines ----------===//

#include "DataflowOrder.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

SmallVector<OpOperand *> tern::getOuterUses(Operation *op) {
  SmallVector<OpOperand *> uses(llvm::make_pointer_range(op->getOpOperands()));
  for (Region &region : op->getRegions())
    region.walk([&](Operation *inner) {
      for (OpOperand &use : inner->getOpOperands())
        if (!op->isAncestor(use.get().getParentRegion()->getParentOp()))
          uses.push_back(&use);
    });
  return uses;
}

SmallVector<Value> tern::getOuterOperands(Operation *op) {
  return llvm::map_to_vector(getOuterUses(op),
                             [](OpOperand *use) { return use->get(); });
}

bool tern::isConstant(Operation *op) {
  return op->hasTrait<OpTrait::ConstantLike>();
}

namespace {
/// Emits operations after what they depend on.
class Scheduler {
public:
  explicit Scheduler(Block &block) : block(block) {}

  /// Emits `root` after everything it depends on that is not emitted yet.
  void emit(Operation *root);
  /// Counts, for every operation, those of the longest chain that leads to it;
  /// what is emitted already is no part of one.
  void measureDepths();

  SmallVector<Operation *> takeOrder() { return order.takeVector(); }

private:
  /// The producers within the block, those of the longest chains first.
  SmallVector<Operation *> getProducers(Operation *op);

  Block &block;
  llvm::SetVector<Operation *> order;
  llvm::DenseMap<Operation *, unsigned> depths;
};
} // namespace

SmallVector<Operation *> Scheduler::getProducers(Operation *op) {
  SmallVector<Operation *> producers;
  for (Value value : tern::getOuterOperands(op))
    if (Operation *producer = value.getDefiningOp();
        producer && !tern::isConstant(producer))
      producers.push_back(producer);
  llvm::stable_sort(producers, [&](Operation *a, Operation *b) {
    return depths.lookup(a) > depths.lookup(b);
  });
  return producers;
}

void Scheduler::measureDepths() {
  depths.clear();
  for (Operation &op : block) {
    if (order.contains(&op))
      continue;
    unsigned depth = 0;
    for (Value value : tern::getOuterOperands(&op))
      if (Operation *producer = value.getDefiningOp())
        depth = std::max(depth, depths.lookup(producer));
    depths[&op] = depth + 1;
  }
}

void Scheduler::emit(Operation *root) {
  // A stack of one's own: a model's longest chain has thousands of operations.
  struct Frame {
    Operation *op;
    SmallVector<Operation *> producers;
    size_t next = 0;
  };
  SmallVector<Frame> stack;
  auto visit = [&](Operation *op) {
    if (!order.contains(op))
      stack.push_back({op, getProducers(op)});
  };
  visit(root);
  while (!stack.empty()) {
    Frame &top = stack.back();
    if (top.next < top.producers.size()) {
      visit(top.producers[top.next++]);
      continue;
    }
    order.insert(top.op);
    stack.pop_back();
  }
}

SmallVector<Operation *> tern::getDataflowOrder(Block &block,
                                                ArrayRef<Value> early) {
  Scheduler scheduler(block);
  scheduler.measureDepths();
  auto emitProducer = [&](Value value) {
    if (Operation *op = value.getDefiningOp(); op && !isConstant(op))
      scheduler.emit(op);
  };
  for (auto op : block.getOps<cf::AssertOp>())
    scheduler.emit(op);
  for (Value value : early)
    emitProducer(value);
  scheduler.measureDepths();
  for (Value value : block.getTerminator()->getOperands())
    emitProducer(value);
  // What nothing depends on.
  for (Operation &op : block.without_terminator())
    if (!isConstant(&op))
      scheduler.emit(&op);
  return scheduler.takeOrder();
}
