//===- TypeInference.h - the types of a graph's values ----------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_TYPEINFERENCE_H
#define TERN_LIB_IMPORT_TYPEINFERENCE_H

#include "ModelFile.h"

#include "mlir/Support/LLVM.h"

namespace tern::importer {

/// The ONNX type of each value by name; none where nothing is known of it.
using TypeMap = std::unordered_map<std::string, onnxlib::TypeProto>;

/// Derives the types of all values of a verified graph from the types of its
/// inputs and initializers, with ONNX's inference functions. What the file
/// declares of inner values and outputs fills the gaps: unknown operators and
/// dimensions. Where it contradicts what is derived, the latter holds, since
/// exporters do declare wrong types. Fails after emitting an error where a
/// value would have more dimensions than any tensor has.
mlir::FailureOr<TypeMap> inferTypes(ModelFile &file);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_TYPEINFERENCE_H
