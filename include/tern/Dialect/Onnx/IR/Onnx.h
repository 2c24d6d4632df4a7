//===- Onnx.h - the onnx dialect --------------------------------*- C++ -*-===//
#ifndef TERN_DIALECT_ONNX_IR_ONNX_H
#define TERN_DIALECT_ONNX_IR_ONNX_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <optional>

#include "tern/Dialect/Onnx/IR/OnnxDialect.h.inc"

#define GET_OP_CLASSES
#include "tern/Dialect/Onnx/IR/OnnxOps.h.inc"

#endif // TERN_DIALECT_ONNX_IR_ONNX_H
