"""The malformed models: what each holds, and what ternc has to say of it."""

import pathlib

import onnx
import onnx.parser
from onnx import TensorProto, helper

FIXTURES = pathlib.Path(__file__).resolve().parents[3] / "Inputs" / "onnx"
HEADER = '<ir_version: 10, opset_import: ["" : 20, "f" : 1]>\n'
CONTRIB = '<ir_version: 10, opset_import: ["" : 20, "com.microsoft" : 1]>\n'
GRAPH = "g (float[2] x) => (float[2] y) { [n] y = Abs (x) }"
# By name: what writes the model, parts of the message, the stage that refuses it.
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
