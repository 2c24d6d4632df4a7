//===- Compilation.h - one run of the compiler ------------------*- C++ -*-===//
#ifndef TERN_LIB_DRIVER_COMPILATION_H
#define TERN_LIB_DRIVER_COMPILATION_H

#include "InterruptGuard.h"
#include "ProgressBar.h"
#include "Report.h"
#include "TemporaryFolder.h"

#include "tern/Driver/Compiler.h"
#include "tern/Driver/ModelSpecBuilder.h"
#include "tern/Import/MappedFiles.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"

#include <chrono>
#include <future>

namespace tern {

/// One run of the compiler: the state that its steps hand on.
class Compilation {
public:
  Compilation(const CompileRequest &request, llvm::raw_ostream &errors);
  ExitCode run();

private:
  using Build = void (*)(mlir::OpPassManager &, const PipelineOptions &);

  /// Checks what can be checked before any work is done.
  ExitCode checkRequest();
  /// Import to pack: what all variants share.
  ExitCode buildCommonStages();
  /// The module as `--stop-after` and `--emit=mlir` want it.
  ExitCode printModule();
  /// Refuses float layers where --require-ternary is given.
  ExitCode checkLayers();
  void printReport();
  /// Lower and LLVM, for one level; starts its code generation.
  ExitCode compileVariant(const CPULevel &level);
  /// Optimises and writes machine code, beside the lowering of other levels.
  ExitCode startCodeGeneration(mlir::ModuleOp lowered, const CPULevel &level);
  /// Waits for what startCodeGeneration began.
  ExitCode finishCodeGeneration();
  /// Writes the module that `passes` failed on, without its large constants,
  /// and how to run them; returns the path.
  std::string writeReproducer(mlir::ModuleOp before,
                              const mlir::OpPassManager &passes);
  /// Objects of the descriptor, and of the pointers to the weights.
  ExitCode emitDescriptor();
  ExitCode emitWeightsObject();
  /// Writes the weights themselves into the linked file.
  ExitCode insertWeights(llvm::StringRef linked);
  /// Links, or moves a single object to its place.
  ExitCode writeOutput();
  ExitCode writeLibraryHeader();
  /// The paths that the output takes: OUT.so and OUT.h for a library.
  llvm::SmallVector<std::string, 2> getOutputPaths() const;
  /// Whether the output is linked with the runtime: no text, and no object.
  bool isLinked() const {
    return !request.stopAfter && (request.form == OutputForm::Executable ||
                                  request.form == OutputForm::Library);
  }

  /// Runs one pipeline over `module`; a failure that came without a message is
  /// our bug.
  ExitCode runStage(llvm::StringRef name, Build build, mlir::ModuleOp module,
                    const PipelineOptions &options);
  /// True if the request ends after `stage`.
  bool stopsAfter(Stage stage) const { return request.stopAfter == stage; }
  ExitCode readTokenizer();
  std::string describeModel() const;
  ExitCode fail(ExitCode code, const llvm::Twine &message);
  ExitCode fail(llvm::Error error);
  /// Says that `step` begins, or that it ended.
  void begin(const llvm::Twine &step) { progress.beginStep(step); }
  void note(const llvm::Twine &step);
  /// How many times begin() will be called.
  unsigned countSteps() const;

  const CompileRequest &request;
  llvm::raw_ostream &errors;
  ProgressBar progress;
  Report report;
  mlir::MLIRContext context;
  MappedFiles mapped; ///< what constants of the model refer to
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string triple;
  std::vector<CPULevel> levels;
  PipelineOptions options;
  ModelSpec spec;
  std::vector<std::string> objects;
  std::optional<InterruptGuard> guard; ///< outlives the folder it guards
  std::optional<TemporaryFolder> folder;
  std::chrono::steady_clock::time_point last;
  bool diagnosed = false; ///< an error was reported through a diagnostic
  /// Code generation under way: a message, "" where all went well. The last
  /// member, so that it ends before what it uses goes.
  std::vector<std::future<std::string>> pending;
};

} // namespace tern

#endif // TERN_LIB_DRIVER_COMPILATION_H
