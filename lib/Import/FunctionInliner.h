//===- FunctionInliner.h - model-local functions ----------------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_FUNCTIONINLINER_H
#define TERN_LIB_IMPORT_FUNCTIONINLINER_H

#include "ModelFile.h"

namespace tern::importer {

/// Replaces every call of a model-local function by the function's nodes.
/// Emits an error where functions call each other in a cycle, a call does not
/// match its function, a function needs another version of an operator than the
/// model imports, or a subgraph (If, Loop, Scan) stands in the way.
mlir::LogicalResult inlineFunctions(ModelFile &file);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_FUNCTIONINLINER_H
