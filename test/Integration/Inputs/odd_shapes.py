"""One ternary layer of an odd shape: the model, and what NumPy computes.

odd_shapes.py OUTPUT_FOLDER

Weights reach the layer packed (uint8, four codes a byte, unpacked by the graph),
as int8 and as 2-bit integers through DequantizeLinear, and as floats.
"""

import concurrent.futures
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from compiled import Failed, compile_model, run_arrays, variants
from onnx import TensorProto, helper, numpy_helper

SIZES = (1, 3, 17, 127)
# Rows, columns and tokens; the long ones once.
SHAPES = [(rows, columns) for rows in SIZES for columns in SIZES]
SHAPES += [(4095, 17), (17, 4095)]
TOKENS = (0, 1, 2, 33)
SCALE = np.float32(0.03125)
FORMS = ("int8", "int2", "float", "packed")


def make_weight(form, trits):
    """Nodes and initializers that make `weight`, `[columns, rows]` in f32."""
    transposed = np.ascontiguousarray(trits.T)
    if form == "float":
        return [], [numpy_helper.from_array(transposed * SCALE, "weight")]
    scale = numpy_helper.from_array(SCALE, "scale")
    if form == "packed":
        return make_packed_weight(trits, scale)
    dtype = np.int8 if form == "int8" else ml_dtypes.int2
    codes = numpy_helper.from_array(transposed.astype(dtype), "codes")
    return [helper.make_node("DequantizeLinear", ["codes", "scale"], ["weight"])], [
        codes,
        scale,
    ]


def make_packed_weight(trits, scale):
    """transformers' packing: row r of `[rows, columns]` lies in byte r mod rows/4."""
    rows, columns = trits.shape
    quarter = (rows + 3) // 4
    padded = np.zeros((quarter * 4, columns), np.int8)
    padded[:rows] = trits
    quarters = (padded + 1).astype(np.uint8).reshape(4, quarter, columns)
    packed = sum(part << (2 * i) for i, part in enumerate(quarters)).astype(np.uint8)
    constants = {
        "bytes": packed[None],
        "divisors": np.array([1, 4, 16, 64], np.uint8)[:, None, None],
        "four": np.array(4, np.uint8),
        "one": np.array(1, np.float32),
        "padded": np.array([4 * quarter, columns], np.int64),
        "begin": np.array([0], np.int64),
        "end": np.array([rows], np.int64),
    }
    nodes = [
        ("Div", ["bytes", "divisors"], "shifted"),
        ("Mod", ["shifted", "four"], "digits"),
        ("Cast", ["digits"], "floats"),
        ("Sub", ["floats", "one"], "centred"),
        ("Reshape", ["centred", "padded"], "rows"),
        ("Slice", ["rows", "begin", "end", "begin"], "cut"),
        ("Mul", ["cut", "scale"], "scaled"),
        ("Transpose", ["scaled"], "weight"),
    ]
    options = {"Cast": {"to": TensorProto.FLOAT}, "Transpose": {"perm": [1, 0]}}
    return [
        helper.make_node(kind, inputs, [output], **options.get(kind, {}))
        for kind, inputs, output in nodes
    ], [scale, *(numpy_helper.from_array(value, name) for name, value in constants.items())]


def make_layer(form, trits):
    """quantise(x) @ weight, the activations' codes computed a token at a time."""
    rows, columns = trits.shape
    weight, constants = make_weight(form, trits)
    limits = {"top": 127.0, "low": -128.0, "tiny": 1e-5}
    constants += [
        numpy_helper.from_array(np.float32(value), name) for name, value in limits.items()
    ]
    constants.append(numpy_helper.from_array(np.array([-1], np.int64), "last"))
    quantise = [
        helper.make_node("Abs", ["x"], ["absolute"]),
        helper.make_node("ReduceMax", ["absolute", "last"], ["largest"], keepdims=1),
        helper.make_node("Max", ["largest", "tiny"], ["bounded"]),
        helper.make_node("Div", ["top", "bounded"], ["factor"]),
        helper.make_node("Mul", ["x", "factor"], ["spread"]),
        helper.make_node("Round", ["spread"], ["rounded"]),
        helper.make_node("Clip", ["rounded", "low", "top"], ["whole"]),
        helper.make_node("Div", ["whole", "factor"], ["quantised"]),
        helper.make_node("MatMul", ["quantised", "weight"], ["y"]),
    ]
    graph = helper.make_graph(
        [*weight, *quantise],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["tokens", columns])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["tokens", rows])],
        constants,
    )
    opset = 25 if form == "int2" else 21
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=13 if opset == 25 else 10)


def compute(x, trits):
    """The layer's result in exact integers and f64: no float sums."""
    largest = np.abs(x).max(axis=1, keepdims=True)
    factor = np.float32(127) / np.maximum(largest, np.float32(1e-5))
    codes = np.clip(np.rint(x * factor), -128, 127).astype(np.int64)
    sums = codes @ trits.T.astype(np.int64)
    return sums / factor.astype(np.float64) * np.float64(SCALE)


def check_layer(folder, number, rows, columns):
    """Returns what is wrong with the layer of one shape, a list of messages."""
    rng = np.random.default_rng(number)
    trits = rng.integers(-1, 2, (rows, columns)).astype(np.int8)
    form = FORMS[number % len(FORMS)]
    name = f"{form}-{rows}x{columns}"
    onnx.save(make_layer(form, trits), folder / f"{name}.onnx")
    try:
        executable = compile_model(folder / f"{name}.onnx", folder / name)
        return [
            f"{name}, {variant}, {tokens} tokens: {message}"
            for tokens in TOKENS
            for message, variant in compare(executable, rng, tokens, trits)
        ]
    except Failed as failure:
        return [f"{name}: {failure}"]


def compare(executable, rng, tokens, trits):
    """Yields the variants whose result is not what NumPy computes."""
    x = rng.normal(0, 1, (tokens, trits.shape[1])).astype(np.float32)
    x[:1] = 0
    expected = compute(x, trits)
    for variant in variants(executable):
        y = run_arrays(executable, {"x": x}, variant)["y"]
        if y.shape != expected.shape or y.dtype != np.float32:
            yield f"found {y.dtype}{y.shape}", variant
        elif not np.allclose(y, expected, rtol=1e-5, atol=1e-6):
            yield f"off by {np.abs(y - expected).max():.3g}", variant


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        jobs = [
            pool.submit(check_layer, folder, number, *shape)
            for number, shape in enumerate(SHAPES)
        ]
        wrong = [message for job in jobs for message in job.result()]
    print(*wrong, f"{len(SHAPES)} layers, {len(wrong)} wrong", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
