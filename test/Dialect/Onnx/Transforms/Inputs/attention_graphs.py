"""Attention spelled out in many ways, to be compared with onnxruntime.

attention_graphs.py make MODEL [SEED]    writes the graphs as one model; a seed
                                         puts its nodes into another valid order
attention_graphs.py check MODEL COMMAND  runs the compiled model on inputs of
                                         several sizes and compares the outputs
"""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

BATCH, HEADS, KV_HEADS, SIZE, TABLE = "batch", 4, 2, 8, 16
LOWEST = float(np.finfo(np.float32).min)


class Graph:
    """Collects nodes; every method that makes one returns its output."""

    def __init__(self):
        self.nodes, self.constants, self.outputs = [], [], []

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(array), name))
        return name

    def ints(self, *values):
        return self.constant(np.array(values, np.int64))

    def int(self, value):
        return self.constant(np.int64(value))

    def float(self, value):
        return self.constant(np.float32(value))

    def __getattr__(self, op):
        def node(*inputs, **attributes):
            name = f"n{len(self.nodes)}"
            self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
            return name

        return node

    def size(self, value, dim):
        """One size of a value, a tensor [1]."""
        return self.Gather(self.Shape(value), self.ints(dim), axis=0)

    def range(self, count, start=None):
        stop = self.Squeeze(count)
        positions = self.Range(self.int(0), stop, self.int(1))
        return self.Add(positions, self.Squeeze(start)) if start else positions


# How heads of keys and values are repeated: [B, Hkv, T, D] to [B, H, T, D].


def repeat_by_expand(g, x):
    batch, keys = g.size(x, 0), g.size(x, 2)
    groups, size = g.ints(HEADS // KV_HEADS), g.ints(SIZE)
    shape = g.Concat(batch, g.ints(KV_HEADS), groups, keys, size, axis=0)
    full = g.Concat(batch, g.ints(HEADS), keys, size, axis=0)
    return g.Reshape(g.Expand(g.Unsqueeze(x, g.ints(2)), shape), full, allowzero=1)


def repeat_by_tile(g, x):
    tiled = g.Tile(g.Unsqueeze(x, g.ints(2)), g.ints(1, 1, HEADS // KV_HEADS, 1, 1))
    return g.Reshape(tiled, g.ints(0, HEADS, -1, SIZE))


def repeat_by_concat(g, x):
    split = g.Unsqueeze(x, g.ints(2))
    joined = g.Concat(*[split] * (HEADS // KV_HEADS), axis=2)
    return g.Reshape(joined, g.ints(0, HEADS, -1, SIZE))


def repeat_by_gather(g, x):
    return g.Gather(x, g.ints(*np.repeat(range(KV_HEADS), HEADS // KV_HEADS)), axis=1)


# Masks: what becomes of the scores [B, H, S, T].


def causal(g, sizes, compare="LessOrEqual"):
    rows = g.Unsqueeze(g.range(sizes["queries"], sizes["past"]), g.ints(0, 1, 3))
    columns = g.Unsqueeze(g.range(sizes["keys"]), g.ints(0, 1, 2))
    return getattr(g, compare)(columns, rows)


def mask_by_ranges(g, scores, sizes):
    return g.Add(scores, g.Where(causal(g, sizes), g.float(0), g.float(LOWEST)))


def mask_by_fill(g, scores, sizes):
    return g.Where(causal(g, sizes, "Greater"), g.float(-np.inf), scores)


def mask_by_trilu(g, scores, sizes):
    shape = g.Concat(sizes["queries"], sizes["keys"], axis=0)
    lowest = helper.make_tensor("value", TensorProto.FLOAT, [1], [LOWEST])
    diagonal = g.Add(g.Squeeze(sizes["past"]), g.int(1))
    full = g.ConstantOfShape(shape, value=lowest)
    return g.Add(scores, g.Trilu(full, diagonal, upper=1))


def mask_by_table(g, scores, sizes):
    table = g.constant(np.tri(TABLE, dtype=bool)[None, None])
    stop = g.Add(sizes["past"], sizes["queries"])
    rows = g.Slice(table, sizes["past"], stop, g.ints(2))
    part = g.Slice(rows, g.ints(0), sizes["keys"], g.ints(3))
    return g.Where(g.Not(part), g.float(LOWEST), scores)


def mask_by_concat(g, scores, sizes):
    one = helper.make_tensor("value", TensorProto.FLOAT, [1], [1.0])
    queries = sizes["queries"]
    left = g.ConstantOfShape(g.Concat(queries, sizes["past"], axis=0), value=one)
    right = g.ConstantOfShape(g.Concat(queries, queries, axis=0), value=one)
    whole = g.Concat(left, g.Trilu(right, upper=0), axis=1)
    return g.Where(g.Cast(whole, to=TensorProto.BOOL), scores, g.float(-np.inf))


def mask_by_cumsum(g, scores, sizes):
    one = helper.make_tensor("value", TensorProto.INT64, [1], [1])
    ones = g.ConstantOfShape(sizes["keys"], value=one)
    count = g.Sub(g.CumSum(ones, g.int(0)), g.int(1))
    rows = g.Slice(count, sizes["past"], sizes["keys"], g.ints(0))
    allowed = g.Less(g.Unsqueeze(rows, g.ints(1)), g.Unsqueeze(count, g.ints(0)))
    return g.Add(scores, g.Where(allowed, g.float(-np.inf), g.float(0)))


def mask_by_padding(g, scores, sizes):
    padding = g.Equal(g.Unsqueeze("attention_mask", g.ints(1, 2)), g.int(1))
    allowed = g.And(causal(g, sizes), padding)
    return g.Add(scores, g.Where(allowed, g.float(0), g.float(LOWEST)))


def mask_twice(g, scores, sizes):
    padding = g.Cast(g.Unsqueeze("attention_mask", g.ints(1, 2)), to=TensorProto.FLOAT)
    missing = g.Mul(g.Sub(g.float(1), padding), g.float(LOWEST))
    return g.Add(mask_by_fill(g, scores, sizes), missing)


def mask_by_bias(g, scores, sizes):
    return g.Add(mask_by_fill(g, scores, sizes), "bias")


# Scales: of queries, transposed keys, and scores.


def scale_scores(g, q, kt):
    return g.Mul(g.MatMul(q, kt), g.float(0.3))


def scale_queries(g, q, kt):
    return g.MatMul(g.Div(q, g.float(3)), kt)


def scale_both(g, q, kt):
    size = g.Cast(g.Slice(g.Shape(q), g.ints(-1), g.ints(2**63 - 1)), to=TensorProto.FLOAT)
    root = g.Sqrt(g.Reciprocal(g.Sqrt(size)))
    return g.MatMul(g.Mul(q, root), g.Mul(kt, root))


def cap_scores(g, q, kt):
    scores = g.Div(g.MatMul(q, kt), g.float(2))
    return g.Mul(g.Tanh(g.Div(scores, g.float(5))), g.float(5))


FORMS = [
    (repeat_by_expand, scale_scores, mask_by_ranges),
    (repeat_by_tile, scale_queries, mask_by_fill),
    (repeat_by_concat, scale_both, mask_by_trilu),
    (repeat_by_gather, cap_scores, mask_by_table),
    (repeat_by_expand, scale_both, mask_by_concat),
    (repeat_by_gather, scale_queries, mask_by_cumsum),
    (repeat_by_expand, scale_scores, mask_by_padding),
    (repeat_by_tile, scale_scores, mask_twice),
    (repeat_by_concat, cap_scores, mask_by_bias),
]


def attend(g, repeat, scale, mask, cached):
    """Appends one attention; its caches are outputs as well."""
    keys, values = "k", "v"
    sizes = {"queries": g.size("q", 2), "past": g.Sub(g.size("k", 2), g.size("q", 2))}
    if cached:
        keys = g.Concat("past_k", "k", axis=2)
        values = g.Concat("past_v", "v", axis=-2)
        sizes["past"] = g.size("past_k", 2)
        g.outputs += [keys, values]
    sizes["keys"] = g.size(keys, 2)
    kt = g.Transpose(repeat(g, keys), perm=[0, 1, 3, 2])
    weights = g.Softmax(mask(g, scale(g, "q", kt), sizes), axis=-1)
    g.outputs.append(g.MatMul(weights, repeat(g, values)))


def shuffled(nodes, seed):
    """The nodes in a random order in which each comes after what it reads."""
    choose, waiting, done, order = random.Random(seed), list(nodes), set(), []
    made = {name for node in nodes for name in node.output}
    while waiting:
        ready = [n for n in waiting if all(i in done or i not in made for i in n.input)]
        node = choose.choice(ready)
        waiting.remove(node)
        order.append(node)
        done.update(node.output)
    return order


def tensor(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def make(path, seed):
    g = Graph()
    for form in FORMS:
        attend(g, *form, cached=True)
    attend(g, repeat_by_expand, scale_scores, mask_by_ranges, cached=False)
    new, past = [BATCH, KV_HEADS, "seq", SIZE], [BATCH, KV_HEADS, "past", SIZE]
    inputs = [
        tensor("q", [BATCH, HEADS, "seq", SIZE]),
        *(tensor(name, new) for name in ("k", "v")),
        *(tensor(name, past) for name in ("past_k", "past_v")),
        tensor("attention_mask", [BATCH, "total"], TensorProto.INT64),
        tensor("bias", [1, HEADS, 1, "total"]),
    ]
    outputs = [tensor(name, [None] * 4) for name in g.outputs]
    nodes = shuffled(g.nodes, seed) if seed else g.nodes
    graph = helper.make_graph(nodes, "attention", inputs, outputs, g.constants)
    opset = helper.make_opsetid("", 18)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def make_inputs(batch, past, queries, padding):
    draw = np.random.default_rng(past + queries)
    keys = past + queries

    def floats(*shape):
        return draw.standard_normal(shape).astype(np.float32)

    mask = np.ones((batch, keys), np.int64)
    mask[-1, :padding] = 0
    return {
        "q": floats(batch, HEADS, queries, SIZE),
        "k": floats(batch, KV_HEADS, queries, SIZE),
        "v": floats(batch, KV_HEADS, queries, SIZE),
        "past_k": floats(batch, KV_HEADS, past, SIZE),
        "past_v": floats(batch, KV_HEADS, past, SIZE),
        "attention_mask": mask,
        "bias": floats(1, HEADS, 1, keys),
    }


def check(model, command):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    )
    session = onnxruntime.InferenceSession(model, options)
    names = [output.name for output in session.get_outputs()]
    worst = 0.0
    # In the third, padding leaves two queries without a key.
    cases = [(1, 0, 5, 0), (2, 3, 4, 2), (2, 3, 4, 5), (2, 6, 1, 3), (1, 0, 1, 0)]
    for batch, past, queries, padding in cases:
        inputs = make_inputs(batch, past, queries, padding)
        expected = dict(zip(names, session.run(names, inputs)))
        with tempfile.TemporaryDirectory() as folder:
            given, found = Path(folder, "in.npz"), Path(folder, "out.npz")
            np.savez(given, **inputs)
            subprocess.run([command, "--inputs", given, "--outputs", found], check=True)
            with np.load(found) as arrays:
                for name in names:
                    error = np.abs(arrays[name] - expected[name]).max()
                    worst = max(worst, float(error))
    print(f"{len(names)} outputs, {'right' if worst < 2e-6 else f'off by {worst:.3g}'}")


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None)
    else:
        check(sys.argv[2], sys.argv[3])
