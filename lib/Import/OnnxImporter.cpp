//===- OnnxImporter.cpp - from an ONNX file to the onnx dialect -----------===//

#include "tern/Import/OnnxImporter.h"

#include "ConstantNodes.h"
#include "ConstantVerifier.h"
#include "FunctionInliner.h"
#include "GraphBuilder.h"
#include "GraphVerifier.h"
#include "ModelFile.h"
#include "TensorReader.h"
#include "TypeInference.h"

#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace tern::importer;

OwningOpRef<ModuleOp> tern::importOnnx(StringRef path, MLIRContext &context,
                                       const ImportOptions &options,
                                       MappedFiles *mapped) {
  context.loadDialect<tern::onnx::OnnxDialect, func::FuncDialect>();
  std::unique_ptr<ModelFile> file =
      ModelFile::load(path, context, options.maxDenseBytes);
  if (!file || failed(inlineFunctions(*file)) || failed(verifyGraph(*file)) ||
      failed(makeInitializers(*file)))
    return nullptr;

  TensorReader reader(*file, options);
  for (auto &tensor : *file->getGraph().mutable_initializer())
    if (failed(reader.prepare(tensor, tensor.name())))
      return nullptr;
  if (failed(verifyConstants(*file, reader)))
    return nullptr;
  FailureOr<TypeMap> types = inferTypes(*file);
  if (failed(types))
    return nullptr;
  OwningOpRef<ModuleOp> module = buildModule(*file, *types, reader);
  if (!module || failed(verify(*module)))
    return nullptr;
  if (mapped)
    reader.addFiles(*mapped);
  return module;
}
