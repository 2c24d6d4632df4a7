//===- Compiler.h - from a model's file to an executable --------*- C++ -*-===//
#ifndef TERN_DRIVER_COMPILER_H
#define TERN_DRIVER_COMPILER_H

#include "tern/Pipelines/Pipelines.h"

#include "llvm/Support/raw_ostream.h"

#include <optional>
#include <string>

namespace tern {

/// Exit codes of ternc.
enum class ExitCode : int {
  Done = 0,
  BadInput = 1,       ///< the model, or the machine, is at fault
  BadCommandLine = 2, ///< the user asked for something that does not exist
  InternalError = 3   ///< our bug; the message names a reproducer
};

/// How the report on layers is printed, on standard error.
enum class ReportForm { None, Text, Json };

enum class OutputForm { Executable, Library, Object, Assembly, LLVMIR, MLIR };

/// What to compile, and how. The defaults make an executable for every CPU.
struct CompileRequest {
  std::string model;     ///< path of the .onnx file
  std::string output;    ///< path, or "-" for standard output
  std::string tokenizer; ///< path; "": beside the model, if any
  OutputForm form = OutputForm::Executable;
  std::optional<Stage> stopAfter;       ///< print the module after this stage
  std::string cpu = "all";              ///< see getCPULevels
  std::string triple;                   ///< "": this machine's
  int64_t context = 0;                  ///< 0: as the model says
  std::string kvCache = "model";        ///< see onnx-derive-step
  std::string encoding = "auto";        ///< of packed weights
  std::string head = "auto";            ///< see ternary-screen-head
  bool portable = false;                ///< portable ternary products
  bool verbose = false;                 ///< time of each step, on stderr
  ReportForm report = ReportForm::None; ///< what became of each layer
  bool requireTernary = false; ///< refuse float layers, a text model's head not
  std::string runtimeDir;      ///< folder of libTernRuntime.a
  std::string abiHeader;       ///< path of ModelABI.h, for libraries
};

/// Compiles. Messages go to `errors`; nothing partial is left behind.
ExitCode compile(const CompileRequest &request, llvm::raw_ostream &errors);

/// The version that --version prints.
llvm::StringRef getVersion();

} // namespace tern

#endif // TERN_DRIVER_COMPILER_H
