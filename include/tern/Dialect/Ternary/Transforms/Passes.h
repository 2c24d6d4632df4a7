//===- Passes.h - passes over the ternary dialect -----------------*- C++
//-*-===//
#ifndef TERN_DIALECT_TERNARY_TRANSFORMS_PASSES_H
#define TERN_DIALECT_TERNARY_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace tern::ternary {
/// On a module: what its head became, in words, for reports.
constexpr llvm::StringLiteral kHeadAttr = "ternary.head";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tern/Dialect/Ternary/Transforms/Passes.h.inc"
} // namespace tern::ternary

#endif // TERN_DIALECT_TERNARY_TRANSFORMS_PASSES_H
