//===- ContribTypes.h - types of onnxruntime's operators --------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_CONTRIBTYPES_H
#define TERN_LIB_IMPORT_CONTRIBTYPES_H

#include "ModelFile.h"

#include "llvm/ADT/ArrayRef.h"

#include <vector>

namespace tern::importer {

/// Derives output types of the onnxruntime operators that language models
/// contain, for which ONNX has no schema: MatMulNBits, GroupQueryAttention,
/// MultiHeadAttention, SimplifiedLayerNormalization,
/// SkipSimplifiedLayerNormalization. `inputs` holds the input types, null where
/// unknown or omitted. Sets those `outputs` (one for each output of `node`)
/// that it can.
///
/// Source: onnxruntime 1.31, docs/ContribOperators.md.
void inferContribTypes(const onnxlib::NodeProto &node,
                       llvm::ArrayRef<const onnxlib::TypeProto *> inputs,
                       std::vector<onnxlib::TypeProto> &outputs);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_CONTRIBTYPES_H
