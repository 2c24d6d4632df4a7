//===- Passes.td - passes over the onnx dialect -----------*- tablegen -*-===//

#ifndef TERN_DIALECT_ONNX_TRANSFORMS_PASSES_TD
#define TERN_DIALECT_ONNX_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def FoldConstants : Pass<"onnx-fold-constants", "::mlir::func::FuncOp"> {
  let summary = "Evaluate ONNX nodes whose inputs are constant";
  let description = [{
    Replaces every node whose inputs are all constant by an `onnx.constant` of
    its value, evaluated as the ONNX specification defines the operator.

    Ensures: bit-identical integer results; float results as the f32 operation
    gives them. A node that the evaluator does not know stays.
  }];
}

#endif // TERN_DIALECT_ONNX_TRANSFORMS_PASSES_TD
