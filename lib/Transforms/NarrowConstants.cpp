//===- NarrowConstants.cpp - vectors of f32 that bf16 holds ---------------===//
//
// Checkpoints in bf16 come as graphs in f32: the gains of norms are widened
// before anything is computed with them. Here, what computes is known, and
// widens them itself.
//
// Behind the outlining of layers, as a layer whose gain needs f32 would be
// unlike the others before it.
//
//===----------------------------------------------------------------------===//

#include "FunctionCalls.h"

#include "tern/Transforms/Passes.h"

#include "tern/Dialect/Ternary/IR/Storage.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

namespace tern {
#define GEN_PASS_DEF_NARROWCONSTANTS
#include "tern/Transforms/Passes.h.inc"
} // namespace tern

using namespace mlir;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static bool isFloatVector(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  return memref && memref.getRank() == 1 && memref.getElementType().isF32();
}

/// Whether bf16 holds every element of a constant vector of f32.
static bool fitsBf16(memref::GlobalOp global, uint64_t minElements) {
  auto attr = dyn_cast_or_null<ElementsAttr>(global.getConstantInitValue());
  if (!attr || !isFloatVector(global.getType()) ||
      static_cast<uint64_t>(attr.getNumElements()) < minElements)
    return false;
  ArrayRef<char> bytes = tern::ternary::getElementBytes(attr);
  for (size_t i = 0; i < bytes.size(); i += 4)
    if (bytes[i] != 0 || bytes[i + 1] != 0)
      return false;
  return !bytes.empty();
}

/// A constant that fitsBf16 in bf16: the upper halves of its elements.
static ElementsAttr narrow(ElementsAttr attr, StringRef name) {
  auto shape = cast<ShapedType>(attr.getType());
  auto type = shape.clone(BFloat16Type::get(attr.getContext()));
  ArrayRef<char> bytes = tern::ternary::getElementBytes(attr);
  AsmResourceBlob blob =
      HeapAsmResourceBlob::allocate(bytes.size() / 2, /*align=*/64);
  char *halves = blob.getMutableData().data();
  for (size_t i = 0; i < bytes.size(); i += 4) {
    *halves++ = bytes[i + 2];
    *halves++ = bytes[i + 3];
  }
  return DenseResourceElementsAttr::get(type, name, std::move(blob));
}

//===----------------------------------------------------------------------===//
// Where they go
//===----------------------------------------------------------------------===//

namespace {
/// The constants, and the arguments that calls pass them in, that nothing needs
/// in f32.
class Candidates {
public:
  Candidates(ModuleOp module, uint64_t minElements);

  /// Gives all of them their new type.
  void rewrite();

private:
  void findConstants(const SymbolUserMap &users, uint64_t minElements);
  /// The arguments of functions that are called, and not used otherwise.
  void findArguments(const SymbolUserMap &users);
  /// Whether `value` is one of these constants or arguments.
  bool contains(Value value) const;
  /// Whether all that uses `value` can take it in bf16.
  bool isUsedAsSuch(Value value) const;
  /// Removes what something is in the way of; whether there was any.
  bool removeSome();

  ModuleOp module;
  SymbolTable symbols;
  llvm::SetVector<memref::GlobalOp> constants;
  llvm::DenseMap<memref::GlobalOp, SmallVector<Value>> reads;
  llvm::SetVector<BlockArgument> arguments;
  llvm::DenseMap<Operation *, SmallVector<func::CallOp>> calls;
};
} // namespace

Candidates::Candidates(ModuleOp module, uint64_t minElements)
    : module(module), symbols(module) {
  SymbolTableCollection tables;
  SymbolUserMap users(tables, module);
  findConstants(users, minElements);
  findArguments(users);
  while (removeSome())
    ;
}

void Candidates::findConstants(const SymbolUserMap &users,
                               uint64_t minElements) {
  for (auto global : module.getOps<memref::GlobalOp>()) {
    ArrayRef<Operation *> found = users.getUsers(global);
    if (!global.isPrivate() || !fitsBf16(global, minElements) ||
        !llvm::all_of(found, llvm::IsaPred<memref::GetGlobalOp>))
      continue;
    constants.insert(global);
    for (Operation *get : found)
      reads[global].push_back(cast<memref::GetGlobalOp>(get));
  }
}

void Candidates::findArguments(const SymbolUserMap &users) {
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPrivate() || function.isExternal())
      continue;
    SmallVector<func::CallOp> found = tern::findCalls(function, users);
    if (found.empty())
      continue;
    calls[function] = std::move(found);
    for (BlockArgument argument : function.getArguments())
      if (isFloatVector(argument.getType()))
        arguments.insert(argument);
  }
}

bool Candidates::contains(Value value) const {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return arguments.contains(argument);
  auto get = value.getDefiningOp<memref::GetGlobalOp>();
  return get &&
         constants.contains(symbols.lookup<memref::GlobalOp>(get.getName()));
}

bool Candidates::isUsedAsSuch(Value value) const {
  return llvm::all_of(value.getUses(), [&](OpOperand &use) {
    if (auto loops = dyn_cast<linalg::GenericOp>(use.getOwner()))
      return loops.isDpsInput(&use);
    auto call = dyn_cast<func::CallOp>(use.getOwner());
    if (!call)
      return false;
    auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
    return !callee.isExternal() &&
           contains(callee.getArgument(use.getOperandNumber()));
  });
}

bool Candidates::removeSome() {
  bool changed = constants.remove_if([&](memref::GlobalOp global) {
    return !llvm::all_of(reads[global],
                         [&](Value read) { return isUsedAsSuch(read); });
  });
  // All calls pass something that is narrowed, or none of them may.
  changed |= arguments.remove_if([&](BlockArgument argument) {
    return !isUsedAsSuch(argument) ||
           !llvm::all_of(calls[argument.getOwner()->getParentOp()],
                         [&](func::CallOp call) {
                           return contains(
                               call.getOperand(argument.getArgNumber()));
                         });
  });
  return changed;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

static MemRefType narrowType(Type type) {
  auto memref = cast<MemRefType>(type);
  return MemRefType::Builder(memref).setElementType(
      BFloat16Type::get(type.getContext()));
}

/// Gives `value` its new type, and has the loops that read it widen elements.
static void narrowValue(Value value) {
  value.setType(narrowType(value.getType()));
  for (OpOperand &use : value.getUses()) {
    auto loops = dyn_cast<linalg::GenericOp>(use.getOwner());
    if (!loops)
      continue;
    BlockArgument element = loops.getMatchingBlockArgument(&use);
    Type wide = element.getType();
    OpBuilder b = OpBuilder::atBlockBegin(loops.getBlock());
    element.setType(b.getBF16Type());
    auto extension = arith::ExtFOp::create(b, loops.getLoc(), wide, element);
    element.replaceAllUsesExcept(extension, extension);
  }
}

void Candidates::rewrite() {
  for (memref::GlobalOp global : constants) {
    global.setInitialValueAttr(
        narrow(cast<ElementsAttr>(global.getConstantInitValue()),
               global.getSymName()));
    global.setType(narrowType(global.getType()));
    for (Value read : reads[global])
      narrowValue(read);
  }
  for (BlockArgument argument : arguments)
    narrowValue(argument);
  for (auto &[op, unused] : calls) {
    auto function = cast<func::FuncOp>(op);
    function.setType(FunctionType::get(op->getContext(),
                                       function.front().getArgumentTypes(),
                                       function.getResultTypes()));
  }
}

namespace {
struct NarrowConstantsPass
    : tern::impl::NarrowConstantsBase<NarrowConstantsPass> {
  using Base::Base;

  void runOnOperation() override {
    Candidates(getOperation(), minElements).rewrite();
  }
};
} // namespace
