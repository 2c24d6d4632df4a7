//===- GraphVerifier.h - is the graph well formed? --------------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_GRAPHVERIFIER_H
#define TERN_LIB_IMPORT_GRAPHVERIFIER_H

#include "ModelFile.h"

namespace tern::importer {

/// Checks, after inlining, that every value has one name and is defined once,
/// before its uses, that every node's domain is imported, and that nodes of
/// known operators have the inputs, outputs and attributes of their schema.
/// Emits an error where not. Types and tensor data are not its concern.
///
/// ONNX's own checker makes most of these checks, but its messages name neither
/// operator nor version, and it refuses unknown operators.
mlir::LogicalResult verifyGraph(ModelFile &file);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_GRAPHVERIFIER_H
