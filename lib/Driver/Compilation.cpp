//===- Compilation.cpp - one run of the compiler --------------------------===//

#include "Compilation.h"
#include "Resources.h"

#include "tern/Import/OnnxImporter.h"
#include "tern/RegisterAll.h"
#include "tern/Target/ObjectEmitter.h"
#include "tern/Target/OutputFile.h"
#include "tern/Transforms/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SetOperations.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <sys/resource.h>

using namespace llvm;
using namespace tern;

/// True for the location of the model itself, which every message names.
static bool isModel(mlir::Location location) {
  auto file = dyn_cast<mlir::FileLineColLoc>(location);
  return file && file.getLine() == 0;
}

/// The location a diagnostic's reader understands, node names and a colon, or
/// nothing.
static std::string describeLocation(mlir::Location location) {
  if (isModel(location))
    return "";
  auto name = dyn_cast<mlir::NameLoc>(location);
  if (name && isModel(name.getChildLoc()))
    return ("'" + name.getName().strref() + "': ").str();
  std::string text;
  raw_string_ostream os(text);
  location->print(os);
  StringRef plain = text;
  plain.consume_front("loc(");
  plain.consume_back(")");
  return (plain + ": ").str();
}

/// Whether a message names its node or tensor itself: "node 'n' (Abs): …".
static bool namesLocation(StringRef message, mlir::Location location) {
  auto name = dyn_cast<mlir::NameLoc>(location);
  return name && message.contains(("'" + name.getName().strref() + "'").str());
}

Compilation::Compilation(const CompileRequest &request, raw_ostream &errors)
    : request(request), errors(errors), progress(errors, !request.verbose),
      context(mlir::MLIRContext::Threading::DISABLED),
      last(std::chrono::steady_clock::now()) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  context.appendDialectRegistry(registry);
  // A graph is no help in a message; --stop-after prints it.
  context.printOpOnDiagnostic(false);
  report.listen(context, [this] { progress.addLayer(); });
  context.getDiagEngine().registerHandler([this](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      diagnosed = true;
    StringRef kind =
        diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error ? "error"
        : diagnostic.getSeverity() == mlir::DiagnosticSeverity::Warning
            ? "warning"
            : "note";
    std::string text = diagnostic.str();
    progress.clear();
    this->errors << this->request.model << ": " << kind << ": ";
    if (!namesLocation(text, diagnostic.getLocation()))
      this->errors << describeLocation(diagnostic.getLocation());
    this->errors << text << '\n';
    for (mlir::Diagnostic &note : diagnostic.getNotes())
      this->errors << "  note: " << note << '\n';
  });
}

ExitCode Compilation::fail(ExitCode code, const Twine &message) {
  progress.clear();
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
  if (!request.verbose)
    return;
  errors << "ternc: " << step << ": " << format("%.2f s", seconds);
  rusage usage;
  // Linux counts in KiB.
  if (getrusage(RUSAGE_SELF, &usage) == 0)
    errors << ", at most " << usage.ru_maxrss / 1024 << " MiB so far";
  errors << '\n';
}

unsigned Compilation::countSteps() const {
  // Import to pack, head and bufferize; lower and llvm for each level; machine
  // code.
  if (request.stopAfter && *request.stopAfter < Stage::Lower)
    return static_cast<unsigned>(*request.stopAfter) + 1 +
           (request.stopAfter == Stage::Pack);
  return 6 + 2 * levels.size() + 1 + (isLinked() ? 2 : 0);
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

ExitCode Compilation::runStage(StringRef name, Build build,
                               mlir::ModuleOp target,
                               const PipelineOptions &stageOptions) {
  begin(name);
  mlir::PassManager pm(&context);
  build(pm, stageOptions);
  mlir::OwningOpRef<mlir::ModuleOp> before = target.clone();
  if (mlir::succeeded(pm.run(target))) {
    note(name);
    return ExitCode::Done;
  }
  // What a model can be at fault for is found by then.
  if (diagnosed && name == getStageName(Stage::Raise))
    return ExitCode::BadInput;
  return fail(ExitCode::InternalError,
              "the stage '" + name +
                  "' failed; this is a bug in ternc. A reproducer for tern-opt "
                  "is in " +
                  writeReproducer(*before, pm));
}

std::string Compilation::writeReproducer(mlir::ModuleOp before,
                                         const mlir::OpPassManager &passes) {
  SmallString<128> path;
  int descriptor;
  if (sys::fs::createTemporaryFile("tern-reproducer", "mlir", descriptor, path))
    return "no file, as none could be created";
  raw_fd_ostream os(descriptor, /*shouldClose=*/true);
  os << "// " << spec.producer << ", " << request.model
     << "\n// tern-opt THIS_FILE --pass-pipeline='";
  passes.printAsTextualPipeline(os);
  os << "'\n";
  mlir::OpPrintingFlags flags;
  flags.elideLargeElementsAttrs(64).elideLargeResourceString(64);
  before->print(os, flags);
  os << '\n';
  os.close();
  // What could be written is better than nothing.
  os.clear_error();
  return path.str().str();
}

ExitCode Compilation::checkRequest() {
  triple = request.triple.empty() ? sys::getDefaultTargetTriple()
                                  : Triple::normalize(request.triple);
  initializeTargets();
  Expected<std::vector<CPULevel>> found = getCPULevels(triple, request.cpu);
  if (!found)
    return fail(ExitCode::BadCommandLine, toString(found.takeError()));
  levels = std::move(*found);
  if (Error error = createTargetMachine(triple, levels.back()).takeError())
    return fail(ExitCode::BadCommandLine, toString(std::move(error)));
  // The runtime is there for this machine alone.
  Triple host(sys::getDefaultTargetTriple());
  if (isLinked() && Triple(triple).getArch() != host.getArch())
    return fail(ExitCode::BadCommandLine,
                "cannot link for '" + triple + "' on " + host.getArchName() +
                    "; expected --emit=obj, asm, llvm or mlir");
  for (const std::string &path : getOutputPaths())
    if (sys::fs::is_directory(path))
      return fail(ExitCode::BadInput,
                  "cannot write '" + path + "': it is a directory");
  options.context = request.context;
  options.kvCache = request.kvCache;
  options.encoding = request.encoding;
  options.head = request.head;
  options.forgetPages = [this] { mapped.dropPages(); };
  options.portable = request.portable;
  if (request.portable) {
    // One variant, for the least of the CPUs asked for.
    levels.erase(levels.begin(), levels.end() - 1);
    levels[0].name = "portable";
    levels[0].vectorTarget = "generic";
  }
  options.packTargets.clear();
  for (const CPULevel &level : levels)
    options.packTargets.push_back(level.vectorTarget);
  return ExitCode::Done;
}

ExitCode Compilation::buildCommonStages() {
  progress.setSteps(countSteps());
  begin("import");
  module = importOnnx(request.model, context, ImportOptions(), &mapped);
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
  ResourceSet original = collectResources(*module);
  const std::pair<Stage, Build> stages[] = {
      {Stage::Raise, buildRaisePipeline},
      {Stage::Optimize, buildOptimizePipeline},
      {Stage::Pack, buildPackPipeline},
  };
  for (auto [stage, build] : stages) {
    ResourceSet resources = collectResources(*module);
    ExitCode code = runStage(getStageName(stage), build, *module, options);
    if (code != ExitCode::Done)
      return code;
    mapped.dropPages();
    if (stage == Stage::Raise) {
      addLanguageModel(spec, *imported, *module, options.context);
      report.findHeads(*imported);
      report.addGeneration(*module);
      if (code = checkLayers(); code != ExitCode::Done)
        return code;
      if (request.report != ReportForm::None)
        report.addLayers(*module);
    } else if (stage == Stage::Pack && request.report != ReportForm::None) {
      report.addKernels(levels);
    }
    // The model's own may be read through others.
    releaseResources(llvm::set_difference(resources, original), *module);
    if (stopsAfter(stage) && stage != Stage::Pack) {
      printReport();
      return ExitCode::Done;
    }
  }
  // A step of its own, when the memory of packing is free again.
  ExitCode code = runStage("head", buildHeadPipeline, *module, options);
  if (code != ExitCode::Done)
    return code;
  mapped.dropPages();
  report.addHead(*module);
  printReport();
  if (stopsAfter(Stage::Pack))
    return ExitCode::Done;
  code = runStage("bufferize", buildBufferizePipeline, *module, options);
  if (code == ExitCode::Done)
    addFetched(spec, *module);
  return code;
}

ExitCode Compilation::checkLayers() {
  if (!request.requireTernary)
    return ExitCode::Done;
  ExitCode code = ExitCode::Done;
  for (const FloatLayer &layer : report.getFloatLayers())
    if (!layer.isHead || !spec.languageModel)
      code = fail(ExitCode::BadInput,
                  "'" + layer.name + "': found a float layer (" +
                      layer.weights + "; " + layer.reason +
                      "); expected ternary layers only, as --require-ternary "
                      "demands");
  return code;
}

void Compilation::printReport() {
  progress.clear();
  if (request.report == ReportForm::Text)
    report.printText(errors);
  else if (request.report == ReportForm::Json)
    report.printJson(errors);
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

  ExitCode code =
      runStage("lower " + level.name, buildLowerPipeline, *copy, variant);
  if (code == ExitCode::Done && !stopsAfter(Stage::Lower))
    code = runStage("llvm " + level.name, buildLLVMPipeline, *copy, variant);
  if (code != ExitCode::Done)
    return code;
  if (stopsAfter(Stage::Lower) || stopsAfter(Stage::LLVM) ||
      request.form == OutputForm::MLIR) {
    module = std::move(copy);
    return ExitCode::Done;
  }

  return startCodeGeneration(*copy, level);
}

/// Optimises `module` and writes it to `path`. Returns a message on failure.
static std::string generateCode(Module &module, TargetMachine &machine,
                                OutputForm form, const std::string &path) {
  optimize(module, machine);
  Error failure = writeFile(path, [&](raw_fd_ostream &os) -> Error {
    if (form != OutputForm::LLVMIR)
      return emitCode(module, machine,
                      form == OutputForm::Assembly ? CodeForm::Assembly
                                                   : CodeForm::Object,
                      os);
    module.print(os, nullptr);
    return Error::success();
  });
  return failure ? toString(std::move(failure)) : "";
}

ExitCode Compilation::startCodeGeneration(mlir::ModuleOp lowered,
                                          const CPULevel &level) {
  Expected<std::unique_ptr<TargetMachine>> machine =
      createTargetMachine(triple, level);
  if (!machine)
    return fail(machine.takeError());
  auto llvmContext = std::make_unique<LLVMContext>();
  std::unique_ptr<Module> llvmModule =
      translateToLLVMIR(lowered, *llvmContext, **machine);
  if (!llvmModule)
    return fail(ExitCode::InternalError,
                "translation to LLVM IR failed; this is a bug in ternc. The "
                "module is in " +
                    writeReproducer(lowered, mlir::PassManager(&context)));

  const char *extension = request.form == OutputForm::LLVMIR     ? ".ll"
                          : request.form == OutputForm::Assembly ? ".s"
                                                                 : ".o";
  objects.push_back(folder->file(level.name + extension));
  // The context outlives its module: parameters go in reverse order.
  pending.push_back(std::async(
      std::launch::async,
      [form = request.form, path = objects.back(),
       llvmContext = std::move(llvmContext), machine = std::move(*machine),
       llvmModule = std::move(llvmModule)]() mutable {
        std::string message = generateCode(*llvmModule, *machine, form, path);
        llvmModule.reset();
        return message;
      }));
  return ExitCode::Done;
}

ExitCode Compilation::finishCodeGeneration() {
  begin("machine code");
  for (std::future<std::string> &result : pending)
    if (std::string message = result.get(); !message.empty())
      return fail(ExitCode::BadInput, message);
  note("machine code");
  return ExitCode::Done;
}
