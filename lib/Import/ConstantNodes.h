//===- ConstantNodes.h - Constant nodes as initializers ---------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_CONSTANTNODES_H
#define TERN_LIB_IMPORT_CONSTANTNODES_H

#include "ModelFile.h"

namespace tern::importer {

/// Turns every `Constant` node of a verified graph into an initializer named
/// like its output, so that only one kind of constant is left. Drops inputs of
/// the graph that are initialized: such an initializer is a default value, and
/// the compiled model has no way to override it. Emits an error for a constant
/// that is no dense tensor.
mlir::LogicalResult makeInitializers(ModelFile &file);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_CONSTANTNODES_H
