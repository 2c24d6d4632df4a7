//===- Compilation.cpp - one run of the compiler --------------------------===//

#include "Compilation.h"

#include "tern/Import/OnnxImporter.h"
#include "tern/RegisterAll.h"
#include "tern/Target/Linker.h"
#include "tern/Target/ObjectEmitter.h"
#include "tern/Target/WeightsObject.h"
#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;
using namespace tern;

/// The location a diagnostic's reader understands: file and node names.
static std::string describeLocation(mlir::Location location) {
  std::string text;
  raw_string_ostream os(text);
  location->print(os);
  StringRef plain = text;
  plain.consume_front("loc(");
  plain.consume_back(")");
  return plain.str();
}

Compilation::Compilation(const CompileRequest &request, raw_ostream &errors)
    : request(request), errors(errors),
      context(mlir::MLIRContext::Threading::DISABLED),
      last(std::chrono::steady_clock::now()) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  context.appendDialectRegistry(registry);
  context.getDiagEngine().registerHandler([this](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      diagnosed = true;
    StringRef kind =
        diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error ? "error"
        : diagnostic.getSeverity() == mlir::DiagnosticSeverity::Warning
            ? "warning"
            : "note";
    this->errors << this->request.model << ": " << kind << ": "
                 << describeLocation(diagnostic.getLocation()) << ": "
                 << diagnostic << '\n';
    for (mlir::Diagnostic &note : diagnostic.getNotes())
      this->errors << "  note: " << note << '\n';
  });
}

ExitCode Compilation::fail(ExitCode code, const Twine &message) {
  errors << request.model << ": error: " << message << '\n';
  return code;
}

ExitCode Compilation::fail(Error error) {
  return fail(ExitCode::BadInput, toString(std::move(error)));
}

void Compilation::note(const Twine &step) {
  auto now = std::chrono::steady_clock::now();
  double seconds = std::chrono::duration<double>(now - last).count();
  last = now;
  if (request.verbose)
    errors << "ternc: " << step << ": " << format("%.2f s", seconds) << '\n';
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

ExitCode Compilation::runStage(StringRef name, Build build,
                               mlir::ModuleOp target,
                               const PipelineOptions &stageOptions) {
  mlir::PassManager pm(&context);
  SmallString<128> reproducer("tern-reproducer.mlir");
  pm.enableVerifier(true);
  build(pm, stageOptions);
  if (mlir::failed(pm.run(target))) {
    if (diagnosed)
      return ExitCode::BadInput;
    return fail(ExitCode::InternalError,
                "the stage '" + name + "' failed without a message");
  }
  note(name);
  return ExitCode::Done;
}

ExitCode Compilation::checkRequest() {
  triple = request.triple.empty() ? sys::getDefaultTargetTriple()
                                  : Triple::normalize(request.triple);
  initializeTargets();
  Expected<std::vector<CPULevel>> found = getCPULevels(triple, request.cpu);
  if (!found)
    return fail(ExitCode::BadCommandLine, toString(found.takeError()));
  levels = std::move(*found);
  options.context = request.context;
  options.encoding = request.encoding;
  options.portable = request.portable;
  if (request.portable) {
    // One variant, for the least of the CPUs asked for.
    levels.erase(levels.begin(), levels.end() - 1);
    levels[0].name = "portable";
    levels[0].vectorTarget = "generic";
  }
  return ExitCode::Done;
}

ExitCode Compilation::buildCommonStages() {
  module = importOnnx(request.model, context, ImportOptions());
  if (!module)
    return ExitCode::BadInput;
  note("import");
  mlir::FailureOr<ModelSpec> interface = readInterface(*module);
  if (mlir::failed(interface))
    return ExitCode::BadInput;
  spec = std::move(*interface);
  spec.producer = ("ternc " + getVersion()).str();
  if (stopsAfter(Stage::Import))
    return ExitCode::Done;

  mlir::OwningOpRef<mlir::ModuleOp> imported = module->clone();
  const std::pair<Stage, Build> stages[] = {
      {Stage::Raise, buildRaisePipeline},
      {Stage::Optimize, buildOptimizePipeline},
      {Stage::Pack, buildPackPipeline},
  };
  for (auto [stage, build] : stages) {
    ExitCode code = runStage(getStageName(stage), build, *module, options);
    if (code != ExitCode::Done)
      return code;
    if (stage == Stage::Raise)
      addLanguageModel(spec, *imported, *module, options.context);
    if (stopsAfter(stage))
      return ExitCode::Done;
  }
  return runStage("bufferize", buildBufferizePipeline, *module, options);
}

ExitCode Compilation::compileVariant(const CPULevel &level) {
  PipelineOptions variant = options;
  variant.variant = level.name;
  variant.vectorTarget = level.vectorTarget;
  mlir::OwningOpRef<mlir::ModuleOp> copy = module->clone();
  // The weights are written apart.
  for (auto global :
       make_early_inc_range(copy->getOps<mlir::memref::GlobalOp>()))
    if (global->hasAttr(kWeightIndexAttr))
      global.erase();

  ExitCode code = runStage("lower " + level.name, buildLowerPipeline, *copy,
                           variant);
  if (code == ExitCode::Done && !stopsAfter(Stage::Lower))
    code = runStage("llvm " + level.name, buildLLVMPipeline, *copy, variant);
  if (code != ExitCode::Done)
    return code;
  if (stopsAfter(Stage::Lower) || stopsAfter(Stage::LLVM) ||
      request.form == OutputForm::MLIR) {
    module = std::move(copy);
    return ExitCode::Done;
  }

  Expected<std::unique_ptr<TargetMachine>> machine =
      createTargetMachine(triple, level);
  if (!machine)
    return fail(machine.takeError());
  LLVMContext llvmContext;
  std::unique_ptr<Module> llvmModule =
      translateAndOptimize(*copy, llvmContext, **machine);
  if (!llvmModule)
    return fail(ExitCode::InternalError, "translation to LLVM IR failed");
  note("optimize LLVM IR " + level.name);

  const char *extension = request.form == OutputForm::LLVMIR     ? ".ll"
                          : request.form == OutputForm::Assembly ? ".s"
                                                                 : ".o";
  objects.push_back(folder->file(level.name + extension));
  std::error_code error;
  raw_fd_ostream os(objects.back(), error);
  if (error)
    return fail(ExitCode::BadInput, "cannot write '" + objects.back() +
                                        "': " + error.message());
  if (request.form == OutputForm::LLVMIR)
    llvmModule->print(os, nullptr);
  else if (Error failure = emitCode(*llvmModule, **machine,
                                    request.form == OutputForm::Assembly
                                        ? CodeForm::Assembly
                                        : CodeForm::Object,
                                    os))
    return fail(std::move(failure));
  os.close();
  if (os.has_error()) {
    error = os.error();
    os.clear_error();
    return fail(ExitCode::BadInput, "cannot write '" + objects.back() +
                                        "': " + error.message());
  }
  note("code " + level.name);
  return ExitCode::Done;
}
