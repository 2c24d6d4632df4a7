//===- ModelFile.h - an ONNX model in memory --------------------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_MODELFILE_H
#define TERN_LIB_IMPORT_MODELFILE_H

#include "ExternalData.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"

#include <onnx/onnx_pb.h>

#include <memory>
#include <string>
#include <unordered_map>

namespace tern::importer {

// Inside `tern`, a plain `onnx::` would mean our dialect.
namespace onnxlib = ::onnx;

/// The version of each imported domain. ONNX's own domain is the empty string,
/// never its alias "ai.onnx".
using OpsetMap = std::unordered_map<std::string, int>;

/// The domain and two colons before the operator's name, or the name alone in
/// ONNX's own domain: the `kind` of an `onnx.node`.
std::string getOperatorName(const onnxlib::NodeProto &node);

/// The name of a node, or of its first output where it has none.
const std::string &getNodeName(const onnxlib::NodeProto &node);

/// A parsed model, with the locations that its diagnostics carry.
class ModelFile {
public:
  /// Reads the model at `path`. Checks the versions that it asks for, and
  /// spells ONNX's own domain as the empty string everywhere. Initializers of
  /// more than `maxCopiedBytes` bytes stay in the file where they can. Returns
  /// null after emitting an error.
  static std::unique_ptr<ModelFile>
  load(llvm::StringRef path, mlir::MLIRContext &context, size_t maxCopiedBytes);

  onnxlib::ModelProto &getModel() { return model; }
  onnxlib::GraphProto &getGraph() { return *model.mutable_graph(); }
  const onnxlib::GraphProto &getGraph() const { return model.graph(); }
  llvm::StringRef getPath() const { return path; }
  /// The file itself, mapped.
  const std::shared_ptr<llvm::MemoryBuffer> &getBuffer() const {
    return buffer;
  }
  /// Where the data of `tensor` lies in the file, if it was not copied.
  std::optional<FileSlice>
  findInlineData(const onnxlib::TensorProto &tensor) const;
  mlir::MLIRContext &getContext() const { return *location.getContext(); }

  const OpsetMap &getOpsets() const { return opsets; }
  /// The imported version of `domain`, or 0.
  int getOpset(const std::string &domain) const;
  /// Imports `domain`, which is not yet imported.
  void addOpset(const std::string &domain, int version);

  /// The location of the file.
  mlir::Location getLoc() const { return location; }
  /// The location of a node or value called `name`.
  mlir::Location getLoc(llvm::StringRef name) const;
  /// The location of `node`: its name, or that of its first output.
  mlir::Location getLoc(const onnxlib::NodeProto &node) const;

  /// Starts an error about the whole model.
  mlir::InFlightDiagnostic emitError() const;
  /// Starts an error about `node`: "node 'name' (Operator, opset 20): ".
  mlir::InFlightDiagnostic emitError(const onnxlib::NodeProto &node) const;
  /// Starts an error about a tensor: "tensor 'name': ".
  mlir::InFlightDiagnostic emitTensorError(llvm::StringRef name) const;

private:
  ModelFile(llvm::StringRef path, mlir::MLIRContext &context);

  mlir::LogicalResult parse(size_t maxCopiedBytes);
  mlir::LogicalResult parseBytes(size_t maxCopiedBytes);
  mlir::LogicalResult readOpsets();
  void normalizeDomains();

  std::string path;
  mlir::Location location;
  std::shared_ptr<llvm::MemoryBuffer> buffer;
  onnxlib::ModelProto model;
  /// Data that is in `buffer` but not in `model`.
  std::unordered_map<const onnxlib::TensorProto *, llvm::ArrayRef<char>>
      inlineData;
  OpsetMap opsets;
};

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_MODELFILE_H
