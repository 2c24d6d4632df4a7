"""Makes malformed models of every kind and checks how ternc refuses them.

Each must fail with exit code 1 within the time limit, in an address space that is
far smaller than what the files claim to hold, and with an error that names the file
and says what the case lists: node, operator, what was found, what was expected.

Usage: refusals.py FIXTURES SCRATCH [NAME...]
FIXTURES is a folder of ONNX models; NAMEs select cases, which also prints their messages.
"""

import os
import pathlib
import resource
import subprocess
import sys

import ml_dtypes
import numpy as np
import onnx
import onnx.parser
from onnx import TensorProto, helper, numpy_helper

HEADER = '<ir_version: 10, opset_import: ["" : 20, "f" : 1]>\n'
SECONDS = 60
ADDRESS_SPACE = 6 << 30  # the shared libraries alone reserve more than 1 GB
CASES = {}


def case(*expected, stage="import"):
    """Registers a maker of one malformed model: `maker(path)` writes it. The message
    holds each of `expected`."""
    def register(maker):
        CASES[maker.__name__] = (maker, expected, stage)
        return maker
    return register


def text(name, graph, *expected, stage="import", header=HEADER):
    def make(path):
        path.write_bytes(onnx.parser.parse_model(header + graph).SerializeToString())
    CASES[name] = (make, expected, stage)


def data(name, contents, *expected):
    CASES[name] = (lambda path: path.write_bytes(contents), expected, "import")


def initializer(name, tensor, *expected, stage="import"):
    """A model that adds `tensor`, "w", to its input."""
    def make(path):
        save(path, tensor)
    CASES[name] = (make, expected, stage)


def tensor_of(kind=TensorProto.FLOAT, dims=(2,), **fields):
    return TensorProto(name="w", data_type=kind, dims=dims, **fields)


def save(path, tensor):
    output = helper.make_tensor_value_info("y", tensor.data_type, None)
    value = helper.make_tensor_value_info("x", tensor.data_type, [2])
    node = helper.make_node("Add", ["x", "w"], ["y"], name="n")
    graph = helper.make_graph([node], "g", [value], [output], [tensor])
    opsets = [helper.make_opsetid("", 25)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets).SerializeToString())


def fixture(name):
    return onnx.load(FIXTURES / name / "model.onnx")


FIXTURES, SCRATCH = map(pathlib.Path, sys.argv[1:3])
NOT_A_MODEL = "not an ONNX model"

#--- Files that are no models -------------------------------------------------------------

VALID = (FIXTURES / "bitlinear/a_fakeq_baked_op17/model.onnx").read_bytes()
data("empty", b"", NOT_A_MODEL, "no graph")
data("text", b"this is no model\n" * 100, NOT_A_MODEL)
data("random", np.random.default_rng(1).bytes(5000), NOT_A_MODEL)
data("zeros", bytes(4096), NOT_A_MODEL)
data("ones", b"\xff" * 4096, NOT_A_MODEL)
data("archive", b"PK\x03\x04" + bytes(100), NOT_A_MODEL)
data("truncated-1", VALID[:1], NOT_A_MODEL)
data("truncated-half", VALID[:len(VALID) // 2], NOT_A_MODEL, "truncated")
data("truncated-last", VALID[:-1], NOT_A_MODEL, "truncated")
# Field 7, the graph: a number where a message belongs; a length beyond the file.
data("wire-type", b"\x08\x0a\x38\x01", NOT_A_MODEL)
data("length", b"\x08\x0a\x3a\xff\xff\xff\xff\x07", NOT_A_MODEL)
data("no-graph", b"\x08\x0a", NOT_A_MODEL, "no graph")
# Subgraphs within subgraphs: protobuf's limit is 100 messages.
nested = b""
for _ in range(300):
    for tag in b"\x32", b"\x2a", b"\x0a":  # attribute.g, node.attribute, graph.node
        size = len(nested)
        varint = b""
        while size > 127:
            varint += bytes([size & 127 | 128])
            size >>= 7
        nested = tag + varint + bytes([size]) + nested
data("nested", b"\x08\x0a\x3a" + b"\x80\x80\x01" + nested, NOT_A_MODEL)


@case("not a regular file")
def folder(path):
    path.mkdir()


@case("not a regular file")
def fifo(path):
    os.mkfifo(path)


@case("not a regular file")
def device(path):
    path.symlink_to("/dev/zero")


@case("No such file or directory")
def missing(path):
    pass


@case("No such file or directory")
def dangling_link(path):
    path.symlink_to("nowhere.onnx")


@case("Too many levels of symbolic links")
def link_cycle(path):
    path.symlink_to(path.name)


#--- Versions -----------------------------------------------------------------------------

GRAPH = "g (float[2] x) => (float[2] y) { [n] y = Abs (x) }"
text("future-opset", GRAPH, "opset 999", "'ai.onnx'", "expected 1 to",
     header='<ir_version: 10, opset_import: ["" : 999]>\n')
text("zero-opset", GRAPH, "opset 0", "expected 1 to",
     header='<ir_version: 10, opset_import: ["" : 0]>\n')
text("two-opsets", GRAPH, "opsets 18 and 20", "expected one version",
     header='<ir_version: 10, opset_import: ["" : 18, "ai.onnx" : 20]>\n')
text("no-opset", GRAPH, "node 'n' (Abs)", "no opset of domain 'ai.onnx'", "expected one",
     header='<ir_version: 10, opset_import: ["com.microsoft" : 1]>\n')
text("future-ir", GRAPH, "IR version 999", "expected 1 to",
     header='<ir_version: 999, opset_import: ["" : 20]>\n')
text("zero-ir", GRAPH, "IR version 0", "expected 1 to",
     header='<ir_version: 0, opset_import: ["" : 20]>\n')
text("domain", "g (float[2] x) => (float[2] y) { [n] y = no.such.Abs (x) }",
     "node 'n' (no.such::Abs)", "no opset of domain 'no.such'", "expected one")
text("foreign", "g (float[2] x) => (float[2] y) { [n] y = f.Abs (x) }", "node 'n' (f::Abs",
     "operator", "not supported", stage="raise")
text("operator", "g (float[2] x) => (float[2] y) { [n] y = NoSuchOperator (x) }",
     "node 'n' (NoSuchOperator, opset 20)", "not supported", stage="raise")
text("removed", "g (float[2] x) => (float[2] y) { [n] y = Upsample <scales = [2.0]> (x) }",
     "node 'n' (Upsample, opset 20)", "not supported", stage="raise")

#--- Graphs -------------------------------------------------------------------------------

text("cycle", "g (float[2] x) => (float[2] y) { [p] a = Add (x, b)\n [q] b = Abs (a)\n"
     "[r] y = Abs (b) }", "node 'p' (Add, opset 20)", "cycle", "'q', 'p'", "expected an acyclic")
text("self-cycle", "g (float[2] x) => (float[2] y) { [p] y = Add (x, y) }",
     "node 'p' (Add, opset 20)", "cycle", "expected an acyclic")
text("unsorted", "g (float[2] x) => (float[2] y) { [p] y = Abs (a)\n [q] a = Neg (x) }",
     "node 'p' (Abs, opset 20)", "later node 'q'", "expected nodes in the order of their uses")
text("dangling", "g (float[2] x) => (float[2] y) { [p] y = Add (x, nowhere) }",
     "node 'p' (Add, opset 20)", "'nowhere' is undefined", "expected an input")
text("dangling-output", "g (float[2] x) => (float[2] z) { [p] y = Abs (x) }",
     "graph output 'z' is undefined")
text("two-values", "g (float[2] x) => (float[2] y) { [p] y = Abs (x)\n [q] y = Neg (x) }",
     "node 'q' (Neg, opset 20)", "'y', which node 'p' already defines")
text("two-results", "g (float[2] x) => (float[2] y) { [p] y, y = TopK <axis = 0> (x, x) }",
     "node 'p' (TopK, opset 20)", "'y', which node 'p' already defines")
text("value-of-input", "g (float[2] x) => (float[2] y) { [p] x = Abs (x)\n [q] y = Abs (x) }",
     "node 'p' (Abs, opset 20)", "'x', which an input or initializer already defines")
text("two-inputs", "g (float[2] x, float[2] x) => (float[2] y) { y = Abs (x) }",
     "input 'x' twice")
text("two-outputs", "g (float[2] x) => (float[2] y, float[2] y) { y = Abs (x) }",
     "output 'y' twice")
text("two-initializers", "g (float[2] x) => (float[2] y) <float[1] w = {1}, float[1] w = {2}> "
     "{ y = Add (x, w) }", "tensor 'w'", "initialized twice")
text("no-outputs", "g (float[2] x) => () { y = Abs (x) }", "no outputs", "expected at least 1")


def edited(name, edit, *expected):
    """The model `GRAPH` with something that its text cannot say."""
    def make(path):
        model = onnx.parser.parse_model(HEADER + GRAPH)
        edit(model.graph)
        path.write_bytes(model.SerializeToString())
    CASES[name] = (make, expected, "import")


edited("unnamed-input", lambda graph: graph.input.add(), "input without a name")
edited("unnamed-initializer",
       lambda graph: graph.initializer.add(data_type=TensorProto.FLOAT, dims=[1], float_data=[1]),
       "initializer without a name")
edited("no-operator", lambda graph: graph.node[0].ClearField("op_type"), "node 'n'",
       "has no operator")
edited("unnamed-attribute", lambda graph: graph.node[0].attribute.add(type=2, i=1),
       "node 'n' (Abs, opset 20)", "attribute without a name")
edited("no-contrib-output", lambda graph: graph.node.add(
    name="m", op_type="SimplifiedLayerNormalization", input=["x", "x"]),
       "node 'm' (SimplifiedLayerNormalization, opset 20)", "has 0 outputs; expected 1 to 2")
text("subgraph", "g (bool c, float[2] x) => (float[2] y) { [n] y = If (c) <then_branch = "
     "t () => (float[2] a) { a = Neg (x) }, else_branch = e () => (float[2] b) "
     "{ b = Abs (x) }> }", "node 'n' (If, opset 20)", "expected a node without subgraphs")

#--- Nodes --------------------------------------------------------------------------------

text("few-inputs", "g (float[2] x) => (float[2] y) { [n] y = MatMul (x) }",
     "node 'n' (MatMul, opset 20)", "has 1 inputs; expected 2")
text("many-inputs", "g (float[2] x) => (float[2] y) { [n] y = Abs (x, x) }",
     "node 'n' (Abs, opset 20)", "has 2 inputs; expected 1")
text("omitted-input", 'g (float[2] x) => (float[2] y) { [n] y = Add (x, "") }',
     "node 'n' (Add, opset 20)", "input 1")
CONTRIB = '<ir_version: 10, opset_import: ["" : 20, "com.microsoft" : 1]>\n'
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

#--- Functions ----------------------------------------------------------------------------

CALL = "g (float[2] x) => (float[2] y) { [n] y = f.p (x) }\n"
FUNCTION = '<domain: "f", opset_import: ["" : 20, "f" : 1]>\n'
text("recursive", CALL + FUNCTION + "p (a) => (b) { [m] b = f.p (a) }", "f::p", "cycle")
text("mutually-recursive", CALL + FUNCTION + "p (a) => (b) { b = f.q (a) }\n" + FUNCTION +
     "q (a) => (b) { b = f.p (a) }", "f::p", "f::q", "cycle")
text("function-twice", CALL + (FUNCTION + "p (a) => (b) { b = Abs (a) }\n") * 2,
     "function", "p", "defined twice")
text("call", "g (float[2] x) => (float[2] y) { [n] y = f.p (x, x) }\n" + FUNCTION +
     "p (a) => (b) { b = Abs (a) }", "node 'n' (f::p, opset 1)", "2 inputs", "takes 1")
text("function-dangling", CALL + FUNCTION + "p (a) => (b) { [m] b = Add (a, nowhere) }",
     "Add", "undefined")
text("function-opset", CALL + '<domain: "f", opset_import: ["" : 12]>\n'
     "p (a) => (b) { [m] b = ReduceSum <axes = [0]> (a) }", "f", "opset")
text("exponential", "g (float[2] x) => (float[2] y) { [n] y = f.f0 (x) }\n" + "\n".join(
    FUNCTION + f"f{i} (a) => (c) {{ b = f.f{i + 1} (a)\n c = f.f{i + 1} (b) }}"
    for i in range(40)) + "\n" + FUNCTION + "f40 (a) => (b) { b = Abs (a) }", "nodes")
text("deep", "g (float[2] x) => (float[2] y) { [n] y = f.f0 (x) }\n" + "\n".join(
    FUNCTION + f"f{i} (a) => (b) {{ b = f.f{i + 1} (a) }}" for i in range(300)) + "\n" +
     FUNCTION + "f300 (a) => (b) { b = Abs (a) }", "more than 64 levels deep")



@case("node 'n' (Constant", "has 0 outputs", "expected 1")
def constant_without_outputs(path):
    node = helper.make_node("Constant", [], [], name="n", value_ints=[1])
    result = helper.make_node("Abs", ["x"], ["y"])
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy")
    graph = helper.make_graph([node, result], "g", [x], [y])
    opsets = [helper.make_opsetid("", 25)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets).SerializeToString())


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

#--- Data ---------------------------------------------------------------------------------

initializer("short-raw", tensor_of(raw_data=bytes(7)), "tensor 'w'", "7 bytes", "expected 8",
            "FLOAT[2]")
initializer("long-raw", tensor_of(raw_data=bytes(9)), "tensor 'w'", "9 bytes", "expected 8")
initializer("no-data", tensor_of(), "tensor 'w'", "0 bytes", "expected 8")
initializer("short-typed", tensor_of(float_data=[1]), "tensor 'w'", "4 bytes", "expected 8")
initializer("other-typed", tensor_of(int64_data=[1, 2]), "tensor 'w'", "0 bytes", "expected 8")
initializer("raw-and-typed", tensor_of(raw_data=bytes(8), float_data=[1, 2]), "tensor 'w'",
            "typed field and in raw_data", "expected one place")
initializer("short-trits", tensor_of(TensorProto.INT2, [5], raw_data=b"\0"), "tensor 'w'",
            "1 bytes", "expected 2", "INT2[5]")
initializer("negative-dimension", tensor_of(dims=[-2], raw_data=bytes(8)), "tensor 'w'",
            "negative dimension", "FLOAT[-2]")
initializer("overflow", tensor_of(dims=[1 << 40, 1 << 40], raw_data=bytes(8)), "tensor 'w'",
            "more bytes than can be addressed")
initializer("terabytes", tensor_of(dims=[1 << 40], raw_data=bytes(8)), "tensor 'w'", "8 bytes",
            "expected 4398046511104")
initializer("overflow-to-zero", tensor_of(dims=[1 << 32, 1 << 32], raw_data=b""), "tensor 'w'",
            "more bytes than can be addressed")
initializer("strings", tensor_of(TensorProto.STRING, [1], string_data=[b"a"]), "tensor 'w'",
            "STRING")
initializer("undefined-type", tensor_of(0, [2], raw_data=bytes(8)), "tensor 'w'", "UNDEFINED")
initializer("unknown-type", tensor_of(99, [2], raw_data=bytes(8)), "tensor 'w'", "number 99")
initializer("wide-value", tensor_of(TensorProto.INT8, [2], int32_data=[1, 300]), "tensor 'w'",
            "int32_data[1] is 300", "expected a signed value of 8 bits")
initializer("boolean", tensor_of(TensorProto.BOOL, [2], raw_data=b"\1\2"), "tensor 'w'",
            "is 2", "expected 0 or 1")

#--- External data ------------------------------------------------------------------------


def external(name, *expected, size=1024, count=2, **entries):
    """Weights in SCRATCH/<name>/w.bin, described by `entries`."""
    tensor = tensor_of(dims=[count], data_location=TensorProto.EXTERNAL)
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))

    def make(path):
        (path.parent / "w.bin").write_bytes(bytes(size))
        (path.parent / "folder").mkdir()
        save(path, tensor)
    CASES[name] = (make, ("tensor 'w'",) + expected, "import")
    return tensor


external("external-short", "'w.bin' holds 4 bytes", "expected 8 bytes at offset 0", size=4,
         location="w.bin")
external("external-empty", "'w.bin' holds 0 bytes", "expected 8", size=0, location="w.bin")
external("external-offset", "holds 1024 bytes", "expected 8 bytes at offset 1020",
         location="w.bin", offset=1020)
external("external-overflow", "expected 8 bytes at offset 18446744073709551608",
         location="w.bin", offset=2**64 - 8)
external("external-length", "has 1000 bytes", "expected 8 for FLOAT[2]", location="w.bin",
         length=1000)
external("external-terabytes", "holds 1024 bytes", "expected 4398046511104",
         count=1 << 40, location="w.bin", length=1 << 42)
external("external-negative-offset", "offset '-4'", "expected a number", location="w.bin",
         offset=-4)
external("external-negative-length", "length '-8'", "expected a number", location="w.bin",
         length=-8)
external("external-nan", "offset 'abc'", "expected a number", location="w.bin", offset="abc")
external("external-fraction", "offset '1.5'", "expected a number", location="w.bin", offset=1.5)
external("external-wide", "offset '36893488147419103232'", "expected a number",
         location="w.bin", offset=2**65)


@case("node 'n' (Add, opset 25)", "constant 'w'", "holds NaN at [16777218]")
def external_nan_far(path):
    """Beyond the first piece of 64 MiB, in a file that is nothing but a hole before."""
    count = (64 << 20) // 4 + 3
    with open(path.parent / "w.bin", "wb") as file:
        file.seek(4 * (count - 1))
        file.write(np.float32(np.nan).tobytes())
    tensor = tensor_of(dims=[count], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="w.bin")
    save(path, tensor)


external("external-missing", "'nowhere.bin'", "No such file", location="nowhere.bin")
external("external-absolute", "absolute path", "expected one relative", location="/etc/hostname")
external("external-parent", "leaves the model's folder through '..'", location="../w.bin")
external("external-parent-inside", "leaves the model's folder through '..'",
         location="a/../w.bin")
external("external-folder", "not a regular file", location="folder")
external("external-dot", "leaves the model's folder", location=".")
external("external-unnamed", "expected a relative path", offset=0)
external("external-zero-byte", "'w.bin", location="w.bin\0.txt")


def linked(name, target, *expected):
    tensor = external(name, location="link.bin")

    def make(path):
        (path.parent / "link.bin").symlink_to(target)
        save(path, tensor)
    CASES[name] = (make, ("tensor 'w'",) + expected, "import")


linked("external-link", "/proc/self/cmdline", "symbolic link")
linked("external-link-up", "../secret.bin", "symbolic link", "secret.bin")
linked("external-link-cycle", "link.bin", "cannot be read")

#--- Values -------------------------------------------------------------------------------


def weights_of(model):
    """The largest initializer but the zeros that packed weights are scattered into."""
    return max((tensor for tensor in model.graph.initializer if tensor.name != "zeros"),
               key=lambda tensor: np.prod(tensor.dims))


def poisoned(name, fixture_name, value, *expected, pick=weights_of):
    """A fixture with one element of its weights replaced by `value`."""
    def make(path):
        model = fixture(fixture_name)
        tensor = pick(model)
        array = numpy_helper.to_array(tensor).copy()
        array.reshape(-1)[array.size // 2] = value
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
        onnx.save(model, path)
    CASES[name] = (make, expected, "raise")


def recoded(name, fixture_name, byte, *expected):
    """A fixture with one byte of its packed weights replaced."""
    def make(path):
        model = fixture(fixture_name)
        tensor = weights_of(model)
        raw = bytearray(tensor.raw_data or numpy_helper.to_array(tensor).tobytes())
        raw[len(raw) // 2] = byte
        for field in "int32_data", "raw_data":
            tensor.ClearField(field)
        tensor.raw_data = bytes(raw)
        onnx.save(model, path)
    CASES[name] = (make, expected, "raise")


NAN, INF = float("nan"), float("inf")


def tainted(name, operator, array, *expected, order="xw", declared="float[2, 2]"):
    """A product of an input with weights of any type."""
    def make(path):
        model = onnx.parser.parse_model(
            f"{HEADER}g ({declared} x) => ({declared} y) {{ [n] y = {operator} "
            f"({', '.join(order)}) }}")
        model.graph.initializer.append(numpy_helper.from_array(array, "w"))
        onnx.save(model, path)
    CASES[name] = (make, (f"node 'n' ({operator}, opset 20)", "constant 'w'") + expected, "import")


for kind, dtype in (("float16", np.float16), ("bfloat16", ml_dtypes.bfloat16),
                    ("double", np.float64)):
    # The last of the elements, and the sign bit is no part of a number's size.
    for value in NAN, -NAN:
        array = np.array([[-1, 0], [0, value]], dtype)
        tainted(f"{'-' if np.signbit(value) else ''}nan-{kind}", "Add", array, "holds NaN at [1, 1]",
                "expected finite", declared=f"{kind}[2, 2]")
for operator, orders in {"MatMul": ("xw", "wx"), "Gemm": ("xw", "wx"), "Transpose": ("w",),
                         "QuantizeLinear": ("xw",), "LayerNormalization": ("xw",),
                         "SimplifiedLayerNormalization": ("xw",)}.items():
    for order in orders:
        tainted(f"inf-{operator}-{order}", operator, np.array([[1, 0], [-INF, 0]], np.float32),
                "holds inf at [1, 0]", "expected finite", order=order)
FLOATS, QAT = "bitlinear/a_fakeq_baked_op17", "bitlinear/b_fakeq_qat_op18"
poisoned("nan-weight", FLOATS, NAN, "(MatMul, opset 17)", "'weight_t'", "NaN", "[32, 0]",
         "expected finite")
poisoned("inf-weight", FLOATS, INF, "(MatMul, opset 17)", "'weight_t'", "inf", "expected finite")
poisoned("nan-master-weight", QAT, NAN, "'weight'", "NaN", "expected finite")


def scale_of(model):
    return next(tensor for tensor in model.graph.initializer if "scale" in tensor.name)


for name, value in ("nan", NAN), ("inf", INF):
    poisoned(f"{name}-int2-scale", "bitlinear/d_dq_int2_channel_op25", value,
             "(DequantizeLinear, opset 25)", "'wscale'", "expected finite", pick=scale_of)
    poisoned(f"{name}-nbits-scale", "bitlinear/e_matmulnbits2_zp1_b32", value,
             "(com.microsoft::MatMulNBits", "'scales'", "expected finite", pick=scale_of)
poisoned("nan-packed-scale", "bitlinear/f_packed_bitwise_scatternd_op20", NAN, "'weight_scale'",
         "NaN", "expected finite", pick=scale_of)

# The byte's codes, lowest first. INT2: 0, 1, -1, -2; packed with offset 1: 0, 1, 2, 3.
STRAY = 0b10110100
for form in "tensor", "channel", "block32":
    recoded(f"stray-int2-{form}", f"bitlinear/d_dq_int2_{form}_op25", STRAY, "MatMul",
            "no trits", "-2 times", "expected -1, 0 or 1")
for name in ("d_dq_uint2_zp_op25", "f_packed_bitwise_scatternd_op20",
             "f_packed_bitwise_concat_op18", "e_matmulnbits2_zp1_b32",
             "e_matmulnbits2_floatzp_b32"):
    recoded(f"stray-{name}", f"bitlinear/{name}", 0b11100100, "MatMul", "no trits", "2 times",
            "expected -1, 0 or 1")
recoded("stray-nbits-default", "bitlinear/e_matmulnbits2_default_b32_act", STRAY, "MatMulNBits",
        "no trits", "-2 times", "expected -1, 0 or 1")

#--- Running ------------------------------------------------------------------------------


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def check(name, maker, expected, stage):
    """Returns what is wrong, or nothing."""
    folder = SCRATCH / name
    folder.mkdir()
    path = folder / "model.onnx"
    maker(path)
    try:
        run = subprocess.run(["ternc", path, "-o", "-", f"--stop-after={stage}"],
                             capture_output=True, errors="replace", timeout=SECONDS,
                             preexec_fn=limit_memory)
    except subprocess.TimeoutExpired:
        return f"still running after {SECONDS} s"
    if len(sys.argv) > 3:
        print(run.stderr)
    found = f"found exit code {run.returncode} and\n{run.stderr[:2000]}"
    if run.returncode != 1 or run.stdout:
        return f"expected exit code 1 and no output, {found}"
    missing = [part for part in (f"{path}: error: ",) + expected if part not in run.stderr]
    return f"expected {missing} in the message, {found}" if missing else ""


SCRATCH.mkdir(parents=True)
(SCRATCH / "secret.bin").write_bytes(bytes(1024))
names = sys.argv[3:] or list(CASES)
problems = {name: problem for name in names if (problem := check(name, *CASES[name]))}
for name, problem in problems.items():
    print(f"{name}: {problem}")
print(f"{len(names) - len(problems)} of {len(names)} malformed models refused")
sys.exit(bool(problems))
