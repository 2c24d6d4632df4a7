//===- GraphBuilder.h - from a verified graph to a module -------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_GRAPHBUILDER_H
#define TERN_LIB_IMPORT_GRAPHBUILDER_H

#include "ModelFile.h"
#include "TensorReader.h"
#include "TypeInference.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace tern::importer {

/// Builds the module of a verified graph without `Constant` nodes, whose
/// initializers are prepared. Takes the initializers' data out of `file`.
/// Returns null after emitting an error.
mlir::OwningOpRef<mlir::ModuleOp>
buildModule(ModelFile &file, const TypeMap &types, TensorReader &reader);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_GRAPHBUILDER_H
