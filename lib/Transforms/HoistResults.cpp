//===- HoistResults.cpp - results that the caller allocates ---------------===//
//
// Upstream's buffer-results-to-out-params does this for static sizes only. A
// layer's result has as many rows as there are tokens.
//
//===----------------------------------------------------------------------===//

#include "tern/Transforms/Passes.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace tern {
#define GEN_PASS_DEF_HOISTRESULTS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

namespace {
/// A result that its function allocates, of sizes that callers know.
struct OwnResult {
  unsigned index;
  memref::AllocOp alloc;
  /// What computes the sizes from arguments, in order.
  SmallVector<Operation *> sizes;
};
} // namespace

/// Finds what computes the sizes of `alloc`; false if callers could not.
static bool findSizes(memref::AllocOp alloc, SmallVector<Operation *> &sizes) {
  llvm::SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitBlockArguments = true;
  options.filter = [&](Operation *op) {
    return op->getBlock() == alloc->getBlock();
  };
  for (Value size : alloc.getDynamicSizes())
    if (failed(getBackwardSlice(size, &slice, options)))
      return false;
  sizes.assign(slice.begin(), slice.end());
  return llvm::all_of(sizes, [](Operation *op) {
    return op->getNumRegions() == 0 && isPure(op);
  });
}

/// The results of `function` that its callers can allocate.
static SmallVector<OwnResult> findOwnResults(func::FuncOp function,
                                             func::ReturnOp returned) {
  SmallVector<OwnResult> found;
  // Another result may be the same buffer, or be part of it.
  for (Value value : returned.getOperands())
    if (isa<BaseMemRefType>(value.getType()) && !isa<BlockArgument>(value) &&
        !value.getDefiningOp<memref::AllocOp>())
      return found;
  for (OpOperand &operand : returned->getOpOperands()) {
    auto alloc = operand.get().getDefiningOp<memref::AllocOp>();
    if (!alloc || alloc->getBlock() != &function.front() ||
        !alloc.getSymbolOperands().empty() ||
        llvm::count(returned.getOperands(), operand.get()) != 1)
      continue;
    OwnResult result = {operand.getOperandNumber(), alloc, {}};
    if (findSizes(alloc, result.sizes))
      found.push_back(result);
  }
  return found;
}

/// The calls of a private function; nullopt if it is used otherwise, or by
/// nothing in the module.
static std::optional<SmallVector<func::CallOp>>
findCalls(func::FuncOp function, const SymbolUserMap &users) {
  SmallVector<func::CallOp> calls;
  for (Operation *user : users.getUsers(function)) {
    auto call = dyn_cast<func::CallOp>(user);
    if (!call || call.getArgAttrsAttr() || call.getResAttrsAttr())
      return std::nullopt;
    calls.push_back(call);
  }
  if (calls.empty())
    return std::nullopt;
  return calls;
}

/// Allocates `results` of `function` before `call`, and passes them.
static void rewriteCall(func::CallOp call, func::FuncOp function,
                        ArrayRef<OwnResult> results) {
  OpBuilder b(call);
  IRMapping mapping;
  for (auto [argument, operand] :
       llvm::zip(function.getArguments(), call.getOperands()))
    mapping.map(argument, operand);
  SmallVector<Value> operands(call.getOperands());
  llvm::SmallDenseMap<unsigned, Value> allocated;
  for (OwnResult result : results) {
    for (Operation *op : result.sizes)
      if (!mapping.contains(op))
        b.clone(*op, mapping);
    Operation *alloc = b.clone(*result.alloc, mapping);
    operands.push_back(alloc->getResult(0));
    allocated[result.index] = alloc->getResult(0);
  }
  SmallVector<Type> types;
  for (auto [index, type] : llvm::enumerate(call.getResultTypes()))
    if (!allocated.contains(index))
      types.push_back(type);
  auto shorter = func::CallOp::create(b, call.getLoc(), call.getCalleeAttr(),
                                      types, operands);
  shorter.setNoInline(call.getNoInline());
  shorter->setDiscardableAttrs(call->getDiscardableAttrDictionary());
  unsigned next = 0;
  for (OpResult result : call.getResults()) {
    auto found = allocated.find(result.getResultNumber());
    result.replaceAllUsesWith(
        found == allocated.end() ? shorter.getResult(next++) : found->second);
  }
  call.erase();
}

/// Makes arguments of `results`.
static void rewriteFunction(func::FuncOp function, func::ReturnOp returned,
                            ArrayRef<OwnResult> results) {
  llvm::BitVector isHoisted(function.getNumResults());
  for (const OwnResult &result : results) {
    isHoisted.set(result.index);
    unsigned last = function.getNumArguments();
    memref::AllocOp alloc = result.alloc;
    (void)function.insertArgument(last, alloc.getType(), {}, alloc.getLoc());
    alloc.replaceAllUsesWith(function.getArgument(last));
    alloc.erase();
  }
  returned->eraseOperands(isHoisted);
  (void)function.eraseResults(isHoisted);
}

namespace {
struct HoistResultsPass : tern::impl::HoistResultsBase<HoistResultsPass> {
  using Base::Base;

  void runOnOperation() override {
    // What a function is given back it may return in its turn.
    while (hoistOnce())
      ;
  }

private:
  /// Whether any function changed.
  bool hoistOnce() {
    SymbolTableCollection tables;
    bool changed = false;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (!function.isPrivate() || function.isExternal() ||
          !function.getBody().hasOneBlock())
        continue;
      auto returned =
          dyn_cast<func::ReturnOp>(function.front().getTerminator());
      if (!returned)
        continue;
      SmallVector<OwnResult> results = findOwnResults(function, returned);
      if (results.empty())
        continue;
      // Anew for each function, whose callers may have been rewritten.
      std::optional<SmallVector<func::CallOp>> calls =
          findCalls(function, SymbolUserMap(tables, getOperation()));
      if (!calls)
        continue;
      for (func::CallOp call : *calls)
        rewriteCall(call, function, results);
      rewriteFunction(function, returned, results);
      changed = true;
    }
    return changed;
  }
};
} // namespace
