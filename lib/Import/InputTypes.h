//===- InputTypes.h - a node's input types against its schema ---*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_INPUTTYPES_H
#define TERN_LIB_IMPORT_INPUTTYPES_H

#include "ModelFile.h"

#include "llvm/ADT/ArrayRef.h"

#include <onnx/defs/schema.h>

namespace tern::importer {

/// Checks that each input of `node`, an operator of `schema`, holds elements
/// that the operator takes, and that inputs for which the schema has one type
/// variable hold the same. `inputs` has the type of each, null where unknown or
/// omitted. Emits an error where not.
///
/// Looser than ONNX where a file's meaning is clear all the same: exporters
/// call bytes signed here and unsigned there, sizes and places are of any
/// integers, one kind of float will do for another, and types may be those
/// which only a later version of the operator takes.
mlir::LogicalResult
verifyInputTypes(const ModelFile &file, const onnxlib::NodeProto &node,
                 const onnxlib::OpSchema &schema,
                 llvm::ArrayRef<const onnxlib::TypeProto *> inputs);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_INPUTTYPES_H
