//===- HeadMatching.h - finds the head of a language model --------*- C++
//-*-===//
#ifndef TERN_LIB_DIALECT_TERNARY_TRANSFORMS_HEADMATCHING_H
#define TERN_LIB_DIALECT_TERNARY_TRANSFORMS_HEADMATCHING_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>
#include <string>

namespace tern::ternary {

/// The product of hidden states and a constant that gives the logits.
struct HeadMatch {
  mlir::linalg::GenericOp product;
  mlir::Value x;    ///< [..., K], floats of at most 32 bits
  mlir::Value rows; ///< [N, K], a constant
  mlir::ElementsAttr constant;
  bool isRounded = false; ///< logits are rounded to bf16 on their way
};

/// Finds the head of `step`, whose first result are the logits. Returns what is
/// in the way, if anything.
std::optional<std::string> matchHead(mlir::func::FuncOp step, HeadMatch &match);

} // namespace tern::ternary

#endif // TERN_LIB_DIALECT_TERNARY_TRANSFORMS_HEADMATCHING_H
