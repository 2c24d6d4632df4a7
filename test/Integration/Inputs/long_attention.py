"""Attention over many tokens in little memory: build MODEL DATA | run PROGRAM DATA."""

import os
import resource
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

TOKENS, HEADS, SIZE = 8192, 2, 8
# The scores alone would take 512 MiB.
LIMIT_MIB = 96


def build(model, data):
    attention = helper.make_node("Attention", ["q", "k", "v"], ["y"], is_causal=1)
    shape = ["batch", HEADS, "tokens", SIZE]
    shared = ["batch", 1, "tokens", SIZE]
    graph = helper.make_graph(
        [attention],
        "attention",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s)
         for n, s in (("q", shape), ("k", shared), ("v", shared))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)]), model)
    rng = np.random.default_rng(6)
    values = {"q": (1, HEADS, TOKENS, SIZE), "k": (1, 1, TOKENS, SIZE), "v": (1, 1, TOKENS, SIZE)}
    np.savez(data, **{n: rng.normal(size=s).astype(np.float32) for n, s in values.items()})


def attend(inputs, head, query):
    """One row, in f64."""
    q, k, v = (inputs[name].astype(np.float64) for name in "qkv")
    scores = k[0, 0, : query + 1] @ q[0, head, query] / np.sqrt(SIZE)
    weights = np.exp(scores - scores.max())
    return weights @ v[0, 0, : query + 1] / weights.sum()


def run(program, data):
    for threads in (1, 2):
        arguments = [program, "--inputs", data, "--outputs", f"out{threads}.npz",
                     "--threads", str(threads)]  # fmt: skip
        status = os.spawnv(os.P_WAIT, program, arguments)
        assert status == 0, status
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    assert peak < LIMIT_MIB, f"{peak:.0f} MiB; expected less than {LIMIT_MIB}"
    one, two = (np.load(f"out{threads}.npz")["y"] for threads in (1, 2))
    assert np.array_equal(one, two), "another number of threads, other results"
    inputs = np.load(data)
    for head in range(HEADS):
        for query in (0, 1, 31, 32, 1000, TOKENS - 1):
            expected = attend(inputs, head, query)
            error = np.abs(one[0, head, query] - expected).max()
            assert error < 2e-6, (head, query, error)


{"build": build, "run": run}[sys.argv[1]](*sys.argv[2:])
