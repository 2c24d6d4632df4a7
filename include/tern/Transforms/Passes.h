//===- Passes.h - passes over upstream dialects -----------------*- C++ -*-===//
#ifndef TERN_TRANSFORMS_PASSES_H
#define TERN_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>
#include <string>

namespace tern {
#define GEN_PASS_DECL
#include "tern/Transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "tern/Transforms/Passes.h.inc"

/// The discardable attribute of an externalised constant: its index in the
/// table `tern_weights`.
constexpr llvm::StringLiteral kWeightIndexAttr = "tern.weight";
/// Marks a constant of which a call reads few rows, each with `ternary.fetch`.
constexpr llvm::StringLiteral kFetchedAttr = "tern.fetched";
/// The external table of pointers to the model's large constants.
constexpr llvm::StringLiteral kWeightsTable = "tern_weights";
/// Marks a function that has the C interface of ModelABI.h.
constexpr llvm::StringLiteral kEntryAttr = "tern.entry";
/// Marks the allocation of a temporary, and its deallocation: the host's to
/// serve.
constexpr llvm::StringLiteral kTemporaryAttr = "tern.temporary";
/// Describes a loop as TernKernel of ModelABI.h does: a dictionary of `name`, a
/// string, and `bytes`, `macs` and `macs_per_token`, i64 (absent: unknown). On
/// an scf.parallel the name says what it is ("2560x6912 i2"); on the function
/// that it is outlined to, which nodes it computes as well.
constexpr llvm::StringLiteral kKernelAttr = "tern.kernel";
/// On an scf.parallel: into how many equal parts it cuts the constant that it
/// fetches ahead (but for a rest), all of which it reads at once, each from its
/// beginning.
constexpr llvm::StringLiteral kStreamsAttr = "tern.streams";
} // namespace tern

#endif // TERN_TRANSFORMS_PASSES_H
