"""A graph that looks up rows of a large table.

build MODEL writes it. run PROGRAM prints "N rows, M differ" for what the program
looks up, NumPy's rows being right, and what it says of an index that is outside.
compare prints whether the table is what comes by standard input.
"""

import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

ROWS, COLS = 70_000, 160  # 44.8 MB of f32, more than the least that is fetched


def make_table():
    return np.arange(ROWS * COLS, dtype=np.float32).reshape(ROWS, COLS) / 8


def build(path):
    table = helper.make_tensor(
        "table", TensorProto.FLOAT, [ROWS, COLS], make_table().tobytes(), raw=True
    )
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "ids"], ["rows"], name="embed")],
        "embedding",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", COLS])],
        [table],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    onnx.save(model, path)


def run(program, ids):
    np.savez("in.npz", ids=np.array(ids, dtype=np.int64))
    return subprocess.run(
        [program, "--inputs", "in.npz", "--outputs", "out.npz"],
        capture_output=True,
        text=True,
    )


def check(program):
    # The first and the last row, one twice, and more than a block of rows.
    ids = [0, ROWS - 1, 17, 17, -1, -ROWS, *range(5, ROWS, 97)]
    result = run(program, ids)
    assert result.returncode == 0, result.stderr
    found = np.load("out.npz")["rows"]
    differ = np.any(found != make_table()[ids], axis=1)
    print(f"{len(ids)} rows, {np.sum(differ)} differ")
    print(run(program, [3, ROWS]).stderr, end="")


if sys.argv[1] == "build":
    build(sys.argv[2])
elif sys.argv[1] == "run":
    check(sys.argv[2])
else:
    print("equal" if sys.stdin.buffer.read() == make_table().tobytes() else "other")
