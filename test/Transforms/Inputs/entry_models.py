"""Writes models whose entry points the tests call from C: FOLDER."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def save(folder, name, nodes, inputs, outputs, constants=()):
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, name, [info(*value) for value in inputs], [info(*value) for value in outputs],
        [numpy_helper.from_array(value, key) for key, value in constants])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, f"{folder}/{name}.onnx")


def main():
    folder = sys.argv[1]
    node, f32, i64 = helper.make_node, TensorProto.FLOAT, TensorProto.INT64
    weights = np.random.default_rng(1).standard_normal((300, 257)).astype(np.float32)
    # Enough work for other threads, in loops whose ends are no multiples of a chunk.
    save(folder, "loops",
         [node("MatMul", ["x", "w"], ["p"]), node("Softmax", ["p"], ["s"], axis=-1),
          node("Transpose", ["s"], ["t"], perm=[1, 0]), node("Exp", ["t"], ["y"]),
          node("ReduceMax", ["p"], ["z"], keepdims=0)],
         [("x", f32, ["n", 300])], [("y", f32, [257, "n"]), ("z", f32, [])], [("w", weights)])
    # Inputs are only read, also where nobody reads them again.
    save(folder, "scatter", [node("ScatterND", ["x", "i", "u"], ["y"])],
         [("x", f32, ["n", 4]), ("i", i64, ["k", 1]), ("u", f32, ["k", 4])],
         [("y", f32, ["n", 4])])
    # Every output is the caller's to free.
    save(folder, "sharing",
         [node("Identity", ["x"], ["same"]), node("Identity", ["x"], ["again"]),
          node("Add", ["x", "x"], ["twice"]), node("Identity", ["twice"], ["twice_too"]),
          node("Flatten", ["twice"], ["flat"], axis=0), node("Identity", ["table"], ["constant"]),
          node("Identity", ["table"], ["copied"])],
         [("x", f32, ["n", 4])],
         [(key, f32, ["n", 4]) for key in ("same", "again", "twice", "twice_too")] +
         [("flat", f32, [1, "m"]), ("constant", f32, [100]), ("copied", f32, [100])],
         [("table", np.arange(100, dtype=np.float32))])


if __name__ == "__main__":
    main()
