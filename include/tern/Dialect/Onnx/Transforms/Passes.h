//===- Passes.h - passes over the onnx dialect -----------------*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_TRANSFORMS_PASSES_H
#define TERN_DIALECT_ONNX_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace tern::onnx {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tern/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace tern::onnx

#endif // TERN_DIALECT_ONNX_TRANSFORMS_PASSES_H
