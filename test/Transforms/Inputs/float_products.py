"""Float products and reductions of all sizes, and what NumPy gives for them.

build MODEL | run VECTOR PORTABLE

Sums of K terms in f32 differ by at most K * 2^-24 of the sum of the magnitudes from
exact ones, whatever their order; the bound is doubled for the products' rounding. Results in
f16 are rounded once more.
"""

import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16



def build(model):
    inputs = [
        helper.make_tensor_value_info("a", FLOAT, ["m", "k"]),
        helper.make_tensor_value_info("bt", FLOAT, ["n", "k"]),
        helper.make_tensor_value_info("b", FLOAT, ["k", "n"]),
        helper.make_tensor_value_info("wide", FLOAT, [2, "m", 40]),
        helper.make_tensor_value_info("tall", FLOAT, [2, 40, "n"]),
    ]
    half = {"to": HALF}
    nodes = [
        helper.make_node("Gemm", ["a", "bt"], ["dot"], transB=1),
        helper.make_node("MatMul", ["a", "b"], ["outer"]),
        helper.make_node("Cast", ["a"], ["ha"], **half),
        helper.make_node("Cast", ["bt"], ["hbt"], **half),
        helper.make_node("Cast", ["b"], ["hb"], **half),
        helper.make_node("Gemm", ["ha", "hbt"], ["hdot"], transB=1),
        helper.make_node("MatMul", ["ha", "hb"], ["houter"]),
        helper.make_node("Cast", ["hdot"], ["dot16"], to=FLOAT),
        helper.make_node("Cast", ["houter"], ["outer16"], to=FLOAT),
        helper.make_node("MatMul", ["wide", "tall"], ["batched"]),
        helper.make_node("ReduceSum", ["bt", "last"], ["sum"], keepdims=0),
        helper.make_node("ReduceSumSquare", ["bt", "last"], ["squares"], keepdims=0),
        helper.make_node("ReduceMax", ["bt", "last"], ["max"], keepdims=0),
        helper.make_node("ReduceMin", ["bt", "last"], ["min"], keepdims=0),
    ]
    shapes = {"dot": "mn", "outer": "mn", "dot16": "mn", "outer16": "mn",
              "sum": "n", "squares": "n", "max": "n", "min": "n"}  # fmt: skip
    outputs = [helper.make_tensor_value_info(n, FLOAT, list(s)) for n, s in shapes.items()]
    outputs.append(helper.make_tensor_value_info("batched", FLOAT, [2, "m", "n"]))
    last = helper.make_tensor("last", TensorProto.INT64, [1], [-1])
    graph = helper.make_graph(nodes, "g", inputs, outputs, [last])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), model)


def make(name, m, n, k):
    random = np.random.default_rng(m * 10007 + n * 101 + k)
    arrays = {
        "a": random.normal(size=(m, k)),
        "bt": random.normal(size=(n, k)),
        "b": random.normal(size=(k, n)),
        "wide": random.normal(size=(2, m, 40)),
        "tall": random.normal(size=(2, 40, n)),
    }
    if k > 2 and n > 1:
        arrays["bt"][1, k - 1] = 100  # the greatest is the very last
        arrays["bt"][0, 0] = -100
    np.savez(name, **{key: value.astype(np.float32) for key, value in arrays.items()})


def expected_of(x):
    half = {key: value.astype(np.float32).astype(np.float16) for key, value in x.items()}
    x = {key: value.astype(np.float64) for key, value in x.items()}
    half = {key: value.astype(np.float64) for key, value in half.items()}

    def product(lhs, rhs, short=0.0):
        exact, size = lhs @ rhs, np.abs(lhs) @ np.abs(rhs)
        return exact, (2 * lhs.shape[-1] + 2) * 2.0**-24 * size + short * np.abs(exact)

    def total(values):
        return values.sum(-1), 2 * values.shape[-1] * 2.0**-24 * np.abs(values).sum(-1)

    return {
        "dot": product(x["a"], x["bt"].T),
        "outer": product(x["a"], x["b"]),
        "dot16": product(half["a"], half["bt"].T, 2.0**-10),
        "outer16": product(half["a"], half["b"], 2.0**-10),
        "batched": product(x["wide"], x["tall"]),
        "sum": total(x["bt"]),
        "squares": total(x["bt"] ** 2),
        "max": (x["bt"].max(-1, initial=-np.inf), 0),
        "min": (x["bt"].min(-1, initial=np.inf), 0),
    }


def check(name, outputs):
    found = np.load(outputs)
    for key, (value, tolerance) in expected_of(dict(np.load(name))).items():
        assert found[key].shape == value.shape, (key, found[key].shape, value.shape)
        # Denormal halves are rounded by an absolute amount.
        floor = 2.0**-25 if key.endswith("16") else 0
        with np.errstate(invalid="ignore"):  # of nothing, the extremes are infinite
            close = np.abs(found[key] - value) <= tolerance + floor
        wrong = ~(close | (found[key] == value))
        assert not wrong.any(), (name, key, np.argwhere(wrong)[:5], found[key][wrong][:5])


# Rows, columns and terms: around the tiles' sizes, more than one block, and none.
SIZES = [(1, 1, 1), (1, 7, 15), (3, 17, 33), (4, 9, 16), (5, 16, 64), (6, 130, 65), (7, 8, 1025),
         (13, 67, 2050), (1, 64, 0), (0, 3, 4), (2, 0, 5)]  # fmt: skip


def call(program, name, outputs, threads=1, variant=None):
    """Runs a compiled model; false if the machine lacks what the variant needs."""
    environment = dict(os.environ)
    if variant:
        environment["TERN_VARIANT"] = variant
    command = [program, "--inputs", name, "--outputs", outputs, "--threads", str(threads)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    if variant and variant != "generic" and run.returncode != 0:
        assert variant in run.stderr, run.stderr
        return False
    assert run.returncode == 0, run.stderr
    return True


def run(vector, portable):
    for size in SIZES:
        make("in.npz", *size)
        call(portable, "in.npz", "out.npz")
        check("in.npz", "out.npz")
    for variant in ["avx512vnni", "avxvnni", "avx2", "generic"]:
        for size in SIZES:
            make("in.npz", *size)
            if not call(vector, "in.npz", "out.npz", 1, variant):
                print(f"{variant}: not here")
                break
            check("in.npz", "out.npz")
            call(vector, "in.npz", "threads.npz", 2, variant)
            one, two = np.load("out.npz"), np.load("threads.npz")
            for key in one.files:
                assert one[key].tobytes() == two[key].tobytes(), (variant, size, key)
        else:
            print(f"{variant}: {len(SIZES)} sizes agree")


{"build": build, "run": run}[sys.argv[1]](*sys.argv[2:])
