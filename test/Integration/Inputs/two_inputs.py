"""Writes model.onnx, of two inputs, and arrays that it can and cannot take."""

import numpy as np
import onnx
from onnx import TensorProto, helper

F32 = TensorProto.FLOAT
graph = helper.make_graph(
    [
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Equal", ["a", "c"], ["same"]),
    ],
    "pair",
    [
        helper.make_tensor_value_info("a", F32, ["n", 2]),
        helper.make_tensor_value_info("b", F32, ["n", 2]),
        helper.make_tensor_value_info("c", F32, [2]),
    ],
    [
        helper.make_tensor_value_info("sum", F32, ["n", 2]),
        helper.make_tensor_value_info("same", TensorProto.BOOL, ["n", 2]),
    ],
)
opsets = [helper.make_opsetid("", 21)]
onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), "model.onnx")

arrays = {
    "a": np.array([[1, 2], [3, 4]], np.float32),
    "b": np.array([[10, 20], [30, 40]], np.float32),
    "c": np.array([1, 4], np.float32),
}
np.savez("good.npz", **arrays)
none = np.zeros((0, 2), np.float32)
np.savez("empty.npz", **{**arrays, "a": none, "b": none})
np.savez("missing.npz", a=arrays["a"], c=arrays["c"])
np.savez("shape.npz", **{**arrays, "b": np.zeros((2, 3), np.float32)})
np.savez("rank.npz", **{**arrays, "b": np.zeros(2, np.float32)})
np.savez("dtype.npz", **{**arrays, "b": np.zeros((2, 2))})
np.savez("symbol.npz", **{**arrays, "b": np.zeros((3, 2), np.float32)})
