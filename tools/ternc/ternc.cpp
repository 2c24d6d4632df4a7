//===- ternc.cpp - the compiler's command line ----------------------------===//

#include "tern/Driver/Compiler.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace tern;

/// Declares the options of `request` on `app`.
/// One of some words, each of which stands for a value.
template <typename T>
static CLI::Validator oneOf(std::vector<std::pair<std::string, T>> choices) {
  auto translate = [choices = std::move(choices)](std::string &word) {
    std::string expected;
    for (const auto &[name, value] : choices) {
      if (word == name) {
        // CLI11 reads enumerations as numbers.
        word = std::to_string(static_cast<int>(value));
        return std::string();
      }
      expected += (expected.empty() ? "" : ", ") + name;
    }
    return "found '" + word + "'; expected one of " + expected;
  };
  return CLI::Validator(translate, /*validator_desc=*/"");
}

static void declareOptions(CLI::App &app, CompileRequest &request) {
  app.add_option("MODEL", request.model, "The model, an .onnx file")
      ->required();
  app.add_option("-o,--output", request.output,
                 "The file to write; - for text forms on standard output")
      ->required();
  app.add_option("--tokenizer", request.tokenizer,
                 "tokenizer.json [default: the one beside the model]");
  app.add_option("--emit", request.form,
                 "exe, lib (OUT.so and OUT.h), obj, asm, llvm or mlir")
      ->transform(oneOf<OutputForm>({{"exe", OutputForm::Executable},
                                     {"lib", OutputForm::Library},
                                     {"obj", OutputForm::Object},
                                     {"asm", OutputForm::Assembly},
                                     {"llvm", OutputForm::LLVMIR},
                                     {"mlir", OutputForm::MLIR}}))
      ->type_name("FORM")
      ->default_str("exe");
  app.add_option_function<Stage>(
         "--stop-after", [&](const Stage &stage) { request.stopAfter = stage; },
         "Print the module after import, raise, optimize, pack, lower or llvm")
      ->transform(oneOf<Stage>({{"import", Stage::Import},
                                {"raise", Stage::Raise},
                                {"optimize", Stage::Optimize},
                                {"pack", Stage::Pack},
                                {"lower", Stage::Lower},
                                {"llvm", Stage::LLVM}}))
      ->type_name("STAGE");
  app.add_option("--cpu", request.cpu,
                 "CPU to compile for: all, native, generic, x86-64-v2, "
                 "x86-64-v3, x86-64-v4, …")
      ->default_str("all");
  app.add_option("--target", request.triple,
                 "Target triple [default: this machine's]");
  app.add_option("--context", request.context,
                 "Positions of the KV cache [default: as the model says]")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 24));
  app.add_option("--kv-cache", request.kvCache,
                 "KV cache: model (as the graph computes it), or f16 or i8 "
                 "(less memory, and faster after long texts)")
      ->check(CLI::IsMember({"model", "f16", "i8"}))
      ->default_str("model");
  app.add_option("--layout", request.encoding,
                 "Packed weights: auto, i2 (2 bits) or t5 (1.6 bits)")
      ->check(CLI::IsMember({"auto", "i2", "t5"}))
      ->default_str("auto");
  app.add_option_function<std::string>(
         "--lowering",
         [&](const std::string &value) {
           request.portable = value == "portable";
         },
         "auto, or portable: add/sub loops, the reference")
      ->check(CLI::IsMember({"auto", "portable"}));
  app.add_option("--head", request.head,
                 "Head of a text model: screened (where only the best logits "
                 "are wanted, the others are ruled out by a coarse copy of "
                 "it), exact, or auto: by its size")
      ->check(CLI::IsMember({"auto", "exact", "screened"}))
      ->default_str("auto");
  app.add_flag("--report{text}", request.report,
               "Print what became of each layer on standard error; =json as "
               "one line of JSON")
      ->transform(oneOf<ReportForm>(
          {{"text", ReportForm::Text}, {"json", ReportForm::Json}}))
      ->type_name("");
  app.add_flag("--require-ternary", request.requireTernary,
               "Refuse a model with float layers, the head of a text model "
               "aside");
  app.add_flag("--verbose", request.verbose,
               "Print the time of each step, and the most memory so far, on "
               "standard error");
}

/// The folder of the runtime's archives: beside ternc's own, as built.
static std::string findRuntime(const char *program) {
  std::string self = llvm::sys::fs::getMainExecutable(
      program, reinterpret_cast<void *>(&findRuntime));
  llvm::SmallString<128> path =
      llvm::sys::path::parent_path(llvm::sys::path::parent_path(self));
  llvm::sys::path::append(path, "lib");
  return path.str().str();
}

int main(int argc, char **argv) {
  CLI::App app("Compiles a ternary language model from ONNX to a native "
               "executable.",
               "ternc");
  CompileRequest request;
  app.set_version_flag("--version", ("ternc " + getVersion()).str());
  declareOptions(app, request);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(ExitCode::BadCommandLine);
  }
  if (request.output.empty()) {
    llvm::errs()
        << "ternc: error: the output's name is empty; expected a file, "
           "or - for text forms\n";
    return static_cast<int>(ExitCode::BadCommandLine);
  }
  bool isText = request.stopAfter || request.form == OutputForm::Assembly ||
                request.form == OutputForm::LLVMIR ||
                request.form == OutputForm::MLIR;
  if (request.output == "-" && !isText) {
    llvm::errs() << "ternc: error: '-o -' prints text forms only; name a file, "
                    "or use --emit=asm, llvm or mlir, or --stop-after\n";
    return static_cast<int>(ExitCode::BadCommandLine);
  }
  request.runtimeDir = findRuntime(argv[0]);
  request.abiHeader = TERN_ABI_HEADER;
  return static_cast<int>(compile(request, llvm::errs()));
}
