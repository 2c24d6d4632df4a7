//===- ModelSpecBuilder.h - what the runtime is told of a model -*- C++ -*-===//
#ifndef TERN_DRIVER_MODELSPECBUILDER_H
#define TERN_DRIVER_MODELSPECBUILDER_H

#include "tern/Target/ModelDescriptor.h"

#include "mlir/IR/BuiltinOps.h"

namespace tern {

/// Reads inputs, outputs and metadata off an imported module. Fails with a
/// diagnostic where an input or output has a type that the ABI cannot express.
mlir::FailureOr<ModelSpec> readInterface(mlir::ModuleOp module);

/// Adds what raising decided: whether the model generates text, the length of
/// its context, and how its cache travels. `imported` holds the roles of the
/// arguments, `raised` the function `step`, if one was derived; `context` is
/// the length that the user asks for, 0 if none.
void addLanguageModel(ModelSpec &spec, mlir::ModuleOp imported,
                      mlir::ModuleOp raised, int64_t context);

/// Adds which weights of a bufferized module are fetched row by row.
void addFetched(ModelSpec &spec, mlir::ModuleOp bufferized);

} // namespace tern

#endif // TERN_DRIVER_MODELSPECBUILDER_H
