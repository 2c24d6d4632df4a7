"""Ternary layers of float activations in each layout, variant and number of threads.

float_layers.py OUTPUT_FOLDER

200 rows are 13 strips of 16, three blocks of four and one more; 330 columns are no whole
steps.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from compiled import compile_model, run_arrays, variants
from odd_shapes import SCALE, make_weight
from onnx import TensorProto, helper

ROWS, COLUMNS = 200, 330
TOKENS = (1, 2, 7, 13)
LAYOUTS = ("i2", "t5")


def make_layer(trits):
    weight, constants = make_weight("int8", trits)
    rows, columns = trits.shape
    graph = helper.make_graph(
        [*weight, helper.make_node("MatMul", ["x", "weight"], ["y"])],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["tokens", columns])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["tokens", rows])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    trits = rng.integers(-1, 2, (ROWS, COLUMNS)).astype(np.int8)
    xs = [rng.normal(0, 1, (tokens, COLUMNS)).astype(np.float32) for tokens in TOKENS]
    model = folder / "layer.onnx"
    onnx.save(make_layer(trits), model)
    reference = compile_model(model, folder / "portable", "--lowering=portable", "--require-ternary")
    expected = [run_arrays(reference, {"x": x})["y"] for x in xs]
    wrong = []
    for x, y in zip(xs, expected):
        exact = x.astype(np.float64) @ trits.T * np.float64(SCALE)
        if not np.allclose(y, exact, rtol=1e-4, atol=1e-5):
            wrong.append(f"portable, {len(x)} tokens: off by {np.abs(y - exact).max()}")
    for layout in LAYOUTS:
        executable = compile_model(model, folder / layout, f"--layout={layout}")
        for variant in variants(executable):
            for threads in (1, 2, 3):
                for x, y in zip(xs, expected):
                    found = run_arrays(executable, {"x": x}, variant, threads)["y"]
                    if not np.array_equal(found.view(np.int32), y.view(np.int32)):
                        wrong.append(f"{layout}, {variant}, {threads} threads, {len(x)} tokens")
    print(*wrong, f"{len(LAYOUTS)} layouts, {len(wrong)} wrong", sep="\n")


if __name__ == "__main__":
    main()
