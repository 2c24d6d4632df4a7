//===- TypedData.h - the typed fields of a TensorProto ----------*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_TYPEDDATA_H
#define TERN_LIB_IMPORT_TYPEDDATA_H

#include <onnx/onnx_pb.h>

#include <optional>
#include <string>

namespace tern::importer {

/// The width of one element of `dataType` in `raw_data`, in bits; 0 where the
/// importer knows no such type.
unsigned getStorageBits(int dataType);

/// Moves the elements of `tensor` from the field that its data type prescribes
/// (`float_data`, `int32_data`, …) to `raw_data`, where they are not already
/// there or in an external file. Returns what is wrong, or nothing.
///
/// Source: the comments of message TensorProto in onnx.proto.
std::optional<std::string> moveToRawData(::onnx::TensorProto &tensor);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_TYPEDDATA_H
