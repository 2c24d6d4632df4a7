//===- ObjectEmitter.cpp - from the LLVM dialect to machine code ----------===//

#include "tern/Target/ObjectEmitter.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;
using namespace tern;

void tern::initializeTargets() {
  InitializeAllTargetInfos();
  InitializeAllTargets();
  InitializeAllTargetMCs();
  InitializeAllAsmPrinters();
  InitializeAllAsmParsers();
}

Expected<std::unique_ptr<TargetMachine>>
tern::createTargetMachine(StringRef triple, const CPULevel &level) {
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(Triple(triple), error);
  if (!target)
    return createStringError("unknown target '" + triple + "': " + error);
  TargetOptions options;
  // Lets the linker fold what is equal among the variants.
  options.FunctionSections = true;
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      Triple(triple), level.cpu, level.features, options, Reloc::PIC_,
      CodeModel::Small, CodeGenOptLevel::Aggressive));
  if (!machine)
    return createStringError("LLVM cannot generate code for '" + triple + "'");
  return machine;
}

/// Gives every function the CPU it is made for, which the vectorisers ask for.
static void setFunctionTarget(Module &module, const TargetMachine &machine) {
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    function.addFnAttr(Attribute::NoUnwind);
    // Entry points are found by the descriptor alone.
    if (!function.hasLocalLinkage())
      function.setVisibility(GlobalValue::HiddenVisibility);
  }
}

std::unique_ptr<Module> tern::translateToLLVMIR(mlir::ModuleOp module,
                                                LLVMContext &context,
                                                TargetMachine &machine) {
  std::unique_ptr<Module> result =
      mlir::translateModuleToLLVMIR(module, context, "tern");
  if (!result)
    return nullptr;
  result->setTargetTriple(machine.getTargetTriple());
  result->setDataLayout(machine.createDataLayout());
  setFunctionTarget(*result, machine);
  return result;
}

void tern::optimize(Module &module, TargetMachine &machine) {
  PassBuilder builder(&machine);
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager cgscc;
  ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(cgscc);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, cgscc, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O3)
      .run(module, modules);
}

Error tern::emitCode(Module &module, TargetMachine &machine, CodeForm form,
                     raw_pwrite_stream &os) {
  legacy::PassManager passes;
  CodeGenFileType type = form == CodeForm::Object
                             ? CodeGenFileType::ObjectFile
                             : CodeGenFileType::AssemblyFile;
  if (machine.addPassesToEmitFile(passes, os, nullptr, type))
    return createStringError("LLVM cannot write this kind of file for '" +
                             machine.getTargetTriple().str() + "'");
  passes.run(module);
  return Error::success();
}
