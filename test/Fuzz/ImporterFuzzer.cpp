//===- ImporterFuzzer.cpp - hostile ONNX models ---------------------------===//
//
// Whatever a file holds, the importer either makes a module or reports an
// error.
//
//===----------------------------------------------------------------------===//

#include "HostileModel.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  tern::fuzz::importHostileModel(
      data, size, context, [](mlir::ModuleOp) { return mlir::success(); });
  return 0;
}
