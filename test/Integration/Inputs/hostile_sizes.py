"""Runs compiled graphs on inputs that ask for results of impossible sizes.

Each must fail with exit code 1 and a message that names the node, and the bytes and
shape where it is for want of memory, on any number of threads; a possible size must
work in between.

Usage: hostile_sizes.py SCRATCH
"""

import pathlib
import resource
import sys

import numpy as np
import onnx.parser

import compiled

HEADER = '<ir_version: 10, opset_import: ["" : 20]>\n'
LARGE, HUGE = 1 << 40, 1 << 62
# Even where the system promises more memory than it has.
ADDRESS_SPACE = 64 << 30


def shape(*sizes):
    return {"s": np.array(sizes, np.int64)}


def limits(limit):
    return {"a": np.int64(0), "b": np.int64(limit), "c": np.int64(1)}


def vectors(rows, cols):
    return {"x": np.ones((rows, 1), np.float32), "w": np.ones((1, cols), np.float32)}


def memory(element, bytes_each, *sizes):
    """How the failure to allocate an array is reported."""
    total = bytes_each
    for size in sizes:
        total *= size
    count = str(total) if total < 1 << 63 else "2^63 or more"
    return f"node 'big': not enough memory: {count} bytes for {element}{list(sizes)}"


def floats(*sizes):
    """Such a shape as input, and what is said of a result of it."""
    return shape(*sizes), memory("f32", 4, *sizes)


OTHER = "node 'big'"  # no matter of memory

# Name: graph, inputs that work, the shape of their result, and inputs that do not,
# each with what is said of it.
CASES = {
    "ConstantOfShape": (
        "g (int64[2] s) => (float[M, N] y) { [big] y = ConstantOfShape (s) }",
        shape(2, 3), (2, 3),
        [floats(LARGE, LARGE), floats(HUGE, 4), floats(HUGE, 1), floats(1, LARGE << 10),
         (shape(-1, 2), OTHER), (shape(2, -HUGE), OTHER), floats(LARGE, 1)]),
    "Expand": (
        "g (int64[2] s) => (float[M, N] y) <float x = {1}> { [big] y = Expand (x, s) }",
        shape(0, 3), (0, 3),
        [floats(LARGE, LARGE), floats(1 << 32, 1 << 32), floats(LARGE << 10, 1),
         (shape(-2, 1), OTHER)]),
    # The result is read, not returned.
    "Tile": (
        "g (int64[1] s) => (float y) <float[1] x = {1}, int64[1] i = {0}> "
        "{ [big] t = Tile (x, s)\n y = ReduceSum <keepdims = 0> (t) }",
        shape(7), (),
        [(shape(HUGE), memory("f32", 4, HUGE, 1)),
         (shape(LARGE << 10), memory("f32", 4, LARGE << 10, 1)), (shape(-1), OTHER)]),
    "Range": (
        "g (int64 a, int64 b, int64 c) => (int64[N] y) { [big] y = Range (a, b, c) }",
        limits(5), (5,),
        [(limits(HUGE), memory("i64", 8, HUGE)),
         (limits(LARGE << 10), memory("i64", 8, LARGE << 10)),
         ({**limits(3), "c": np.int64(0)}, OTHER)]),
    "MatMul": (
        "g (float[M, 1] x, float[1, N] w) => (float[M, N] y) { [big] y = MatMul (x, w) }",
        vectors(3, 0), (3, 0),
        [(vectors(1 << 21, 1 << 22), memory("f32", 4, 1 << 21, 1 << 22))]),
    "Add": (
        "g (float[M, 1] x, float[1, N] w) => (float[M, N] y) { [big] y = Add (x, w) }",
        vectors(1, 4), (1, 4),
        [(vectors(1 << 21, 1 << 22), memory("f32", 4, 1 << 21, 1 << 22))]),
}

# What a model's own constants ask for. The compiler is to hold none of it.
CLAIMS = {
    "zeros": ("g (float x) => (float[N] y) <int64[1] s = {1099511627776}> "
              "{ [big] y = ConstantOfShape (s) }", memory("f32", 4, LARGE)),
    "padding": ("g (float x) => (float[N] y) <float[1] w = {1}, int64[2] p = {0, 1099511627775}> "
                "{ [big] z = Pad (w, p)\n y = Add (x, z) }", memory("f32", 4, LARGE)),
    "range": ("g (float x) => (float[N] y) <int64 a = {0}, int64 b = {1099511627776}, int64 c = {1}> "
            "{ z = Range (a, b, c)\n [big] y = Cast <to = 1> (z) }", memory("f32", 4, LARGE)),
}


def compile_text(graph, path):
    model = path.with_suffix(".onnx")
    model.write_bytes(onnx.parser.parse_model(HEADER + graph).SerializeToString())
    return compiled.compile_model(model, path, "--cpu=native")


def check_claim(name, scratch):
    graph, message = CLAIMS[name]
    program = compile_text(graph, scratch / name)
    try:
        compiled.run_arrays(program, {"x": np.float32(1)})
    except compiled.Failed as error:
        if "exit code 1: " in str(error) and message in str(error):
            return
        sys.exit(f"{name}: expected {message!r}, found {error}")
    sys.exit(f"{name}: exit code 0")


def check(name, scratch):
    graph, good, expected, bad = CASES[name]
    program = compile_text(graph, scratch / name)
    for inputs, message in bad:
        found = compiled.run_arrays(program, good)["y"].shape
        assert found == expected, f"{name}: found shape {found}, expected {expected}"
        sizes = {key: value.tolist() if value.size < 3 else value.shape
                 for key, value in inputs.items()}
        for threads in 1, 2:
            try:
                compiled.run_arrays(program, inputs, threads=threads)
            except compiled.Failed as error:
                if "exit code 1: " in str(error) and message in str(error):
                    continue
                sys.exit(f"{name} of {sizes}: expected {message!r}, found {error}")
            sys.exit(f"{name} of {sizes}: exit code 0")


scratch = pathlib.Path(sys.argv[1])
scratch.mkdir(parents=True)
resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
for name in CASES:
    check(name, scratch)
for name in CLAIMS:
    check_claim(name, scratch)
print(f"{len(CASES) + len(CLAIMS)} graphs refused impossible sizes")
