//===- NodeBuilder.h - builds nodes in the place of others ------*- C++ -*-===//
#ifndef TERN_LIB_DIALECT_ONNX_TRANSFORMS_NODEBUILDER_H
#define TERN_LIB_DIALECT_ONNX_TRANSFORMS_NODEBUILDER_H

#include "tern/Dialect/Onnx/IR/Onnx.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace tern::onnx {

/// Builds before a node, at its location.
class NodeBuilder : public mlir::ImplicitLocOpBuilder {
public:
  explicit NodeBuilder(mlir::Operation *op)
      : ImplicitLocOpBuilder(op->getLoc(), op) {}

  /// The result of a node with one output.
  mlir::Value node(llvm::StringRef kind, mlir::Type type,
                   mlir::ValueRange inputs,
                   llvm::ArrayRef<mlir::NamedAttribute> attrs = {}) {
    return NodeOp::create(*this, mlir::TypeRange{type}, kind, inputs,
                          getDictionaryAttr(attrs))
        ->getResult(0);
  }
  /// A constant i64 [values.size()].
  mlir::Value ints(llvm::ArrayRef<int64_t> values) {
    return ConstantOp::create(*this, getI64TensorAttr(values));
  }
  /// An omitted input.
  mlir::Value none() { return NoneOp::create(*this, getNoneType()); }
};

} // namespace tern::onnx

#endif // TERN_LIB_DIALECT_ONNX_TRANSFORMS_NODEBUILDER_H
