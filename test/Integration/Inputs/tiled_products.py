"""One ternary layer for many tokens, in each layout, variant and number of threads.

tiled_products.py OUTPUT_FOLDER

200 rows are 13 strips of 16, an odd number; 330 columns fill no tile of 64.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from compiled import compile_model, run_arrays, variants
from odd_shapes import compute, make_layer

ROWS, COLUMNS, TOKENS = 200, 330, (16, 31, 33, 512, 520, 529)


def check_layout(folder, model, layout, trits):
    """Returns what is wrong, a list of messages."""
    reference = compile_model(model, folder / f"portable-{layout}", "--lowering=portable",
                              f"--layout={layout}")
    executable = compile_model(model, folder / layout, f"--layout={layout}")
    wrong = []
    for tokens in TOKENS:
        x = np.random.default_rng(tokens).normal(0, 1, (tokens, COLUMNS)).astype(np.float32)
        expected = run_arrays(reference, {"x": x})["y"]
        if not np.allclose(expected, compute(x, trits), rtol=1e-5, atol=1e-6):
            wrong.append(f"{layout}, portable, {tokens} tokens")
        for variant in variants(executable):
            for threads in (1, 2):
                y = run_arrays(executable, {"x": x}, variant, threads)["y"]
                if not np.array_equal(y, expected):
                    wrong.append(f"{layout}, {variant}, {tokens} tokens, {threads} threads: "
                                 f"{(y != expected).sum()} elements differ")
    return wrong


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    trits = np.random.default_rng(0).integers(-1, 2, (ROWS, COLUMNS)).astype(np.int8)
    onnx.save(make_layer("int8", trits), folder / "layer.onnx")
    layouts = ("i2", "t5")
    wrong = [message for layout in layouts
             for message in check_layout(folder, folder / "layer.onnx", layout, trits)]
    print(*wrong, f"{len(layouts)} layouts, {len(wrong)} wrong", sep="\n")


if __name__ == "__main__":
    main()
