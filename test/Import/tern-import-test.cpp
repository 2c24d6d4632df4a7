//===- tern-import-test.cpp - prints what the importer makes --------------===//
//
// Usage: tern-import-test MODEL.onnx [MAX_DENSE_BYTES] [print flags]
//
//===----------------------------------------------------------------------===//

#include "tern/Import/OnnxImporter.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/LogicalResult.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
  mlir::registerAsmPrinterCLOptions();
  llvm::cl::opt<std::string> model(llvm::cl::Positional, llvm::cl::Required,
                                   llvm::cl::desc("MODEL.onnx"));
  tern::ImportOptions options;
  llvm::cl::opt<size_t, /*ExternalStorage=*/true> maxDenseBytes(
      "max-dense-bytes", llvm::cl::location(options.maxDenseBytes),
      llvm::cl::init(options.maxDenseBytes),
      llvm::cl::desc("Largest constant kept as a dense attribute, in bytes"));
  llvm::cl::ParseCommandLineOptions(argc, argv, "Prints an imported model\n");

  mlir::MLIRContext context;
  auto module = tern::importOnnx(model, context, options);
  if (!module)
    return 1;
  module->print(llvm::outs());
  return 0;
}
