//===- RaiseFuzzer.cpp - hostile ONNX models, raised ----------------------===//
//
// As ImporterFuzzer, and on through the stage that evaluates constants, proves
// weights ternary and lowers every other node: the last that a model can be at
// fault for.
//
//===----------------------------------------------------------------------===//

#include "HostileModel.h"

#include "tern/Pipelines/Pipelines.h"
#include "tern/RegisterAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"

static mlir::LogicalResult raise(mlir::ModuleOp module) {
  mlir::PassManager pm(module.getContext());
  tern::buildRaisePipeline(pm, tern::PipelineOptions());
  return pm.run(module);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mlir::DialectRegistry registry;
  tern::registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  tern::fuzz::importHostileModel(data, size, context, raise);
  return 0;
}
