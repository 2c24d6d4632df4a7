//===- GraphAssumptions.h - what holds of a graph's inputs ------*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_ANALYSIS_GRAPHASSUMPTIONS_H
#define TERN_DIALECT_ONNX_ANALYSIS_GRAPHASSUMPTIONS_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>

namespace tern::onnx {

/// What a caller knows of a graph's values and the graph does not say. Symbolic
/// dimensions of the same name (`onnx.dims`) are equal in any case: the runtime
/// checks them.
struct GraphAssumptions {
  /// The dimension that counts the positions of the past.
  struct Past {
    mlir::Value cache;
    int64_t axis = 0;
  };

  /// Integer values whose elements are all 1: an attention mask without
  /// padding.
  llvm::SmallVector<mlir::Value> ones;
  /// Integer values [batch, sequence] whose element [b, s] is `s` plus the
  /// length of the past: positions of sequences that go on without a gap.
  llvm::SmallVector<mlir::Value> positions;
  /// Where that length stands; without a cache it is 0.
  Past past;
};

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_ANALYSIS_GRAPHASSUMPTIONS_H
