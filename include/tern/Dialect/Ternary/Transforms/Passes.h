//===- Passes.h - passes over the ternary dialect -----------------*- C++
//-*-===//
#ifndef TERN_DIALECT_TERNARY_TRANSFORMS_PASSES_H
#define TERN_DIALECT_TERNARY_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <functional>
#include <memory>

namespace tern::ternary {
/// On a module: what its head became, in words, for reports.
constexpr llvm::StringLiteral kHeadAttr = "ternary.head";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tern/Dialect/Ternary/Transforms/Passes.h.inc"

/// ternary-screen-head that calls `forget`, which may be empty, each time it
/// has read some 64 MiB of the head: whoever mapped the file can drop its
/// pages.
std::unique_ptr<mlir::Pass> createScreenHead(ScreenHeadOptions options,
                                             std::function<void()> forget);
} // namespace tern::ternary

#endif // TERN_DIALECT_TERNARY_TRANSFORMS_PASSES_H
