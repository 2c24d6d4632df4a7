"""A graph that looks up rows of a large table.

build MODEL TYPE INDICES writes it, with a table of float32 or bfloat16, of which it
looks up its input, "ids", or a row for each of them, always the "same". run PROGRAM
INDICES prints "N rows, M differ" for what the program looks up, NumPy's rows being
right, and what it says of an index that is outside. compare prints whether the table
of float32 is what comes by standard input.
"""

import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

ROWS, COLS = 70_000, 256  # 35.8 MB of bf16, more than the least that is fetched


SAME = 7  # the row that "same" looks up, whatever the ids


def make_table():
    """Numbers of 8 bits, which bfloat16 holds, different from row to row."""
    numbers = np.arange(ROWS * COLS).reshape(ROWS, COLS) * 7 % 251
    return (numbers / 8).astype(np.float32)


def build(path, dtype, indices):
    bits = make_table().view(np.uint32)
    data = bits if dtype == "float32" else (bits >> 16).astype(np.uint16)
    table = helper.make_tensor(
        "table",
        TensorProto.FLOAT if dtype == "float32" else TensorProto.BFLOAT16,
        [ROWS, COLS],
        data.tobytes(),
        raw=True,
    )
    nodes = [
        helper.make_node("Shape", ["ids"], ["size"]),
        helper.make_node(
            "ConstantOfShape",
            ["size"],
            ["same"],
            value=helper.make_tensor("value", TensorProto.INT64, [1], [SAME]),
        ),
        helper.make_node("Gather", ["table", indices], ["found"], name="embed"),
        helper.make_node("Cast", ["found"], ["rows"], to=TensorProto.FLOAT),
    ]
    graph = helper.make_graph(
        nodes,
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


def check(program, indices):
    # The first and the last row, one twice, and more than a block of rows.
    ids = [0, ROWS - 1, 17, 17, -1, -ROWS, *range(5, ROWS, 97)]
    result = run(program, ids)
    assert result.returncode == 0, result.stderr
    found = np.load("out.npz")["rows"]
    wanted = make_table()[ids if indices == "ids" else [SAME] * len(ids)]
    print(f"{len(ids)} rows, {np.sum(np.any(found != wanted, axis=1))} differ")
    print(run(program, [3, ROWS]).stderr, end="")


if sys.argv[1] == "build":
    build(*sys.argv[2:])
elif sys.argv[1] == "run":
    check(*sys.argv[2:])
else:
    print("equal" if sys.stdin.buffer.read() == make_table().tobytes() else "other")
