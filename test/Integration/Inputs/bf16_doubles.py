"""Compiles conversions between bf16 and double, and compares with ml_dtypes.

Usage: bf16_doubles.py SCRATCH
"""

import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import onnx.parser
from compiled import compile_model, run_arrays

BF16 = ml_dtypes.bfloat16

# The archive of inputs has no bf16. A range's length is counted in double.
GRAPH = """<ir_version: 10, opset_import: ["" : 20]>
g (float[N] x, double[M] d, float from, float to, float by)
  => (double[N] widened, float[M] narrowed, float[K] range) {
  h = Cast <to = 16> (x)
  widened = Cast <to = 11> (h)
  b = Cast <to = 16> (d)
  narrowed = Cast <to = 1> (b)
  f = Cast <to = 16> (from)
  t = Cast <to = 16> (to)
  s = Cast <to = 16> (by)
  r = Range (f, t, s)
  range = Cast <to = 1> (r)
}"""

FLOATS = np.array(
    [0.0, -0.0, 1.0, -1.5, 3.14159, 1e-40, 3.3e38, np.inf, -np.inf, np.nan], np.float32
)
# Halfway between two bf16, above that by less and by more than f32 holds, and what
# neither type holds.
DOUBLES = np.array(
    [0.0, -2.5, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-40, 1 + 2**-8 + 2**-20,
     1e300, -1e-300, np.inf, np.nan]
)  # fmt: skip
# 0.1 is 0.10009765625 in bf16: 10 steps, not 11, to a limit of 1.
RANGE = (0.0, 1.0, 0.1)


def expected():
    with np.errstate(over="ignore"):
        narrowed = DOUBLES.astype(BF16).astype(np.float32)
    start, limit, step = np.array(RANGE, BF16)
    length = int(np.ceil(np.float64(limit - start) / np.float64(step)))
    indices = np.arange(length, dtype=np.float32).astype(BF16)
    return {
        "widened": FLOATS.astype(BF16).astype(np.float64),
        "narrowed": narrowed,
        "range": (start + indices * step).astype(np.float32),
    }


def main():
    scratch = Path(sys.argv[1])
    onnx.save(onnx.parser.parse_model(GRAPH), scratch / "model.onnx")
    inputs = {"x": FLOATS, "d": DOUBLES}
    inputs |= {
        name: np.float32(value) for name, value in zip(("from", "to", "by"), RANGE)
    }
    for name, options in (
        ("portable", ["--cpu=generic", "--lowering=portable"]),
        ("vector", ["--cpu=native"]),
    ):
        made = run_arrays(
            compile_model(scratch / "model.onnx", scratch / name, *options), inputs
        )
        wrong = [
            output
            for output, value in expected().items()
            if made[output].dtype != value.dtype
            or not np.array_equal(made[output], value, equal_nan=True)
        ]
        print(f"{name}: {len(wrong)} differ", *wrong)


main()
