//===- Passes.td - passes over the onnx dialect -----------*- tablegen -*-===//

#ifndef TERN_DIALECT_ONNX_TRANSFORMS_PASSES_TD
#define TERN_DIALECT_ONNX_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def FoldConstants : Pass<"onnx-fold-constants", "::mlir::func::FuncOp"> {
  let summary = "Evaluate ONNX nodes whose inputs are constant";
  let description = [{
    Replaces every node whose inputs are all constant by an `onnx.constant` of
    its value, evaluated as the ONNX specification defines the operator (see
    `ConstantEvaluator` for the accumulation of sums). Only values that another
    node or the function's end reads are materialised.

    A value of more than `large-bytes` is not materialised where it only moves,
    widens or repeats a constant (Cast, Transpose, Reshape, Expand,
    DequantizeLinear, ...): a second copy of an embedding table costs more than
    the operation, which its consumer absorbs. What such a node reads is folded
    by the same rule.

    Nodes stay for which a value would be needed of more than `free-bytes` and 64 times
    the bytes of the constants that it is made from: a file of a hundred bytes can ask
    for terabytes of zeros. A remark of category `tern-raise` names the node whose value
    is too large, and the limit.

    Runs after `convert-onnx-to-ternary`, which needs the sub-graphs that
    produce weights.

    Ensures: bit-identical integer results; float results as the f32 operation
    gives them. A node that the evaluator does not know, or whose shapes do not
    fit, stays.
  }];
  let options = [
    Option<"largeBytes", "large-bytes", "int64_t", /*default=*/"1 << 20",
           "Bytes above which a moved or widened constant is not materialised">,
    Option<"freeBytes", "free-bytes", "int64_t", /*default=*/"256 << 20",
           "Bytes that any value may take">,
    Option<"maxDenseElements", "max-dense-elements", "int64_t", /*default=*/"64",
           "Elements up to which a value becomes a dense attribute, not a resource">];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def RaiseAttention : Pass<"onnx-raise-attention", "::mlir::func::FuncOp"> {
  let summary = "Find attention and make it the operator Attention";
  let description = [{
    Recognises attention that a graph spells out, by structure, and makes it one
    node `Attention` as of opset 23, which never computes more than it needs:

    ```mlir
    %s = onnx.node "MatMul"(%q, %kT)   // [B, H, S, D] x [B, H, D, T]
    %c = onnx.node "Mul"(%s, %scale)
    %m = onnx.node "Add"(%c, %mask)
    %p = onnx.node "Softmax"(%m) {axis = -1 : i64}
    %y = onnx.node "MatMul"(%p, %v)
    // becomes
    %y = onnx.node "Attention"(%q, %k, %v) {is_causal = 1 : i64, scale = 0.25 : f32}
    ```
    The scale may stand at the scores, the queries or the keys, as products or
    quotients; a cap (`c * tanh(s / c)`), casts, a guard against NaN in rows that
    are masked altogether, and masks that are added or selected are understood.

    Of every Attention, found or given:
    - keys and values that only repeat the heads of a smaller tensor in order
      (grouped-query attention, however it is written) are replaced by that
      tensor;
    - `Concat(past, new)` along the positions becomes the operator's past, and
      its result the operator's present (`fold-past`);
    - a mask that is proven to be the causal one, or all true, is replaced by
      `is_causal`; one that is causal and a condition on the keys leaves the
      condition, [batch, 1, 1, keys], as the mask. Proofs are symbolic, for all
      sizes (see `MaskAnalysis`).

    Requires: inferred shapes; constants folded.
    Attention spelled out in bf16 stays: rounding its scores to 8 bits is part of
    the model, and Attention does not.
    Ensures: equal results up to rounding, rows with no allowed key apart, where
    a finite mask gave the mean of all values and Attention gives zeros. What
    looks like attention and stays says why, in a missed remark of category
    `tern-raise`; so does an Attention whose mask stays.
  }];
  let options = [Option<"foldPast", "fold-past", "bool", /*default=*/"true",
                        "Make Concat(past, new) the operator's past and present">,
                 Option<"tablesSuffice", "tables-suffice", "bool", /*default=*/"false",
                        "Masks that are cut off a table have a column for each key">];
}

def DeriveStep : Pass<"onnx-derive-step", "::mlir::ModuleOp"> {
  let summary = "Derive the step of generation, with its KV cache in place";
  let description = [{
    For a language model whose graph has the cache as inputs and outputs, adds
    beside `main` a function for one sequence

    ```mlir
    func.func @step(%tokens: tensor<1x?xi64>, %past: index, %num_logits: index,
                    %cache…: tensor<1xHxCxDxf32>) -> (tensor<1x?xVxf32>, tensor<1xHxCxDxf32>…)
    ```
    in which each cache is a buffer of C positions that new ones are written
    into, behind the past: no copy of the cache once bufferised. It may be
    extended by
    - `Concat(past, new)`, whose result becomes what is valid of the buffer,
    - ONNX's `Attention` with a past: the same, and how many keys are valid
      (`nonpad_kv_seqlen`) says where the queries stand,
    - onnxruntime's `GroupQueryAttention`, which becomes an `Attention`; its
      lengths have to follow from those of the past and the tokens,
    - `TensorScatter` at the past's length; its readers see the whole buffer,
      which keeps the length that the graph gives it, if it does.

    The attention mask is all ones, positions count on from `past`, lengths are
    computed from it, and the logits are computed for the last `num_logits`
    tokens only, in f32 whatever the head's type: what goes into a head that is
    a MatMul is sliced, or what a norm of elementary nodes before it reads, not its
    result.

    A graph without a cache gets one of [1, heads, C, head size] for the keys and
    one for the values of each attention, where `TokenwiseAnalysis` proves, after
    `onnx-raise-attention` under the assumption of no padding, that a token's
    logits depend on nothing but it, its position, and causal attention. Ranges
    and other positions, and slices [0, length) of tables, start behind the past.

    Other graphs stay as they are: those with inputs of unknown roles, with
    caches whose heads or head size are not known, made for a fixed number of
    sequences or tokens, or where nothing can be proven. A warning says of a language model why
    it has no `step`, and what that means for generation; the module's attribute
    `onnx.generation` says so too, or that it has one.

    Keys and values that only an `Attention` or `GroupQueryAttention` reads may be
    stored in fewer bits than they are computed in:
    - `kv-cache=f16`: f32 rounded to nearest. Magnitudes have to stay below 65,520;
    - `kv-cache=i8`: codes of `ternary.quantize`, each head of each position with
      a step of its own, absmax / 127, in a further buffer of f32 [1, heads, C].
    A row that holds an infinity becomes NaN in i8.
    Attention widens them as it reads them, and computes in f32 as before. A
    cache that others read, or that is as short, stays as it is; if all do, a
    warning says so.

    C is at most the number of rows of any table that is looked up by position
    or cut to the sequence's length: learned positions, or cosines and sines. An
    explicit `context` beyond that is an error, unless the graph generates no
    text. `onnx.context` is set to C.
  }];
  let options = [Option<"context", "context", "int64_t", /*default=*/"0",
                        "Positions of the cache; 0: tern.context of the model's metadata or 2048, "
                        "at most what the model's tables have">,
                 Option<"kvCache", "kv-cache", "std::string", /*default=*/"\"model\"",
                        "Type of the cache: model, as the graph computes keys and values, f16 or i8">];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::tern::ternary::TernaryDialect"];
}

#endif // TERN_DIALECT_ONNX_TRANSFORMS_PASSES_TD
