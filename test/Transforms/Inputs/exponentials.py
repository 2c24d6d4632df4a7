"""An Exp and what it gives: build MODEL INPUTS | check INPUTS OUTPUTS."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

# Below the first, results are 0; above the second, infinite.
LEAST, MOST = np.log(2.0**-125), np.log(float(np.finfo(np.float32).max))


def build(model, inputs):
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n"]) for n in "xy"]
    graph = helper.make_graph([helper.make_node("Exp", ["x"], ["y"])], "g", values[:1], values[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), model)
    even = np.linspace(-110, 100, 400_000)
    near = np.random.default_rng(8).normal(size=100_000)
    special = [0, -0.0, 1e-30, -1e-40, LEAST - 1e-4, MOST + 1e-4, 3e38, -3e38, np.inf, -np.inf,
               np.nan]  # fmt: skip
    np.savez(inputs, x=np.concatenate([even, near, special]).astype(np.float32))


def check(inputs, outputs):
    x, y = np.load(inputs)["x"], np.load(outputs)["y"].astype(np.float64)
    wide = x.astype(np.float64)
    with np.errstate(over="ignore"):
        expected = np.exp(wide)
    assert np.array_equal(np.isnan(y), np.isnan(x))
    assert np.all(np.isinf(y[wide > MOST]))
    assert np.all((y[wide < LEAST] >= 0) & (y[wide < LEAST] < 2.0**-125))
    assert np.all(y[wide < -88] == 0)
    middle = (wide >= LEAST) & (wide <= MOST)
    units = np.abs(y[middle] - expected[middle])
    units /= np.spacing(expected[middle].astype(np.float32)).astype(np.float64)
    assert units.max() <= 2, (units.max(), x[middle][units.argmax()])


{"build": build, "check": check}[sys.argv[1]](*sys.argv[2:])
