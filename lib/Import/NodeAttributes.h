//===- NodeAttributes.h - the attributes of a node --------------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_NODEATTRIBUTES_H
#define TERN_LIB_IMPORT_NODEATTRIBUTES_H

#include "ModelFile.h"
#include "TensorReader.h"

#include "mlir/IR/BuiltinAttributes.h"

namespace tern::importer {

/// The attributes of `node`, in the form that `onnx.node` describes. Takes the
/// data of tensors out of `node`. Fails after emitting an error.
mlir::FailureOr<mlir::DictionaryAttr>
convertAttributes(const ModelFile &file, onnxlib::NodeProto &node,
                  TensorReader &reader);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_NODEATTRIBUTES_H
