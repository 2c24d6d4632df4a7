//===- HostileModel.cpp - a fuzzer's input as a model file ----------------===//

#include "HostileModel.h"

#include "ModelMutator.h"

#include "tern/Import/OnnxImporter.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <onnx/onnx_pb.h>

#include <cstdlib>

using namespace llvm;

// libFuzzer's interface, which has no header for these two.
extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed);

namespace {

/// A folder of this process for a model and its external data.
class ModelFolder {
public:
  ModelFolder() {
    if (sys::fs::createUniqueDirectory("tern-fuzz", path))
      std::abort();
    SmallString<0> zeros;
    zeros.resize(4096);
    write("w.bin", zeros);
  }
  ~ModelFolder() { sys::fs::remove_directories(path); }

  std::string write(StringRef name, StringRef bytes) {
    SmallString<128> file = path;
    sys::path::append(file, name);
    std::error_code error;
    raw_fd_ostream os(file, error);
    if (error)
      std::abort();
    os << bytes;
    return std::string(file);
  }

private:
  SmallString<128> path;
};

} // namespace

void tern::fuzz::importHostileModel(
    const uint8_t *data, size_t size, mlir::MLIRContext &context,
    std::function<mlir::LogicalResult(mlir::ModuleOp)> use) {
  static ModelFolder folder;
  std::string file = folder.write(
      "model.onnx", StringRef(reinterpret_cast<const char *>(data), size));
  bool hasError = false;
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        // Renders the message: names may be of any bytes.
        std::string text = diagnostic.str();
        hasError |= diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
        return mlir::success();
      });
  mlir::OwningOpRef<mlir::ModuleOp> module = importOnnx(file, context);
  bool isDone = module && mlir::succeeded(use(*module));
  if (isDone == hasError)
    std::abort();
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  ::onnx::ModelProto model;
  // Now and then the bytes themselves, for what no parser accepts.
  if (seed % 8 == 0 || !model.ParseFromArray(data, static_cast<int>(size)))
    return LLVMFuzzerMutate(data, size, maxSize);
  tern::fuzz::ModelMutator(seed).mutate(model);
  std::string bytes = model.SerializeAsString();
  if (bytes.size() > maxSize)
    return LLVMFuzzerMutate(data, size, maxSize);
  llvm::copy(bytes, data);
  return bytes.size();
}
