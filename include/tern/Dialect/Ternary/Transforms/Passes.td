//===- Passes.td - passes over the ternary dialect -----------*- tablegen -*-===//

#ifndef TERN_DIALECT_TERNARY_TRANSFORMS_PASSES_TD
#define TERN_DIALECT_TERNARY_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def DecomposeBitLinear : Pass<"ternary-decompose-bit-linear", "::mlir::func::FuncOp"> {
  let summary = "Turn layers into quantise, multiply and rescale";
  let description = [{
    Ensures: no `ternary.bit_linear` is left. Layers that quantise the same
    activations by the same rule share one `ternary.quantize`.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect"];
}

def PackWeights : Pass<"ternary-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Lay constant ternary weights out in tiles";
  let description = [{
    Rewrites each exact `ternary.matmul` to a `ternary.packed_matmul` on
    weights packed at compile time, with padding and slicing around it where
    the shape is no multiple of the tile.

    Ensures: bit-identical results.
  }];
  let options = [
    Option<"encoding", "encoding", "std::string", /*default=*/"\"i2\"",
           "Codes of a byte: i2 (4) or t5 (5)">,
    Option<"tile", "tile", "int64_t", /*default=*/"16", "Rows of a tile">];
  let dependentDialects = ["::tern::ternary::TernaryDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect"];
}

#endif // TERN_DIALECT_TERNARY_TRANSFORMS_PASSES_TD
