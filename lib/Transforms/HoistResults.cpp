//===- HoistResults.cpp - results that the caller allocates ---------------===//
//
// Upstream's buffer-results-to-out-params does this for static sizes only. A
// layer's result has as many rows as there are tokens.
//
//===----------------------------------------------------------------------===//

#include "FunctionCalls.h"

#include "tern/Transforms/Passes.h"

#include "tern/Dialect/Ternary/IR/Ternary.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
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
/// An operation of a function that its callers can do for it.
struct Movable {
  Operation *op;
  /// What computes its operands from the function's arguments, in order.
  SmallVector<Operation *> sources;
};

/// A result that its function allocates, of sizes that callers know.
struct OwnResult {
  unsigned index;
  Movable alloc;
};
} // namespace

/// `op` if callers of its function know what its operands are.
static std::optional<Movable> findMovable(Operation *op) {
  llvm::SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitBlockArguments = true;
  options.filter = [&](Operation *source) {
    return source->getBlock() == op->getBlock();
  };
  for (Value operand : op->getOperands())
    if (failed(getBackwardSlice(operand, &slice, options)))
      return std::nullopt;
  if (!llvm::all_of(slice, [](Operation *source) {
        return source->getNumRegions() == 0 && isPure(source);
      }))
    return std::nullopt;
  return Movable{op, llvm::to_vector(slice)};
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
    if (std::optional<Movable> movable = findMovable(alloc))
      found.push_back({operand.getOperandNumber(), *movable});
  }
  return found;
}

/// The assertions of `function` before the last of `results` that its callers
/// can make: sizes that contradict are not to be allocated before it is said.
static SmallVector<Movable> findChecks(func::FuncOp function,
                                       ArrayRef<OwnResult> results) {
  SmallVector<Movable> found;
  for (Operation &op : function.front()) {
    if (!isa<cf::AssertOp, tern::ternary::AssertOp>(op))
      continue;
    if (llvm::all_of(results, [&](const OwnResult &result) {
          return result.alloc.op->isBeforeInBlock(&op);
        }))
      break;
    if (std::optional<Movable> movable = findMovable(&op))
      found.push_back(*movable);
  }
  return found;
}

/// Makes `checks` of `function` before `call`; then allocates `results`, and
/// passes them.
static void rewriteCall(func::CallOp call, func::FuncOp function,
                        ArrayRef<Movable> checks, ArrayRef<OwnResult> results) {
  OpBuilder b(call);
  IRMapping mapping;
  for (auto [argument, operand] :
       llvm::zip(function.getArguments(), call.getOperands()))
    mapping.map(argument, operand);
  auto move = [&](const Movable &movable) {
    for (Operation *source : movable.sources)
      if (!mapping.contains(source))
        b.clone(*source, mapping);
    return b.clone(*movable.op, mapping);
  };
  for (const Movable &check : checks)
    move(check);
  SmallVector<Value> operands(call.getOperands());
  llvm::SmallDenseMap<unsigned, Value> allocated;
  for (const OwnResult &result : results) {
    Value buffer = move(result.alloc)->getResult(0);
    operands.push_back(buffer);
    allocated[result.index] = buffer;
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

/// Makes arguments of `results`, and leaves `checks` to the callers.
static void rewriteFunction(func::FuncOp function, func::ReturnOp returned,
                            ArrayRef<Movable> checks,
                            ArrayRef<OwnResult> results) {
  for (const Movable &check : checks)
    check.op->erase();
  llvm::BitVector isHoisted(function.getNumResults());
  for (const OwnResult &result : results) {
    isHoisted.set(result.index);
    unsigned last = function.getNumArguments();
    auto alloc = cast<memref::AllocOp>(result.alloc.op);
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
      SmallVector<func::CallOp> calls =
          tern::findCalls(function, SymbolUserMap(tables, getOperation()));
      if (calls.empty() || llvm::any_of(calls, [](func::CallOp call) {
            return call.getArgAttrsAttr() || call.getResAttrsAttr();
          }))
        continue;
      SmallVector<Movable> checks = findChecks(function, results);
      for (func::CallOp call : calls)
        rewriteCall(call, function, checks, results);
      rewriteFunction(function, returned, checks, results);
      changed = true;
    }
    return changed;
  }
};
} // namespace
