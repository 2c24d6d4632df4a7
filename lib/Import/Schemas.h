//===- Schemas.h - the operators that ONNX defines --------------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_SCHEMAS_H
#define TERN_LIB_IMPORT_SCHEMAS_H

#include "ModelFile.h"

#include <onnx/defs/schema.h>

namespace tern::importer {

/// The schema of the operator of `node` in version `opset` of its domain, or
/// null where ONNX knows none or has withdrawn it.
const onnxlib::OpSchema *getSchema(const onnxlib::NodeProto &node, int opset);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_SCHEMAS_H
