"""Chains of operators that work on rows, of all sizes, and what NumPy gives for them.

build MODEL | run VECTOR PORTABLE

A residual sum that is used again, a norm of heads that are transposed back, and a softmax over
a transposed tensor. Each result is near 1 and a handful of roundings of f32 from the exact one,
but for sums of K terms of one sign, which are K roundings off at most.
"""

import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
HEADS, WIDTH = 3, 7
COLUMNS = HEADS * WIDTH


def build(model):
    inputs = [
        helper.make_tensor_value_info("x", FLOAT, ["b", "t", COLUMNS]),
        helper.make_tensor_value_info("heads", FLOAT, ["b", HEADS, "t", WIDTH]),
        helper.make_tensor_value_info("weight", FLOAT, [COLUMNS]),
    ]
    node = helper.make_node
    nodes = [
        node("Transpose", ["heads"], ["tokens"], perm=[0, 2, 1, 3]),
        node("Reshape", ["tokens", "flat"], ["rows"]),
        node("Add", ["x", "rows"], ["sum"]),
        node("Mul", ["sum", "sum"], ["squares"]),
        node("ReduceMean", ["squares", "last"], ["mean"], keepdims=1),
        node("Add", ["mean", "eps"], ["shifted"]),
        node("Sqrt", ["shifted"], ["root"]),
        node("Div", ["sum", "root"], ["normed"]),
        node("Mul", ["normed", "weight"], ["norm"]),
        node("Transpose", ["norm"], ["columns"], perm=[0, 2, 1]),
        node("Neg", ["columns"], ["negated"]),
        node("Softmax", ["negated"], ["softmax"], axis=-1),
        node("ReduceMax", ["softmax", "last"], ["peak"], keepdims=1),
        node("Div", ["softmax", "peak"], ["relative"]),
    ]
    outputs = [
        helper.make_tensor_value_info(name, FLOAT, shape)
        for name, shape in [
            ("sum", ["b", "t", COLUMNS]),
            ("norm", ["b", "t", COLUMNS]),
            ("mean", ["b", "t", 1]),
            ("relative", ["b", COLUMNS, "t"]),
        ]
    ]
    constants = [
        numpy_helper.from_array(np.array([-1], np.int64), "last"),
        numpy_helper.from_array(np.array([0, 0, COLUMNS], np.int64), "flat"),
        numpy_helper.from_array(np.float32(1e-5), "eps"),
    ]
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), model)


def expected_of(x):
    x = {key: value.astype(np.float64) for key, value in x.items()}
    rows = x["heads"].transpose(0, 2, 1, 3).reshape(x["x"].shape)
    total = x["x"] + rows
    mean = (total**2).mean(-1, keepdims=True)
    norm = total / np.sqrt(mean + 1e-5) * x["weight"]
    softmax = np.exp(-norm.transpose(0, 2, 1))
    relative = softmax / softmax.max(-1, keepdims=True, initial=0)
    return {"sum": total, "mean": mean, "norm": norm, "relative": relative}


def call(program, inputs, outputs, threads):
    subprocess.run([program, "--inputs", inputs, "--outputs", outputs, "--threads", str(threads)], check=True)
    return dict(np.load(outputs))


def run(vector, portable):
    sizes = [(1, 1), (1, 5), (2, 3), (3, 64), (1, 130), (2, 0)]
    for b, t in sizes:
        random = np.random.default_rng(100 * b + t)
        arrays = {
            "x": random.normal(size=(b, t, COLUMNS)).astype(np.float32),
            "heads": random.normal(size=(b, HEADS, t, WIDTH)).astype(np.float32),
            "weight": random.normal(size=COLUMNS).astype(np.float32),
        }
        np.savez("in.npz", **arrays)
        one, two = call(vector, "in.npz", "one.npz", 1), call(vector, "in.npz", "two.npz", 2)
        plain = call(portable, "in.npz", "plain.npz", 1)
        for key, value in expected_of(arrays).items():
            for found in (one, plain):
                np.testing.assert_allclose(found[key], value, rtol=1e-5, atol=1e-6, err_msg=f"{key} {b} {t}")
            assert one[key].tobytes() == two[key].tobytes(), (key, b, t)
    print(f"{len(sizes)} sizes agree")


{"build": build, "run": run}[sys.argv[1]](*sys.argv[2:])
