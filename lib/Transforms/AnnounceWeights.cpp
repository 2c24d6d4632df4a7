//===- AnnounceWeights.cpp - what waiting threads fetch -------------------===//
//
// A token's product reads megabytes of weights with all threads, and between
// two of them one thread computes norms while the others, and memory, wait.
// Which weights come next is known here, so they are announced before the
// product ahead of them: threads that have done their part of it begin with
// fetching the next.
//
//===----------------------------------------------------------------------===//

#include "tern/Dialect/Ternary/IR/Ternary.h"
#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {
#define GEN_PASS_DEF_ANNOUNCEWEIGHTS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

namespace {

/// What a function reads in streams.
struct Streamed {
  unsigned argument; ///< the constant
  int64_t streams;
};

/// The functions that read streams, by name.
using StreamedTable = llvm::DenseMap<StringAttr, Streamed>;

} // namespace

/// The argument of `function` that `loop` fetches ahead: codes, bytes in a row.
/// Activations, which it may fetch as well, have rows.
static std::optional<unsigned> findFetchedArgument(func::FuncOp function,
                                                   scf::ParallelOp loop) {
  std::optional<unsigned> found;
  loop.walk([&](memref::PrefetchOp fetch) {
    auto argument = dyn_cast<BlockArgument>(fetch.getMemref());
    MemRefType type = fetch.getMemRefType();
    if (!argument || argument.getOwner() != &function.front() ||
        type.getRank() != 1 || !type.getElementType().isInteger(8))
      return WalkResult::advance();
    found = argument.getArgNumber();
    return WalkResult::interrupt();
  });
  return found;
}

static StreamedTable findStreamed(ModuleOp module) {
  StreamedTable table;
  module.walk([&](scf::ParallelOp loop) {
    auto streams = loop->getAttrOfType<IntegerAttr>(tern::kStreamsAttr);
    auto function = loop->getParentOfType<func::FuncOp>();
    if (!streams || !function)
      return;
    if (auto argument = findFetchedArgument(function, loop))
      table[function.getSymNameAttr()] = {*argument, streams.getInt()};
  });
  return table;
}

/// Where to announce the weights of a call: before the one ahead of it, if that
/// reads weights as well; behind any other, which may announce some itself.
static Operation *findPlace(func::CallOp call, func::CallOp previous,
                            Value weights, const StreamedTable &table) {
  Operation *place = &call->getBlock()->front();
  if (previous)
    place = table.contains(previous.getCalleeAttr().getAttr())
                ? previous
                : previous->getNextNode();
  Operation *definition = weights.getDefiningOp();
  if (definition && definition->getBlock() == call->getBlock() &&
      !definition->isBeforeInBlock(place))
    place = definition->getNextNode();
  return place;
}

static void announceWeights(func::FuncOp function, const StreamedTable &table) {
  llvm::DenseMap<Block *, func::CallOp> previousCalls;
  function.walk([&](func::CallOp call) {
    func::CallOp previous =
        std::exchange(previousCalls[call->getBlock()], call);
    auto found = table.find(call.getCalleeAttr().getAttr());
    // The host is told by one thread.
    if (found == table.end() || call->getParentOfType<scf::ParallelOp>())
      return;
    Value weights = call.getOperand(found->second.argument);
    ImplicitLocOpBuilder b(call.getLoc(),
                           findPlace(call, previous, weights, table));
    tern::ternary::AnnounceOp::create(b, weights, found->second.streams);
  });
}

namespace {
struct AnnounceWeightsPass
    : tern::impl::AnnounceWeightsBase<AnnounceWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    StreamedTable table = findStreamed(getOperation());
    if (table.empty())
      return markAllAnalysesPreserved();
    for (auto function : getOperation().getOps<func::FuncOp>())
      announceWeights(function, table);
  }
};
} // namespace
