"""make LARGE SMALL: writes models that take rows of a table, of 68 MiB and of 64
KiB. run PROGRAM: runs one with --copy-weights, compares the rows with the
table's, and prints what it says on standard error."""

import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

COLUMNS = 4096
ROWS = {"large": 68 << 8, "small": 16}


def table_of(rows):
    return np.random.default_rng(rows).integers(-128, 128, [rows, COLUMNS], np.int8)


def make(*paths):
    for path, rows in zip(paths, ROWS.values()):
        inputs = [helper.make_tensor_value_info("index", TensorProto.INT64, ["n"])]
        outputs = [helper.make_tensor_value_info("y", TensorProto.INT8, ["n", COLUMNS])]
        graph = helper.make_graph([helper.make_node("Gather", ["table", "index"], ["y"])], "g", inputs,
                                  outputs, [numpy_helper.from_array(table_of(rows), "table")])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path)


def run(program, size):
    # Every 1 MiB, and the last.
    index = np.append(np.arange(0, ROWS[size], 256), ROWS[size] - 1)
    np.savez(f"{program}.in.npz", index=index)
    done = subprocess.run([program, "--inputs", f"{program}.in.npz", "--outputs", f"{program}.out.npz",
                           "--threads", "1", "--copy-weights"],
                          check=True, stderr=subprocess.PIPE, text=True)
    np.testing.assert_array_equal(np.load(f"{program}.out.npz")["y"], table_of(ROWS[size])[index])
    print(f"{size}: right, and says: {done.stderr!r}")


{"make": make, "run": run}[sys.argv[1]](*sys.argv[2:])
