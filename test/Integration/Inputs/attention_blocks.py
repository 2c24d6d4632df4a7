"""Attention of many queries: build MODEL DATA | run PROGRAM DATA."""

import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

KV_HEADS = 2


class Case:
    """One Attention of `queries` queries to `keys` keys, the first `keys - queries` of which
    are the past where it is causal."""

    def __init__(self, group, queries, keys, size=16, value_size=16, left=-1, causal=True,
                 scale=0.0):  # fmt: skip
        self.group, self.queries, self.keys = group, queries, keys
        self.size, self.value_size = size, value_size
        self.left, self.causal, self.scale = left, causal, scale

    def shapes(self):
        past = self.keys - self.queries if self.causal else 0
        shapes = {"q": (1, KV_HEADS * self.group, self.queries, self.size),
                  "k": (1, KV_HEADS, self.keys - past, self.size),
                  "v": (1, KV_HEADS, self.keys - past, self.value_size)}  # fmt: skip
        if self.causal:
            shapes["pk"] = (1, KV_HEADS, past, self.size)
            shapes["pv"] = (1, KV_HEADS, past, self.value_size)
        return shapes

    def attend(self, x):
        x = {name: value.astype(np.float64)[0] for name, value in x.items()}
        k, v = x["k"], x["v"]
        if self.causal:
            k = np.concatenate([x["pk"], k], axis=1)
            v = np.concatenate([x["pv"], v], axis=1)
        k, v = (np.repeat(a, self.group, axis=0) for a in (k, v))
        scores = x["q"] @ k.transpose(0, 2, 1) * (self.scale or 1 / np.sqrt(self.size))
        behind = np.arange(self.keys) - np.arange(self.queries)[:, None]
        if self.causal:
            behind -= self.keys - self.queries
            scores[:, behind > 0] = -np.inf
        if self.left >= 0:
            scores[:, behind < -self.left] = -np.inf
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return weights @ v / weights.sum(axis=-1, keepdims=True)


CASES = [
    Case(4, 45, 130),
    Case(4, 45, 130, size=128, value_size=64),
    Case(1, 100, 181, size=20, value_size=6),
    Case(3, 33, 61, left=20),
    Case(9, 17, 70),
    Case(15, 16, 121),
    Case(70, 2, 65),
    Case(2, 70, 90, causal=False, scale=0.3),
    Case(2, 150, 170, left=62),
    # Rows, their keys in parts of 512: half of the queries that a block of columns may have.
    Case(4, 8, 130),
    Case(16, 1, 130),
    Case(4, 1, 1),
    Case(4, 1, 512),
    Case(4, 1, 513, size=128, value_size=64),
    Case(1, 3, 1537, size=20, value_size=6),
    # No query reaches the first of three parts, and the first query some of the second.
    Case(2, 4, 1400, left=500),
    Case(3, 1, 1024, causal=False, scale=0.3),
]


def build(model, data):
    nodes, inputs, outputs, arrays = [], [], [], {}
    rng = np.random.default_rng(23)
    for i, case in enumerate(CASES):
        names = ["q", "k", "v", "", "pk", "pv"] if case.causal else ["q", "k", "v"]
        attributes = {"is_causal": int(case.causal), "left_window_size": case.left}
        if case.scale:
            attributes["scale"] = case.scale
        nodes.append(helper.make_node(
            "Attention", [name and f"{name}{i}" for name in names],
            [f"y{i}"] + ([f"_k{i}", f"_v{i}"] if case.causal else []), **attributes))  # fmt: skip
        for name, shape in case.shapes().items():
            arrays[f"{name}{i}"] = rng.normal(size=shape).astype(np.float32)
            # Lengths are not known, as a prompt's are not.
            dims = [1, shape[1], f"length_{name}{i}", shape[3]]
            inputs.append(helper.make_tensor_value_info(f"{name}{i}", TensorProto.FLOAT, dims))
        outputs.append(helper.make_tensor_value_info(
            f"y{i}", TensorProto.FLOAT,
            [1, KV_HEADS * case.group, f"length_q{i}", case.value_size]))  # fmt: skip
    graph = helper.make_graph(nodes, "attention", inputs, outputs)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)]), model)
    np.savez(data, **arrays)


def run(program, data):
    wrong = []
    results = []
    for threads in ("1", "2"):
        subprocess.run([program, "--inputs", data, "--outputs", "out.npz", "--threads", threads],
                       check=True)  # fmt: skip
        results.append(dict(np.load("out.npz")))
    inputs = np.load(data)
    for i, case in enumerate(CASES):
        found = results[0][f"y{i}"][0]
        expected = case.attend({name: inputs[f"{name}{i}"] for name in case.shapes()})
        # Sums of some hundred terms in f32.
        error = np.abs(found - expected).max()
        if error > 3e-6 or not np.array_equal(found, results[1][f"y{i}"][0]):
            wrong.append(f"node {i}: off by {error}, or other threads give other results")
    print(*wrong, f"{len(CASES)} nodes, {len(wrong)} wrong", sep="\n")


{"build": build, "run": run}[sys.argv[1]](*sys.argv[2:])
