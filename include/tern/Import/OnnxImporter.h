//===- OnnxImporter.h - from an ONNX file to the onnx dialect ---*- C++ -*-===//
#ifndef TERN_IMPORT_ONNXIMPORTER_H
#define TERN_IMPORT_ONNXIMPORTER_H

#include "tern/Import/MappedFiles.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace tern {

/// How `importOnnx` represents what it reads.
struct ImportOptions {
  /// Constants of at most this many bytes (as stored in the file) become dense
  /// attributes; larger ones become resources over the file's own memory.
  size_t maxDenseBytes = 1024;
};

/// Imports the ONNX model at `path` as one `func.func @main` of `onnx` dialect
/// operations: see the description of the dialect for the form.
///
/// Model-local functions are inlined, `Constant` nodes and initializers become
/// `onnx.constant`, types are inferred, values that no output needs are
/// dropped. Resources refer to memory that lives as long as `context`; if it is
/// that of a file, the file is added to `mapped`, where one is given.
///
/// Returns null after emitting an error that names the file (its location) and
/// the node, operator, opset, or tensor at fault. Never throws; allocates no
/// more than a multiple of what the file holds, whatever it claims.
///
/// Source: ONNX 1.23, IR.md and Versioning.md.
mlir::OwningOpRef<mlir::ModuleOp> importOnnx(llvm::StringRef path,
                                             mlir::MLIRContext &context,
                                             const ImportOptions &options = {},
                                             MappedFiles *mapped = nullptr);

} // namespace tern

#endif // TERN_IMPORT_ONNXIMPORTER_H
