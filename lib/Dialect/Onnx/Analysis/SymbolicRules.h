//===- SymbolicRules.h - what the rules for operators share -----*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_ANALYSIS_SYMBOLICRULES_H
#define TERN_LIB_DIALECT_ONNX_ANALYSIS_SYMBOLICRULES_H

#include "SymbolicQuery.h"

namespace tern::onnx {

/// The dimension of the input that each dimension of a Transpose's result is;
/// the identity where the attribute is no permutation.
llvm::SmallVector<int64_t> getPermutation(NodeOp node, int64_t rank);

/// The axes of Squeeze and Unsqueeze, an input or (up to opset 12) an
/// attribute, counted from the front of `rank` dimensions; nullopt where they
/// are not known.
std::optional<llvm::SmallVector<int64_t>> getAxes(SymbolicQuery &query,
                                                  NodeOp node, int64_t rank);

/// An integer in symbols as a value of `type`; nullopt where `type` has no such
/// value for some sizes, so that it would wrap around or be rounded: what is
/// taken for granted is that sizes up to 2^20 fit 32 bits.
MaybeElement getExact(SymbolicQuery &query, const Polynomial &integer,
                      mlir::Type type);

/// What a Slice takes of one dimension.
struct SliceRange {
  int64_t axis;
  Polynomial start, step;
  /// Where it ends; invalid where that cannot be told, or `isClamped` where it
  /// is the lesser of `end` and the dimension.
  std::optional<Polynomial> end;
  bool isClamped = false;
};
/// The dimensions that a Slice cuts; nullopt where starts, axes or steps are
/// not known, or steps are negative.
std::optional<llvm::SmallVector<SliceRange>>
getSliceRanges(SymbolicQuery &query, NodeOp node);

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_ANALYSIS_SYMBOLICRULES_H
