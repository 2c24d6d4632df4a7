//===- TableLimit.h - how many positions tables have ------------*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_TRANSFORMS_TABLELIMIT_H
#define TERN_LIB_DIALECT_ONNX_TRANSFORMS_TABLELIMIT_H

#include "tern/Dialect/Onnx/Analysis/LanguageModel.h"

namespace tern::onnx {

/// The table of a row for each position that has the fewest.
struct TableLimit {
  mlir::Location location; ///< of the node that reads it
  std::string reader;      ///< the node's operator
  int64_t positions;       ///< 1 or more
};

/// Finds it: learned positions, or cosines and sines, that `graph`, which is
/// `model`, looks up by position or cuts to the sequence's length. Nullopt
/// where there is none.
std::optional<TableLimit> findTableLimit(mlir::func::FuncOp graph,
                                         const LanguageModel &model);

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_TRANSFORMS_TABLELIMIT_H
