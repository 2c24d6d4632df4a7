//===- Passes.td - conversions between dialects ------------*- tablegen -*-===//

#ifndef TERN_CONVERSION_PASSES_TD
#define TERN_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// OnnxToTernary
//===----------------------------------------------------------------------===//

def ConvertOnnxToTernary : Pass<"convert-onnx-to-ternary", "::mlir::func::FuncOp"> {
  let summary = "Find the BitLinear layers of an ONNX graph";
  let description = [{
    Replaces each sub-graph that is a linear layer with ternary weights, whatever
    form it has in the file. Weights are proven ternary by evaluating the graph
    that produces them, never by their names: every element is -s, 0 or s, s
    being one for the matrix, for a row, or for a group of consecutive columns.

    - `ternary.bit_linear` with quantisation, where the activations are
      quantised by the absmax rule and rescaled by it; constant scales behind
      the product are folded.
    - `ternary.matmul` on int8, with the graph around it kept, where the
      activations are int8 by any other rule.
    - `ternary.bit_linear` on floats otherwise.

    Parts of a constant by `Split` become slices of it, which are evaluated.

    The attribute `form` of the new operation says where the weights came from
    (`baked`, `fake_quant`, `packed`, `dequantize`, `matmul_nbits`, `integer`,
    `qlinear`). Remarks of category `tern-raise` tell of each layer raised or
    kept; weights that are nearly ternary are a warning.

    Ensures: the same results up to the rounding of float operations; nodes
    that it does not recognise stay as they are.
  }];
  let dependentDialects = ["::tern::ternary::TernaryDialect", "::tern::onnx::OnnxDialect",
                           "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

//===----------------------------------------------------------------------===//
// OnnxToLinalg
//===----------------------------------------------------------------------===//

def ConvertOnnxToLinalg : Pass<"convert-onnx-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lower ONNX nodes to linalg, tensor and arith";
  let description = [{
    Requires: operator sets as the importer accepts them.
    Ensures: no operation of the onnx dialect is left, and integer types are
    signless; a node that cannot be lowered is an error that names it.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::scf::SCFDialect", "::mlir::cf::ControlFlowDialect"];
}

//===----------------------------------------------------------------------===//
// TernaryToLinalg
//===----------------------------------------------------------------------===//

def ConvertTernaryToLinalg : Pass<"convert-ternary-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Lower ternary operations to portable loop nests";
  let description = [{
    The reference lowering: products become additions and subtractions chosen
    by the trit, without a multiplication. A matrix becomes the tensor of its
    bytes, in the signatures of functions too.

    Requires: no `ternary.bit_linear`; it would stay.
    Ensures: no other operation of the dialect is left, but `ternary.head`,
    `ternary.trim`, packed products on memrefs and those that `keep-packed-matmul`
    keeps.
  }];
  let options = [
    Option<"keepPackedMatmul", "keep-packed-matmul", "bool", /*default=*/"false",
           "Leave ternary.packed_matmul to the vector lowering">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::affine::AffineDialect"];
}

//===----------------------------------------------------------------------===//
// TernaryToVector
//===----------------------------------------------------------------------===//

def ConvertTernaryToVector : Pass<"convert-ternary-to-vector", "::mlir::ModuleOp"> {
  let summary = "Lower packed products to vector code for a target";
  let description = [{
    Each matrix type becomes a private function, which has a path for one token
    and one for many, and shares out its rows by an `scf.parallel` of one
    dimension. The target `amx` multiplies tiles from two tokens on; `zen4`, with
    matrices of many rows, looks part of many tokens' products up. A buffer that a
    kernel allocates it also frees: run this after buffer deallocation.

    Requires: bufferised `ternary.packed_matmul` on tiles of 16 rows, with
    operands whose last dimension is contiguous.
    Ensures: no `ternary.packed_matmul` is left; the same integers as the
    portable lowering, and the same floats, but for the bits of a NaN.
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"generic\"",
           "Vector instructions to use: generic, avx2, avxvnni, avx512vnni, avx512vbmi, zen4 or amx">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect", "::mlir::LLVM::LLVMDialect"];
}

//===----------------------------------------------------------------------===//
// TernaryHeadToVector
//===----------------------------------------------------------------------===//

def ConvertTernaryHeadToVector : Pass<"convert-ternary-head-to-vector", "::mlir::ModuleOp"> {
  let summary = "Lower heads of language models to vector code for a target";
  let description = [{
    Each `ternary.head` becomes a call of a private function. With a screen, and
    if not all logits are asked for, it

    1. scores all rows by their codes, with upper bounds, on all threads;
    2. computes the logits of the rows with the best scores: as many rows as
       are asked for have at least the least of these logits, the threshold;
    3. computes the logits of all rows whose upper bound reaches the threshold.

    Otherwise, or if step 3 would take a quarter of the rows, it computes all.
    Every logit comes from the same instructions, so that results are the same
    whichever way is taken. Floats are neither reassociated nor contracted: they
    are the same for every target.

    Requires: bufferised heads, operands with the identity layout; to run after
    buffer deallocation, since the function frees what it allocates.
    Ensures: no `ternary.head` is left.
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"generic\"",
           "Vector instructions to use: generic, avx2, avxvnni, avx512vnni, avx512vbmi, zen4 or amx">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

#endif // TERN_CONVERSION_PASSES_TD
