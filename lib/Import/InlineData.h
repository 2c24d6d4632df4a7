//===- InlineData.h - large tensors of a model file, in place ---*- C++ -*-===//
#ifndef TERN_LIB_IMPORT_INLINEDATA_H
#define TERN_LIB_IMPORT_INLINEDATA_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace tern::importer {

/// A serialised model without the bytes of its large initializers.
struct StrippedModel {
  /// A ModelProto like the original's, but for the `raw_data` of the
  /// initializers in `data`.
  std::string bytes;
  /// That data, within the original, by the index of the initializer.
  llvm::DenseMap<int, llvm::ArrayRef<char>> data;
};

/// Takes the `raw_data` of more than `minBytes` bytes out of the initializers
/// of a serialised ModelProto: parsing would copy it, and weights are most of a
/// model. Allocates no more than the rest of the file holds.
///
/// Only initializers of the plain form (a name, a type, dimensions, raw_data
/// once) are touched. Returns nullopt where there is none to take, and for
/// anything unusual or malformed, which is left to protobuf's parser.
///
/// Source: protobuf.dev/programming-guides/encoding; onnx.proto3 of ONNX 1.23.
std::optional<StrippedModel> stripInlineData(llvm::StringRef model,
                                             size_t minBytes);

} // namespace tern::importer

#endif // TERN_LIB_IMPORT_INLINEDATA_H
