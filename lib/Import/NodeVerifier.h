//===- NodeVerifier.h - a node against its operator's schema ----*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_NODEVERIFIER_H
#define TERN_LIB_IMPORT_NODEVERIFIER_H

#include "ModelFile.h"

namespace tern::importer {

/// Checks that the domain of `node` is imported and, where the operator is
/// known, that its inputs, outputs and attributes are those of the operator's
/// schema; of onnxruntime's operators, that those operands are there that every
/// version asks for (docs/ContribOperators.md of onnxruntime 1.31). Emits an
/// error where not.
mlir::LogicalResult verifyNode(const ModelFile &file,
                               const onnxlib::NodeProto &node);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_NODEVERIFIER_H
