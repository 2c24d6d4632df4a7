"""Ternary layers for many tokens, in each layout, variant and number of threads.

tiled_products.py OUTPUT_FOLDER

200 rows are 13 strips of 16, an odd number, and 48 three. 330 columns are a part of a
block of 640 and of tiles of 64, 1920 three whole blocks, 1310 two and less than a tile.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from compiled import compile_model, run_arrays, variants
from odd_shapes import compute, make_layer

# The last has groups of eight strips.
SHAPES = ((200, 330), (48, 1920), (48, 1310), (2064, 660))
LAYOUTS = ("i2", "t5")
# Tiles of 2 to 16 tokens, the last of which overlap or do not; up to 32 of them, and
# one and two more, are multiplied in one go.
TOKENS = (1, 2, 15, 16, 17, 25, 32, 33, 49, 512, 520, 529)
# Enough for variants that have no tiles.
FEW_TOKENS = (16, 33, 529)


def check_layout(folder, model, layout, trits):
    """Returns what is wrong, a list of messages."""
    rows, columns = trits.shape
    reference = compile_model(model, folder / "portable", "--lowering=portable",
                              f"--layout={layout}")
    executable = compile_model(model, folder / "variants", f"--layout={layout}")
    names = variants(executable)
    wrong = []
    for tokens in TOKENS:
        x = np.random.default_rng(tokens).normal(0, 1, (tokens, columns)).astype(np.float32)
        expected = run_arrays(reference, {"x": x})["y"]
        where = f"{rows}x{columns}, {layout}, {tokens} tokens"
        if not np.allclose(expected, compute(x, trits), rtol=1e-5, atol=1e-6):
            wrong.append(f"{where}, portable")
        for variant in names:
            if variant != "amx" and tokens not in FEW_TOKENS:
                continue
            for threads in (1, 2):
                y = run_arrays(executable, {"x": x}, variant, threads)["y"]
                if not np.array_equal(y, expected):
                    wrong.append(f"{where}, {variant}, {threads} threads: "
                                 f"{(y != expected).sum()} elements differ")
    return wrong


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    wrong = []
    for shape in SHAPES:
        trits = np.random.default_rng(0).integers(-1, 2, shape).astype(np.int8)
        onnx.save(make_layer("int8", trits), folder / "layer.onnx")
        for layout in LAYOUTS:
            wrong += check_layout(folder, folder / "layer.onnx", layout, trits)
    print(*wrong, f"{len(SHAPES)} shapes in {len(LAYOUTS)} layouts, {len(wrong)} wrong", sep="\n")


if __name__ == "__main__":
    main()
