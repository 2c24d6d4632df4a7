//===- Ternary.h - the ternary dialect --------------------------*- C++ -*-===//
#ifndef TERN_DIALECT_TERNARY_IR_TERNARY_H
#define TERN_DIALECT_TERNARY_IR_TERNARY_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <optional>

#include "tern/Dialect/Ternary/IR/TernaryDialect.h.inc"
#include "tern/Dialect/Ternary/IR/TernaryEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "tern/Dialect/Ternary/IR/TernaryAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "tern/Dialect/Ternary/IR/TernaryTypes.h.inc"

#define GET_OP_CLASSES
#include "tern/Dialect/Ternary/IR/TernaryOps.h.inc"

namespace tern::ternary {
/// The metadata, a string, of a fused location: the operation does what was
/// done at each of the locations, in their order.
constexpr llvm::StringLiteral kMergedProducts = "ternary.merged_products";
} // namespace tern::ternary

#endif // TERN_DIALECT_TERNARY_IR_TERNARY_H
