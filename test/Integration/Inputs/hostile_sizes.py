"""Runs compiled graphs on inputs that ask for results of impossible sizes.

Each must fail with exit code 1 and a message that names the node, on any number of
threads, and a possible size must work in between.

Usage: hostile_sizes.py SCRATCH
"""

import pathlib
import sys

import numpy as np
import onnx.parser

import compiled

HEADER = '<ir_version: 10, opset_import: ["" : 20]>\n'
LARGE, HUGE = 1 << 40, 1 << 62


def shape(*sizes):
    return {"s": np.array(sizes, np.int64)}


def limits(limit):
    return {"a": np.int64(0), "b": np.int64(limit), "c": np.int64(1)}


def vectors(rows, cols):
    return {"x": np.ones((rows, 1), np.float32), "w": np.ones((1, cols), np.float32)}


# Name: graph, inputs that work, the shape of their result, and inputs that do not.
CASES = {
    "ConstantOfShape": (
        "g (int64[2] s) => (float[M, N] y) { [big] y = ConstantOfShape (s) }",
        shape(2, 3), (2, 3),
        [shape(LARGE, LARGE), shape(HUGE, 4), shape(HUGE, 1), shape(1, LARGE << 10),
         shape(-1, 2), shape(2, -HUGE), shape(LARGE, 1)]),
    "Expand": (
        "g (int64[2] s) => (float[M, N] y) <float x = {1}> { [big] y = Expand (x, s) }",
        shape(0, 3), (0, 3),
        [shape(LARGE, LARGE), shape(1 << 32, 1 << 32), shape(LARGE << 10, 1), shape(-2, 1)]),
    # The result is read, not returned.
    "Tile": (
        "g (int64[1] s) => (float y) <float[1] x = {1}, int64[1] i = {0}> "
        "{ [big] t = Tile (x, s)\n y = ReduceSum <keepdims = 0> (t) }",
        shape(7), (),
        [shape(HUGE), shape(LARGE << 10), shape(-1)]),
    "Range": (
        "g (int64 a, int64 b, int64 c) => (int64[N] y) { [big] y = Range (a, b, c) }",
        limits(5), (5,),
        [limits(HUGE), limits(LARGE << 10), {**limits(3), "c": np.int64(0)}]),
    "MatMul": (
        "g (float[M, 1] x, float[1, N] w) => (float[M, N] y) { [big] y = MatMul (x, w) }",
        vectors(3, 0), (3, 0),
        [vectors(1 << 21, 1 << 22)]),
    "Add": (
        "g (float[M, 1] x, float[1, N] w) => (float[M, N] y) { [big] y = Add (x, w) }",
        vectors(1, 4), (1, 4),
        [vectors(1 << 21, 1 << 22)]),
}


def check(name, scratch):
    graph, good, expected, bad = CASES[name]
    model = scratch / f"{name}.onnx"
    model.write_bytes(onnx.parser.parse_model(HEADER + graph).SerializeToString())
    program = compiled.compile_model(model, scratch / name, "--cpu=native")
    for inputs in bad:
        found = compiled.run_arrays(program, good)["y"].shape
        assert found == expected, f"{name}: found shape {found}, expected {expected}"
        sizes = {key: value.tolist() if value.size < 3 else value.shape
                 for key, value in inputs.items()}
        for threads in 1, 2:
            try:
                compiled.run_arrays(program, inputs, threads=threads)
            except compiled.Failed as error:
                if "exit code 1: " in str(error) and "node 'big'" in str(error):
                    continue
                sys.exit(f"{name} of {sizes}: {error}")
            sys.exit(f"{name} of {sizes}: exit code 0")


scratch = pathlib.Path(sys.argv[1])
scratch.mkdir(parents=True)
for name in CASES:
    check(name, scratch)
print(f"{len(CASES)} graphs refused impossible sizes")
