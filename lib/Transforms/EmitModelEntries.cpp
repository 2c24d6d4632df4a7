//===- EmitModelEntries.cpp - the C interface around a model's functions --===//

#include "tern/Transforms/Passes.h"

#include "MemRefCasts.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern {
#define GEN_PASS_DEF_EMITMODELENTRIES
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

namespace {

/// Whether `step` can leave out logits that are not among the best, as
/// `ternary-screen-head` makes it.
bool takesNumBest(func::FuncOp step) {
  ArrayRef<Type> types = step.getArgumentTypes();
  return types.size() > 3 && types[3].isIndex();
}

/// Builds the entry points. Mirrors the structs of ModelABI.h.
class EntryBuilder {
public:
  EntryBuilder(ModuleOp module, StringRef variant)
      : b(module.getLoc(), module.getContext()), module(module),
        variant(variant), converter(module.getContext()),
        pointer(LLVM::LLVMPointerType::get(module.getContext())),
        i64(b.getI64Type()) {}

  /// `void tern_run_<variant>(host, inputs, outputs)` around `main`.
  void emitRun(func::FuncOp main);
  /// `void tern_step_<variant>(host, tokens, count, past, caches, num_logits,
  /// num_best, logits)` around `step(tokens, past, num_logits, [num_best,]
  /// caches…)`.
  void emitStep(func::FuncOp step);

private:
  /// Starts a function of the C interface with these parameters.
  func::FuncOp createEntry(StringRef name, TypeRange parameters);
  Value createMemRef(MemRefType type, Value data, ValueRange sizes) {
    return tern::createMemRef(b, converter, type, data, sizes);
  }
  Value alignedPointer(Value memref);
  /// `result`, or a copy of it where it starts at one of the `earlier`
  /// pointers.
  Value createUnshared(Value result, ArrayRef<Value> earlier);
  Value loadField(Type type, Value base, int64_t offset);
  void storeField(Value value, Value base, int64_t offset);
  Value toI64(Value index);
  Value toIndex(Value integer);

  // Offsets within TernTensor: {void *data; int64_t dims[8]; int32_t rank,
  // dtype;}.
  static constexpr int64_t kTensorBytes = 80, kDataOffset = 0, kDimsOffset = 8;

  ImplicitLocOpBuilder b;
  ModuleOp module;
  StringRef variant;
  LLVMTypeConverter converter;
  Type pointer, i64;
};

func::FuncOp EntryBuilder::createEntry(StringRef name, TypeRange parameters) {
  b.setInsertionPointToEnd(module.getBody());
  auto entry = func::FuncOp::create(b, (name + "_" + variant).str(),
                                    b.getFunctionType(parameters, {}));
  entry->setAttr(tern::kEntryAttr, b.getUnitAttr());
  b.setInsertionPointToStart(entry.addEntryBlock());
  return entry;
}

Value EntryBuilder::loadField(Type type, Value base, int64_t offset) {
  Value address = LLVM::GEPOp::create(
      b, pointer, b.getI8Type(), base,
      ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(static_cast<int32_t>(offset))});
  return LLVM::LoadOp::create(b, type, address);
}

void EntryBuilder::storeField(Value value, Value base, int64_t offset) {
  Value address = LLVM::GEPOp::create(
      b, pointer, b.getI8Type(), base,
      ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(static_cast<int32_t>(offset))});
  LLVM::StoreOp::create(b, value, address);
}

Value EntryBuilder::toI64(Value index) {
  return arith::IndexCastOp::create(b, i64, index);
}

Value EntryBuilder::toIndex(Value integer) {
  return arith::IndexCastOp::create(b, b.getIndexType(), integer);
}

Value EntryBuilder::alignedPointer(Value memref) {
  return MemRefDescriptor(tern::convertToLLVM(b, converter, memref))
      .alignedPtr(b, b.getLoc());
}

Value EntryBuilder::createUnshared(Value result, ArrayRef<Value> earlier) {
  if (earlier.empty())
    return result;
  Value data = alignedPointer(result);
  Value shared;
  for (Value other : earlier) {
    Value equal = LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq, data, other);
    shared =
        shared ? arith::OrIOp::create(b, shared, equal).getResult() : equal;
  }
  auto type = cast<MemRefType>(result.getType());
  auto branch = scf::IfOp::create(b, type, shared, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, result);
  b.setInsertionPointToStart(branch.thenBlock());
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      sizes.push_back(memref::DimOp::create(b, result, dim));
  Value copy = memref::AllocOp::create(b, type, sizes);
  memref::CopyOp::create(b, result, copy);
  scf::YieldOp::create(b, copy);
  return branch.getResult(0);
}

void EntryBuilder::emitRun(func::FuncOp main) {
  func::FuncOp entry = createEntry("tern_run", {pointer, pointer, pointer});
  Value inputs = entry.getArgument(1), outputs = entry.getArgument(2);

  SmallVector<Value> arguments;
  for (auto [index, type] : llvm::enumerate(main.getArgumentTypes())) {
    auto memref = cast<MemRefType>(type);
    int64_t base = index * kTensorBytes;
    SmallVector<Value> sizes;
    for (int64_t dim = 0; dim < memref.getRank(); ++dim)
      if (memref.isDynamicDim(dim))
        sizes.push_back(loadField(i64, inputs, base + kDimsOffset + 8 * dim));
    Value data = loadField(pointer, inputs, base + kDataOffset);
    arguments.push_back(createMemRef(memref, data, sizes));
  }

  auto call = func::CallOp::create(b, main, arguments);
  SmallVector<Value> pointers;
  for (auto [index, result] : llvm::enumerate(call.getResults())) {
    auto memref = cast<MemRefType>(result.getType());
    int64_t base = index * kTensorBytes;
    Value output = createUnshared(result, pointers);
    pointers.push_back(alignedPointer(output));
    storeField(pointers.back(), outputs, base + kDataOffset);
    MemRefDescriptor descriptor(tern::convertToLLVM(b, converter, output));
    for (int64_t dim = 0; dim < memref.getRank(); ++dim)
      storeField(descriptor.size(b, b.getLoc(), dim), outputs,
                 base + kDimsOffset + 8 * dim);
  }
  func::ReturnOp::create(b);
}

/// Has `step` write the logits that it allocates to a buffer that is its last
/// argument instead; false if it gives others. `count` says how many rows.
static bool takeLogitsBuffer(func::FuncOp step, BlockArgument count) {
  Operation *returned = step.back().getTerminator();
  auto alloc = returned->getOperand(0).getDefiningOp<memref::AllocOp>();
  if (!alloc || !llvm::all_of(alloc.getDynamicSizes(),
                              [&](Value size) { return size == count; }))
    return false;
  unsigned last = step.getNumArguments();
  returned->eraseOperands(0, 1);
  // Neither fails for a func.func.
  (void)step.eraseResult(0);
  (void)step.insertArgument(last, alloc.getType(), {}, alloc.getLoc());
  alloc.replaceAllUsesWith(step.getArgument(last));
  alloc.erase();
  return true;
}

void EntryBuilder::emitStep(func::FuncOp step) {
  func::FuncOp entry = createEntry(
      "tern_step", {pointer, pointer, i64, i64, pointer, i64, i64, pointer});
  auto argument = [&](unsigned index) { return entry.getArgument(index); };
  ArrayRef<Type> types = step.getArgumentTypes();

  SmallVector<Value> arguments = {
      createMemRef(cast<MemRefType>(types[0]), argument(1), argument(2)),
      toIndex(argument(3)), toIndex(argument(5))};
  if (takesNumBest(step))
    arguments.push_back(toIndex(argument(6)));
  for (auto [index, type] : llvm::enumerate(types.drop_front(arguments.size())))
    arguments.push_back(createMemRef(cast<MemRefType>(type),
                                     loadField(pointer, argument(4), 8 * index),
                                     {}));

  auto type = cast<MemRefType>(step.getResultTypes()[0]);
  Value target =
      createMemRef(type, argument(7),
                   SmallVector<Value>(type.getNumDynamicDims(), argument(5)));
  if (takeLogitsBuffer(step, step.getArgument(2))) {
    arguments.push_back(target);
    func::CallOp::create(b, step, arguments);
  } else {
    Value logits = func::CallOp::create(b, step, arguments).getResult(0);
    memref::CopyOp::create(b, logits, target);
    memref::DeallocOp::create(b, logits);
  }
  func::ReturnOp::create(b);
}

struct EmitModelEntriesPass
    : tern::impl::EmitModelEntriesBase<EmitModelEntriesPass> {
  using Base::Base;

  void runOnOperation() override {
    EntryBuilder builder(getOperation(), variant);
    for (StringRef name : {"main", "step"}) {
      auto function = getOperation().lookupSymbol<func::FuncOp>(name);
      if (!function)
        continue;
      bool isStep = name == "step";
      if (failed(isStep ? checkStep(function) : checkMain(function)))
        return signalPassFailure();
      if (isStep)
        builder.emitStep(function);
      else
        builder.emitRun(function);
      function.setPrivate();
      // What the model's interface is called is the descriptor's to say.
      function.removeArgAttrsAttr();
      function.removeResAttrsAttr();
    }
  }

private:
  /// A dense array, which a pointer and its sizes describe.
  static bool isPlain(Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    return memref && memref.getLayout().isIdentity();
  }

  LogicalResult checkMain(func::FuncOp main) {
    for (Type type : llvm::concat<const Type>(main.getArgumentTypes(),
                                              main.getResultTypes()))
      if (!isPlain(type))
        return main.emitOpError("has ") << type
                                        << " in its signature; expected "
                                           "memrefs with the identity layout";
    return success();
  }

  /// `step(tokens, past, num_logits, [num_best,] caches…) -> logits`.
  LogicalResult checkStep(func::FuncOp step) {
    if (step.getNumResults() != 1)
      return step.emitOpError("returns ")
             << step.getNumResults()
             << " values; expected the logits alone, its caches being updated "
                "in place";
    ArrayRef<Type> types = step.getArgumentTypes();
    auto isCache = [](Type type) {
      return isPlain(type) && cast<MemRefType>(type).hasStaticShape();
    };
    bool known =
        types.size() >= 3 && isPlain(types[0]) && types[1].isIndex() &&
        types[2].isIndex() &&
        llvm::all_of(types.drop_front(takesNumBest(step) ? 4 : 3), isCache);
    auto logits = dyn_cast<MemRefType>(step.getResultTypes()[0]);
    if (!known || !logits || !isPlain(logits) ||
        !logits.getElementType().isF32())
      return step.emitOpError("has type ")
             << step.getFunctionType()
             << "; expected (tokens, index, index, perhaps another index, "
                "static caches...) to f32 "
                "logits, all with the identity layout";
    return success();
  }
};
} // namespace
