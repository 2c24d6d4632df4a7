"""Compares the report on a one-layer model with the weights in its file."""

import json
import sys

import onnx
from onnx import numpy_helper

report = json.load(open(sys.argv[1]))
model = onnx.load(sys.argv[2])
weights = next(numpy_helper.to_array(t) for t in model.graph.initializer if len(t.dims) == 2)
cols, rows = weights.shape  # [K, N]
zeros = int((weights == 0).sum())
(layer,) = report["layers"]
assert (layer["rows"], layer["cols"], layer["zeros"]) == (rows, cols, zeros), layer
assert layer["form"] == "qlinear" and layer["activations"].startswith("int8"), layer
assert (layer["layout"], layer["bytes"]) == ("i2 tile 16", rows * cols // 4), layer
assert layer["kernels"] == "generic", layer
assert "of the cycles of i2 on generic" in layer["layout_choice"], layer
assert report["float_layers"] == [], report
assert report["totals"] == {"layers": 1, "float_layers": 0, "weights": rows * cols,
                            "zeros": zeros, "bytes": rows * cols // 4}, report  # fmt: skip
