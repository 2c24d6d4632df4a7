"""Writes a model whose nodes share one name: two ternary layers, and two of floats.

The first float layer is a head of 5 columns, the second is not.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(0)
constants = {"scale": np.float32(0.05), "zero": np.int8(0), "one": np.float32(1),
             "w0": rng.integers(-1, 2, (64, 32)).astype(np.int8),
             "w1": rng.integers(-1, 2, (64, 96)).astype(np.int8),
             "f0": rng.normal(size=(32, 5)).astype(np.float32),
             "f1": rng.normal(size=(96, 7)).astype(np.float32)}
nodes = [helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"])]
for index in range(2):
    nodes += [
        helper.make_node("QLinearMatMul",
                         ["q", "scale", "zero", f"w{index}", "one", "zero", "scale", "zero"],
                         [f"m{index}"], name="same"),
        helper.make_node("DequantizeLinear", [f"m{index}", "scale", "zero"], [f"d{index}"]),
        helper.make_node("MatMul", [f"d{index}", f"f{index}"], [f"y{index}"], name="same")]
nodes.append(helper.make_node("Tanh", ["y1"], ["z"]))
infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
         for name, size in (("x", 64), ("y0", 5), ("z", 7))]
graph = helper.make_graph(nodes, "same", infos[:1], infos[1:],
                          [numpy_helper.from_array(np.array(v), k) for k, v in constants.items()])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8),
          sys.argv[1])
