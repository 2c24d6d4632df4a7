//===- FetchRows.cpp - the embedding's rows, from the program's file ------===//
//
// The pages around each row of an embedding that a token looks up would count
// as the process's from then on: after a long text, hundreds of megabytes.
//
//===----------------------------------------------------------------------===//

#include "tern/Dialect/Ternary/IR/Ternary.h"
#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"

namespace tern {
#define GEN_PASS_DEF_FETCHROWS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

/// Whether `value`, in the body of `op`, differs along its last loop.
static bool dependsOnLastLoop(linalg::GenericOp op, Value value) {
  unsigned last = op.getNumLoops() - 1;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() != op.getBody())
      return false;
    OpOperand *operand = op.getMatchingOpOperand(argument);
    return op.getMatchingIndexingMap(operand).isFunctionOfDim(last);
  }
  Operation *def = value.getDefiningOp();
  if (!op->isProperAncestor(def))
    return false;
  if (auto index = dyn_cast<linalg::IndexOp>(def))
    return index.getDim() == last;
  return def->getNumRegions() > 0 ||
         llvm::any_of(def->getOperands(), [&](Value operand) {
           return dependsOnLastLoop(op, operand);
         });
}

/// Whether `load`, in the body of `op`, reads one row from end to end in each
/// run of the last loop.
static bool readsRows(linalg::GenericOp op, memref::LoadOp load) {
  MemRefType type = load.getMemRefType();
  if (type.getRank() != 2 || !type.hasStaticShape() || op.getNumLoops() < 2 ||
      op.getNumLoops() != op.getNumParallelLoops())
    return false;
  unsigned last = op.getNumLoops() - 1;
  auto column = load.getIndices()[1].getDefiningOp<linalg::IndexOp>();
  return column && column.getDim() == last &&
         op.getStaticLoopRanges()[last] == type.getDimSize(1) &&
         !dependsOnLastLoop(op, load.getIndices()[0]);
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// The operations of a loop's body that have to be repeated along `last`: those
/// that use it, and those with other effects than reading.
static llvm::SetVector<Operation *> findRepeated(Block &body, Value last) {
  llvm::SetVector<Operation *> repeated;
  for (Operation &op : body.without_terminator()) {
    bool uses = llvm::any_of(op.getOperands(), [&](Value operand) {
      return operand == last || repeated.contains(operand.getDefiningOp());
    });
    if (uses || !(isMemoryEffectFree(&op) || isa<memref::LoadOp>(op)))
      repeated.insert(&op);
  }
  return repeated;
}

/// Makes of `all`, whose last loop reads a row with `load`, a loop over rows
/// that fetches each before it goes along it.
static void fetchFirst(RewriterBase &rewriter, scf::ParallelOp all,
                       memref::LoadOp load) {
  Location loc = all.getLoc();
  SmallVector<Value> indices = all.getInductionVars();
  Value last = indices.pop_back_val();
  llvm::SetVector<Operation *> repeated = findRepeated(*all.getBody(), last);
  rewriter.setInsertionPoint(all);
  auto rows = scf::ParallelOp::create(
      rewriter, loc, all.getLowerBound().drop_back(),
      all.getUpperBound().drop_back(), all.getStep().drop_back());
  IRMapping mapping;
  mapping.map(indices, rows.getInductionVars());
  rewriter.setInsertionPoint(rows.getBody()->getTerminator());
  for (Operation &op : all.getBody()->without_terminator())
    if (!repeated.contains(&op))
      rewriter.clone(op, mapping);

  MemRefType table = load.getMemRefType();
  Value row = memref::AllocOp::create(
      rewriter, loc,
      MemRefType::get({table.getDimSize(1)}, table.getElementType()),
      rewriter.getI64IntegerAttr(64));
  tern::ternary::FetchOp::create(rewriter, loc, load.getMemRef(),
                                 mapping.lookupOrDefault(load.getIndices()[0]),
                                 row);
  auto along =
      scf::ForOp::create(rewriter, loc, all.getLowerBound().back(),
                         all.getUpperBound().back(), all.getStep().back());
  mapping.map(last, along.getInductionVar());
  rewriter.setInsertionPoint(along.getBody()->getTerminator());
  for (Operation *op : repeated)
    if (op == load)
      mapping.map(
          load.getResult(),
          memref::LoadOp::create(rewriter, loc, row, along.getInductionVar())
              .getResult());
    else
      rewriter.clone(*op, mapping);
  rewriter.eraseOp(all);
}

/// The load of `table` in a loop that `linalgOpToParallelLoops` made.
static memref::LoadOp findLoad(scf::ParallelOp loop, Value table) {
  for (auto load : loop.getBody()->getOps<memref::LoadOp>())
    if (load.getMemRef() == table)
      return load;
  llvm_unreachable("the loop has the loads of the operation");
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// The constant that `buffer` is, or null.
static memref::GlobalOp findConstant(Value buffer, const SymbolTable &symbols) {
  auto get = buffer.getDefiningOp<memref::GetGlobalOp>();
  auto global = get ? symbols.lookup<memref::GlobalOp>(get.getName()) : nullptr;
  return global && global.getConstantInitValue() ? global : nullptr;
}

/// Whether `load` looks up rows of a constant of at least `minBytes`.
static bool isLookup(memref::LoadOp load, uint64_t minBytes,
                     const SymbolTable &symbols) {
  auto generic = dyn_cast<linalg::GenericOp>(load->getParentOp());
  MemRefType type = load.getMemRefType();
  Type element = type.getElementType();
  if (!generic || !readsRows(generic, load) ||
      !(element.isF32() || element.isF16() || element.isBF16()))
    return false;
  uint64_t bytes = static_cast<uint64_t>(type.getNumElements()) *
                   (element.getIntOrFloatBitWidth() / 8);
  return bytes >= minBytes && findConstant(load.getMemRef(), symbols);
}

/// Makes the operation around `load` a loop that fetches rows. Other lookups in
/// it stay loads.
static LogicalResult fetchRows(RewriterBase &rewriter, memref::LoadOp load) {
  Value table = load.getMemRef();
  auto generic = cast<linalg::GenericOp>(load->getParentOp());
  rewriter.setInsertionPoint(generic);
  FailureOr<linalg::LinalgLoops> loops =
      linalg::linalgOpToParallelLoops(rewriter, generic);
  if (failed(loops))
    return failure();
  rewriter.eraseOp(generic);
  auto loop = cast<scf::ParallelOp>(loops->front());
  fetchFirst(rewriter, loop, findLoad(loop, table));
  return success();
}

namespace {
/// Who reads the rows of a constant.
struct Readers {
  int64_t fetches = 0, screens = 0, others = 0;
};
} // namespace

/// Marks the constants of which a call reads few rows: those that are only
/// fetched, and those of a head with a screen, which products of several tokens
/// read as a whole.
static void markFetched(ModuleOp module, const SymbolTable &symbols) {
  llvm::MapVector<memref::GlobalOp, Readers> constants;
  module.walk([&](memref::GetGlobalOp get) {
    memref::GlobalOp constant = findConstant(get.getResult(), symbols);
    if (!constant)
      return;
    Readers &readers = constants[constant];
    for (Operation *user : get->getUsers()) {
      auto head = dyn_cast<tern::ternary::HeadOp>(user);
      if (head && head.getCodes() && head.getRows() == get.getResult())
        ++readers.screens;
      else if (isa<tern::ternary::FetchOp>(user))
        ++readers.fetches;
      else
        ++readers.others;
    }
  });
  for (auto [constant, readers] : constants)
    if (readers.screens > 0 || (readers.fetches > 0 && readers.others == 0))
      constant->setAttr(tern::kFetchedAttr, UnitAttr::get(module.getContext()));
}

namespace {
struct FetchRowsPass : tern::impl::FetchRowsBase<FetchRowsPass> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    llvm::MapVector<Operation *, memref::LoadOp> lookups;
    getOperation().walk([&](memref::LoadOp load) {
      if (isLookup(load, minBytes, symbols))
        lookups.insert({load->getParentOp(), load});
    });
    IRRewriter rewriter(&getContext());
    for (auto [op, load] : lookups)
      if (failed(fetchRows(rewriter, load)))
        return signalPassFailure();
    markFetched(getOperation(), symbols);
  }
};
} // namespace
