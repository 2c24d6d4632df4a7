"""Writes a model of 40 equal ternary layers."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(0)
constants = {"scale": np.float32(0.05), "zero": np.int8(0), "one": np.float32(1)}
nodes, value = [], "x"
for layer in range(40):
    constants[f"w{layer}"] = rng.integers(-1, 2, (64, 64)).astype(np.int8)
    nodes += [
        helper.make_node("QuantizeLinear", [value, "scale", "zero"], [f"q{layer}"]),
        helper.make_node("QLinearMatMul",
                         [f"q{layer}", "scale", "zero", f"w{layer}", "one", "zero", "scale", "zero"],
                         [f"m{layer}"], name=f"layer{layer}"),
        helper.make_node("DequantizeLinear", [f"m{layer}", "scale", "zero"], [f"d{layer}"]),
        helper.make_node("Tanh", [f"d{layer}"], [f"y{layer}"])]
    value = f"y{layer}"
infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 64]) for name in ("x", value)]
graph = helper.make_graph(nodes, "repeated", infos[:1], infos[1:],
                          [numpy_helper.from_array(np.array(v), k) for k, v in constants.items()])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8),
          sys.argv[1])
