//===- Passes.h - conversions between dialects ------------------*- C++ -*-===//
#ifndef TERN_CONVERSION_PASSES_H
#define TERN_CONVERSION_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>
#include <string>

namespace tern {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tern/Conversion/Passes.h.inc"
} // namespace tern

#endif // TERN_CONVERSION_PASSES_H
