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

def MergeProducts : Pass<"ternary-merge-products", "::mlir::ModuleOp"> {
  let summary = "Make one product of those that multiply the same activations";
  let description = [{
    Products of a block that multiply the same activations by constant
    weights become one, by the rows of all weights, one under the other; what
    the products gave are slices of its result.

    ```mlir
    %k = ternary.matmul %x, %wk : …         // 640 rows
    %q = ternary.matmul %x, %wq : …         // 2560 rows
    ```
    becomes
    ```mlir
    %w = ternary.stack %wk, %wq : …
    %y = ternary.matmul %x, %w : …
    %k = tensor.extract_slice %y[0, 0] [%m, 640] [1, 1] : …
    %q = tensor.extract_slice %y[0, 640] [%m, 2560] [1, 1] : …
    ```

    The location of the product is fused of those of the products that it
    replaces, and says so (`kMergedProducts`). Weights in a resource that
    elsewhere stand alone, or among others, stay, with all that would be merged
    with them: they would be stored twice.

    Ensures: bit-identical results.
  }];
  let dependentDialects = ["::tern::ternary::TernaryDialect", "::mlir::tensor::TensorDialect"];
}

def PackWeights : Pass<"ternary-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Lay constant ternary weights out in tiles";
  let description = [{
    Rewrites each `ternary.matmul` of constants, stacked or not, to a
    `ternary.packed_matmul` on weights packed at compile time, with padding and
    slicing around it where the shape is no multiple of the tile. Activations
    of i8 of more than 64 columns get rows of an odd number of lines of 64 bytes, of
    which the product reads a slice: no vector lies across two lines, and rows
    do not share places of a cache.

    With the encoding `auto`, that of each matrix is chosen by an estimate of
    the cycles that one token takes on each of `targets`, which all read the
    same bytes: see `LayoutChoice.h`. Products of floats take `i2`, since their
    additions take longer than 2 bits from memory. The remark `packed`, of category
    `tern-pack`, tells why.

    Ensures: the same integers; floats are added in the order of the columns,
    which was unspecified.
  }];
  let options = [
    Option<"encoding", "encoding", "std::string", /*default=*/"\"i2\"",
           "Codes of a byte: i2 (4), t5 (5) or auto">,
    ListOption<"targets", "targets", "std::string",
               "Targets of convert-ternary-to-vector that auto is to serve">,
    Option<"cacheBytes", "cache-bytes", "int64_t", /*default=*/"33554432",
           "Weights of a module, in bytes at two bits, that stay in a cache "
           "from token to token">,
    Option<"tile", "tile", "int64_t", /*default=*/"16", "Rows of a tile">];
  let dependentDialects = ["::tern::ternary::TernaryDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect"];
}

def ScreenHead : Pass<"ternary-screen-head", "::mlir::ModuleOp"> {
  let summary = "Read a fraction of the head for the best logits";
  let description = [{
    Finds the head of `step`: the product of the hidden state of the last tokens
    and a constant matrix, stored row by row, that gives the logits. Where they
    are one token's, a `ternary.head` computes them, and the memory that the layers
    needed for a prompt is given back before; where they are several tokens', the product stays.

    With the modes `screened`, and `auto` for matrices of at least `min-bytes`,
    the head gets a screen (but for more than 2^17 columns, of which sums might not
    fit 32 bits), and `step` another argument behind the number of
    logits: how many of the best are wanted, 0 for all. With the mode `exact` the
    same operation reads all rows.

    ```mlir
    %r = scf.if %is_one {
      scf.if %is_prompt { ternary.trim }
      %y = ternary.head ins(%x, %w, %best : …) screen(%c, %b : …) outs(%init : …) -> …
      …
    } else {
      linalg.generic …   // as before
    }
    ```

    What became of the head is said by the module's attribute `ternary.head`.

    Requires: `step` as `onnx-derive-step` builds it.
    Ensures: the same logits for one token, bit for bit, in every mode; those
    that are not among the best may be -inf if fewer than all are wanted.
  }];
  let options = [
    Option<"mode", "mode", "std::string", /*default=*/"\"auto\"",
           "auto, exact or screened">,
    Option<"minBytes", "min-bytes", "uint64_t", /*default=*/"33554432",
           "With auto, matrices of fewer bytes get no screen">];
  let dependentDialects = ["::tern::ternary::TernaryDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect"];
}

#endif // TERN_DIALECT_TERNARY_TRANSFORMS_PASSES_TD
