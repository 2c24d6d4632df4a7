//===- ObjectEmitter.h - from the LLVM dialect to machine code --*- C++ -*-===//
#ifndef TERN_TARGET_OBJECTEMITTER_H
#define TERN_TARGET_OBJECTEMITTER_H

#include "tern/Target/CPULevel.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <memory>

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
} // namespace llvm

namespace tern {

/// Registers the code generators of every target that LLVM was built with.
void initializeTargets();

/// A code generator for `level` of `triple`, position-independent, at the
/// highest optimisation level.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(llvm::StringRef triple, const CPULevel &level);

/// Translates a module of the LLVM dialect for `machine`. Returns null after a
/// diagnostic where the module has other operations.
std::unique_ptr<llvm::Module> translateToLLVMIR(mlir::ModuleOp module,
                                                llvm::LLVMContext &context,
                                                llvm::TargetMachine &machine);

/// Runs LLVM's -O3 pipeline. Touches nothing but `module` and `machine`, so
/// that modules of different contexts may be optimised side by side.
void optimize(llvm::Module &module, llvm::TargetMachine &machine);

enum class CodeForm { Object, Assembly };

/// Writes the machine code of `module`.
llvm::Error emitCode(llvm::Module &module, llvm::TargetMachine &machine,
                     CodeForm form, llvm::raw_pwrite_stream &os);

} // namespace tern

#endif // TERN_TARGET_OBJECTEMITTER_H
