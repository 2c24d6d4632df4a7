"""Writes a model with a ternary, a nearly ternary and a float layer."""

import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

rng = np.random.default_rng(0)
good = rng.integers(-1, 2, (8, 8)).astype(np.float32) * np.float32(0.5)
near = good.copy()
near[3, 5] = 0.50001
weights = {"g": good, "n": near, "h": rng.normal(size=(8, 8)).astype(np.float32)}
nodes = [
    helper.make_node("MatMul", ["x", "g"], ["a"], name="good"),
    helper.make_node("MatMul", ["a", "n"], ["b"], name="near"),
    helper.make_node("Relu", ["b"], ["c"], name="relu"),
    helper.make_node("MatMul", ["c", "h"], ["d"], name="head"),
    helper.make_node("Cast", ["d"], ["y"], name="cast", to=onnx.TensorProto.FLOAT16),
]
infos = [helper.make_tensor_value_info(name, kind, ["n", 8])
         for name, kind in (("x", onnx.TensorProto.FLOAT), ("y", onnx.TensorProto.FLOAT16))]  # fmt: skip
graph = helper.make_graph(nodes, "g", infos[:1], infos[1:],
                          [numpy_helper.from_array(v, k) for k, v in weights.items()])  # fmt: skip
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8),
          sys.argv[1])  # fmt: skip
