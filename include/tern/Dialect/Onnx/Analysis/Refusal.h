//===- Refusal.h - why a proof or a rewrite failed --------------*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_ANALYSIS_REFUSAL_H
#define TERN_DIALECT_ONNX_ANALYSIS_REFUSAL_H

#include "mlir/IR/Location.h"

#include <string>

namespace tern::onnx {

/// Why something cannot be done, and where: for a message to the user.
struct Refusal {
  mlir::Location location;
  std::string reason;
};

} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_ANALYSIS_REFUSAL_H
