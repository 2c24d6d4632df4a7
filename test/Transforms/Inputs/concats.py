"""Concatenated halves that elementwise operators read, of all sizes, against NumPy.

build MODEL | run VECTOR PORTABLE

Rotary positions as exporters write them, of heads that a loop scales and transposes; the same of
a tensor that others read as well; halves of unequal size. Each operator rounds once, so NumPy's
f32 has the same bits.
"""

import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
HEADS, WIDTH = 3, 14
HALF = WIDTH // 2
COLUMNS = HEADS * WIDTH


def rotation(name, x, half):
    """Nodes for x * cos + concat(-x[half:], x[:half]) * sin, called `name`."""
    node = helper.make_node
    return [
        node("Slice", [x, "zero", half, "last"], [f"{name}.low"]),
        node("Slice", [x, half, "width", "last"], [f"{name}.high"]),
        node("Neg", [f"{name}.high"], [f"{name}.negated"]),
        node("Concat", [f"{name}.negated", f"{name}.low"], [f"{name}.rotated"], axis=-1),
        node("Mul", [x, "cos"], [f"{name}.cos"]),
        node("Mul", [f"{name}.rotated", "sin"], [f"{name}.sin"]),
        node("Add", [f"{name}.cos", f"{name}.sin"], [name]),
    ]


def build(model):
    node = helper.make_node
    nodes = [
        node("Mul", ["x", "scale"], ["scaled"]),
        node("Reshape", ["scaled", "split"], ["tokens"]),
        node("Transpose", ["tokens"], ["heads"], perm=[0, 2, 1, 3]),
        *rotation("alone", "heads", "half"),
        node("Neg", ["given"], ["shared"]),
        *rotation("beside", "shared", "half"),
        *rotation("unequal", "given", "third"),
    ]
    heads = ["b", HEADS, "t", WIDTH]
    value = helper.make_tensor_value_info
    inputs = [
        value("x", FLOAT, ["b", "t", COLUMNS]),
        value("scale", FLOAT, ["b", "t", 1]),
        value("given", FLOAT, heads),
        value("cos", FLOAT, ["t", WIDTH]),
        value("sin", FLOAT, ["t", WIDTH]),
    ]
    outputs = [value(name, FLOAT, heads) for name in ("alone", "shared", "beside", "unequal")]
    constants = [
        numpy_helper.from_array(np.array(numbers, np.int64), name)
        for name, numbers in [
            ("split", [0, 0, HEADS, WIDTH]), ("zero", [0]), ("half", [HALF]),
            ("third", [WIDTH // 3]), ("width", [WIDTH]), ("last", [-1]),
        ]
    ]  # fmt: skip
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), model)


def rotate(x, half, cos, sin):
    rotated = np.concatenate([-x[..., half:], x[..., :half]], -1)
    return x * cos + rotated * sin


def expected_of(arrays):
    b, t, _ = arrays["x"].shape
    heads = (arrays["x"] * arrays["scale"]).reshape(b, t, HEADS, WIDTH).transpose(0, 2, 1, 3)
    shared, angles = -arrays["given"], (arrays["cos"], arrays["sin"])
    return {
        "alone": rotate(heads, HALF, *angles),
        "shared": shared,
        "beside": rotate(shared, HALF, *angles),
        "unequal": rotate(arrays["given"], WIDTH // 3, *angles),
    }


def call(program, threads):
    command = [program, "--inputs", "in.npz", "--outputs", "out.npz", "--threads", str(threads)]
    subprocess.run(command, check=True)
    return dict(np.load("out.npz"))


def run(vector, portable):
    sizes = [(1, 1), (1, 5), (2, 3), (3, 64), (1, 700), (2, 0)]
    for b, t in sizes:
        random = np.random.default_rng(100 * b + t)
        shapes = {
            "x": (b, t, COLUMNS), "scale": (b, t, 1), "given": (b, HEADS, t, WIDTH),
            "cos": (t, WIDTH), "sin": (t, WIDTH),
        }  # fmt: skip
        arrays = {key: random.normal(size=shape).astype(np.float32) for key, shape in shapes.items()}
        np.savez("in.npz", **arrays)
        for found in (call(vector, 1), call(vector, 2), call(portable, 1)):
            for key, value in expected_of(arrays).items():
                assert value.dtype == np.float32
                np.testing.assert_array_equal(found[key], value, err_msg=f"{key} {b} {t}")
    print(f"{len(sizes)} sizes agree")


{"build": build, "run": run}[sys.argv[1]](*sys.argv[2:])
