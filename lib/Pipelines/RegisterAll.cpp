//===- RegisterAll.cpp - dialects and passes for every tool ---------------===//

#include "tern/RegisterAll.h"

#include "tern/Conversion/Passes.h"
#include "tern/Dialect/Onnx/IR/Onnx.h"
#include "tern/Dialect/Onnx/Transforms/Passes.h"
#include "tern/Dialect/Ternary/IR/Ternary.h"
#include "tern/Dialect/Ternary/Transforms/Interfaces.h"
#include "tern/Dialect/Ternary/Transforms/Passes.h"
#include "tern/Pipelines/Pipelines.h"
#include "tern/Transforms/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

void tern::registerDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  registry.insert<onnx::OnnxDialect, ternary::TernaryDialect>();
  ternary::registerTernaryInterfaces(registry);
}

void tern::registerPasses() {
  mlir::registerAllPasses();
  registerTernConversionPasses();
  registerTernTransformsPasses();
  registerPipelines();
  onnx::registerTernOnnxPasses();
  ternary::registerTernTernaryPasses();
}
