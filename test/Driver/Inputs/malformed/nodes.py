"""Nodes that are not what their operator asks for."""

from .cases import CONTRIB, text

#--- Nodes --------------------------------------------------------------------------------

text("few-inputs", "g (float[2] x) => (float[2] y) { [n] y = MatMul (x) }",
     "node 'n' (MatMul, opset 20)", "has 1 inputs; expected 2")
text("many-inputs", "g (float[2] x) => (float[2] y) { [n] y = Abs (x, x) }",
     "node 'n' (Abs, opset 20)", "has 2 inputs; expected 1")
text("omitted-input", 'g (float[2] x) => (float[2] y) { [n] y = Add (x, "") }',
     "node 'n' (Add, opset 20)", "input 1")
text("contrib-inputs", "g (float[2, 16] x, uint8[1, 1, 4] b) => (float[2, 1] y) { [n] y = "
     "com.microsoft.MatMulNBits <K = 16, N = 1, bits = 2, block_size = 16> (x, b) }",
     "node 'n' (com.microsoft::MatMulNBits, opset 1)", "has 2 inputs; expected 3 to 6",
     header=CONTRIB)
text("contrib-omitted", "g (float[2, 16] x, float[1] z) => (float[2, 1] y) { [n] y = "
     'com.microsoft.MatMulNBits <K = 16, N = 1, bits = 2, block_size = 16> (x, "", z) }',
     "node 'n' (com.microsoft::MatMulNBits, opset 1)", "input 1 is left out", header=CONTRIB)
text("contrib-types", "g (float[2, 16] x, int64[1, 1, 4] b, float[1, 1] z) => (float[2, 1] y) "
     "{ [n] y = com.microsoft.MatMulNBits <K = 16, N = 1, bits = 2, block_size = 16> "
     "(x, b, z) }", "node 'n' (com.microsoft::MatMulNBits, opset 1)", "expected bytes",
     stage="raise", header=CONTRIB)
# Of onnxruntime's operators: the least and the most inputs, the most outputs.
CONTRIB_OPERANDS = {
    "Gelu": (1, 1, 1),
    "QuickGelu": (1, 1, 1),
    "GroupQueryAttention": (7, 14, 4),
    "MatMulNBits": (3, 6, 1),
    "MultiHeadAttention": (1, 10, 4),
    "RotaryEmbedding": (4, 4, 1),
    "SimplifiedLayerNormalization": (2, 2, 2),
    "SkipLayerNormalization": (3, 5, 4),
    "SkipSimplifiedLayerNormalization": (3, 4, 4),
}


def contrib(operator, what, inputs, outputs, *expected):
    results = ", ".join(["y", "a", "b", "c", "d"][:outputs])
    call = f"com.microsoft.{operator} ({', '.join(inputs)})"
    node = f"[n] {results} = {call}" if outputs else f"[m] y = Abs (x)\n [n] = {call}"
    text(f"{operator}-{what}", f"g (float[2] x) => (float[2] y) {{ {node} }}",
         f"node 'n' (com.microsoft::{operator}, opset 1)", *expected, header=CONTRIB)


for operator, (least, most, most_outputs) in CONTRIB_OPERANDS.items():
    span = str(least) if least == most else f"{least} to {most}"
    few, many = ["x"] * (least - 1), ["x"] * (most + 1)
    contrib(operator, "few-inputs", few, 1, f"has {least - 1} inputs; expected {span}")
    contrib(operator, "many-inputs", many, 1, f"has {most + 1} inputs; expected {span}")
    span = "1" if most_outputs == 1 else f"1 to {most_outputs}"
    enough = ["x"] * least
    contrib(operator, "many-outputs", enough, most_outputs + 1,
            f"has {most_outputs + 1} outputs; expected {span}")
    contrib(operator, "first-omitted", ['""'] + enough[1:], 1, "input 0 is left out")
text("many-outputs", "g (float[2] x) => (float[2] y) { [n] y, z = Abs (x) }",
     "node 'n' (Abs, opset 20)", "has 2 outputs; expected 1")
text("no-attribute", "g (float[2] x) => (float[4] y) { [n] y = Concat (x, x) }",
     "node 'n' (Concat, opset 20)", "attribute 'axis'")
text("attribute-type", "g (float[2] x) => (float[4] y) { [n] y = Concat <axis = 0.5> (x, x) }",
     "node 'n' (Concat, opset 20)", "attribute 'axis' is FLOAT; expected INT")
text("attribute", "g (float[2] x) => (float[2] y) { [n] y = Abs <axis = 0> (x) }",
     "node 'n' (Abs, opset 20)", "attribute 'axis', which the operator does not know")
text("axis", "g (float[2] x) => (float[4] y) { [n] y = Concat <axis = 1> (x, x) }",
     "node 'n' (Concat, opset 20)", "axis", "expected", stage="raise")
text("permutation", "g (float[2, 3] x) => (float[3, 2] y) { [n] y = Transpose <perm = [1, 1]> "
     "(x) }", "node 'n' (Transpose, opset 20)", "expected", stage="raise")
text("element-type", "g (float[2] x) => (string[2] y) { [n] y = Cast <to = 8> (x) }",
     "node 'n' (Cast, opset 20)", "STRING", "expected one of numbers")
text("other-element-types", "g (float[2, 2] x) => (double[2, 2] y) { [n] y = "
     "EyeLike <dtype = 8> (x) }", "node 'n' (EyeLike, opset 20)", "'dtype' is element type STRING",
     "expected one of numbers")
text("output-element-type", "g (float[2] x) => (int8[2] y) <float s = {1.0}> { [n] y = "
     "QuantizeLinear <output_dtype = 8> (x, s) }", "node 'n' (QuantizeLinear, opset 21)",
     "'output_dtype' is element type STRING", "expected one of numbers",
     header='<ir_version: 10, opset_import: ["" : 21]>\n')
text("unknown-element-type", "g (float[2] x) => (float[2] y) { [n] y = Cast <to = 77> (x) }",
     "node 'n' (Cast, opset 20)", "77", "expected")
text("mixed-types", "g (float[2] x, int64[2] i) => (float[2] y) { [n] y = Add (x, i) }",
     "node 'n' (Add, opset 20)", "'i'", "INT64; expected FLOAT")
text("integers-for-floats", "g (int64[2] x) => (float[2] y) { [n] y = Sqrt (x) }",
     "node 'n' (Sqrt, opset 20)", "input 0, 'x', holds INT64; expected one of FLOAT, FLOAT16")
text("floats-for-indices", "g (float[2] x, float[2] i) => (float[2] y) { [n] y = Gather (x, i) }",
     "node 'n' (Gather, opset 20)", "input 1, 'i', holds FLOAT; expected one of INT32, INT64")
text("bools-for-numbers", "g (bool[2] x) => (bool[2] y) { [n] y = Mul (x, x) }",
     "node 'n' (Mul, opset 20)", "input 0, 'x', holds BOOL; expected one of FLOAT")
text("numbers-for-bools", "g (uint8[2] x) => (bool[2] y) { [n] y = And (x, x) }",
     "node 'n' (And, opset 20)", "input 0, 'x', holds UINT8; expected BOOL")

#--- Dimensions ---------------------------------------------------------------------------

text("matmul", "g (float[2, 3] x, float[4, 5] w) => (float[2, 5] y) { [n] y = MatMul (x, w) }",
     "node 'n' (MatMul, opset 20)", "3", "4", "expected", stage="raise")
text("matmul-constant", "g (float[2, 3] x) => (float[2, 2] y) <float[4, 2] w = "
     "{1, 0, -1, 1, 0, 0, 1, 1}> { [n] y = MatMul (x, w) }", "node 'n' (MatMul, opset 20)",
     "3", "4", "expected", stage="raise")
text("nbits-scalar", "g (float x, uint8[1, 1, 4] b, float[1] s) => (float[1] y) { [n] y = "
     "com.microsoft.MatMulNBits <K = 16, N = 1, bits = 2, block_size = 16> (x, b, s) }",
     "node 'n' (com.microsoft::MatMulNBits, opset 1)", "input 0 has rank 0", "expected at least 1",
     stage="raise", header=CONTRIB)
text("skip-integers", "g (int32[B, S, 4] x, float[4] w) => (int32[B, S, 4] y) { [n] y = "
     "com.microsoft.SkipSimplifiedLayerNormalization (x, x, w) }",
     "node 'n' (com.microsoft::SkipSimplifiedLayerNormalization, opset 1)", "input 0 has type",
     "expected floats", stage="raise", header=CONTRIB)
text("rotary-integers", "g (float[1, 2, 4] x, int64[1] p, int32[9, 2] c, float[9, 2] s) => "
     "(float[1, 2, 4] y) { [n] y = com.microsoft.RotaryEmbedding (x, p, c, s) }",
     "node 'n' (com.microsoft::RotaryEmbedding, opset 1)", "input 2 has type", "expected floats",
     stage="raise", header=CONTRIB)
text("gemm", "g (float[2, 3] x, float[5, 4] w) => (float[2, 5] y) { [n] y = "
     "Gemm <transB = 1> (x, w) }", "node 'n' (Gemm, opset 20)", "3", "4", "expected",
     stage="raise")
text("broadcast", "g (float[2] x, float[3] w) => (float[3] y) { [n] y = Add (x, w) }",
     "node 'n' (Add, opset 20)", "2", "3", "expected", stage="raise")
text("concat", "g (float[2, 3] x, float[4, 5] w) => (float[6, 3] y) { [n] y = "
     "Concat <axis = 0> (x, w) }", "node 'n' (Concat, opset 20)", "expected", stage="raise")
text("reshape", "g (float[6] x) => (float[2, 4] y) <int64[2] s = {2, 4}> { [n] y = "
     "Reshape (x, s) }", "node 'n' (Reshape, opset 20)", "6", "expected", stage="raise")
text("gather", "g (float[2] x) => (float[1] y) <int64[1] i = {5}> { [n] y = Gather (x, i) }",
     "node 'n' (Gather, opset 20)", "5", "expected", stage="raise")
text("huge-input", "g (float[4611686018427387904, 4] x) => (float[2] y) { [n] y = Abs (x) }",
     "'x'", "64 bits", "expected")
text("huge-result", "g (float[2] x) => (float[N, M] y) <int64[2] s = "
     "{4611686018427387904, 4}> { [n] y = ConstantOfShape (s) }",
     "node 'n' (ConstantOfShape, opset 20)", "expected", stage="raise")
text("negative-size", "g (float[2] x) => (float[N] y) <int64[1] s = {-3}> { [n] y = "
     "ConstantOfShape (s) }", "node 'n' (ConstantOfShape, opset 20)", "-3", "expected",
     stage="raise")
text("negative-reshape", "g (float[6] x) => (float[N, 3] y) <int64[2] s = {-2, 3}> { [n] y = "
     "Reshape (x, s) }", "node 'n' (Reshape, opset 20)", "-2", "expected", stage="raise")
text("huge-rank", "g (int64[100000] s) => (float[N] y) { [n] y = ConstantOfShape (s) }",
     "node 'n' (ConstantOfShape, opset 20)", "100000 elements", "expected at most 64")
text("rank", "g (float[1, 1, 1, 1, 1, 1, 1, 1, 1] x) => (float[1, 1, 1, 1, 1, 1, 1, 1, 1] y) "
     "{ [n] y = Abs (x) }", "'x'", "9", "expected at most 8")
