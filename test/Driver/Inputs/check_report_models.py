"""Compares reports with the layers of models, as onnx's evaluator finds them.

A layer is a product with constant weights. All that does not depend on the graph's
inputs is computed by onnx's reference evaluator, so that it does not matter how
weights are packed. Each layer has to be in the report once: as a ternary one of its
rows, columns, zeros and bytes if its weights are -s, 0 and s (of a row, or of a block),
else as a float one with a reason.

Usage: check_report_models.py FOLDER...   (each with a model.onnx)
"""

import collections
import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnx.inliner
from onnx.reference import ReferenceEvaluator

# The input that holds the weights.
WEIGHTS = {"MatMul": 1, "Gemm": 1, "MatMulInteger": 1, "QLinearMatMul": 3, "MatMulNBits": 1}


def attributes_of(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def evaluate_constants(model):
    """The values of all tensors that depend on no input of the graph, by name."""
    values = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    for node in model.graph.node:
        if node.domain or not all(name in values for name in node.input if name):
            continue
        feeds = {name: values[name] for name in node.input if name}
        graph = onnx.helper.make_graph(
            [node], "g", [onnx.helper.make_value_info(name, onnx.TypeProto()) for name in feeds],
            [onnx.helper.make_value_info(name, onnx.TypeProto()) for name in node.output])
        opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
        # The evaluator has no older one; what they can say means the same.
        if node.op_type == "DequantizeLinear":
            opset = max(opset, 21)
        single = onnx.helper.make_model(
            graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
        results = ReferenceEvaluator(single).run(None, feeds)
        values.update(zip(node.output, results))
    return values


def unpack_blocks(node, values):
    """Weights of MatMulNBits as [K, N], in units of their scales."""
    given = attributes_of(node)
    bits, size = given["bits"], given["block_size"]
    per_byte = 8 // bits
    codes = values[node.input[1]][..., None] >> (bits * np.arange(per_byte)) & (2**bits - 1)
    codes = codes.reshape(given["N"], -1, size)
    zeros = np.full(codes.shape[:2], 2 ** (bits - 1))
    if len(node.input) > 3 and node.input[3]:
        zeros = values[node.input[3]]
        if zeros.dtype == np.uint8:
            zeros = zeros.reshape(given["N"], -1)[..., None] >> (bits * np.arange(per_byte))
            zeros = (zeros & (2**bits - 1)).reshape(given["N"], -1)[:, :codes.shape[1]]
        zeros = zeros.reshape(codes.shape[:2])
    weights = (codes - zeros[..., None]).reshape(given["N"], -1)
    return weights[:, :given["K"]].T


def weights_of(node, values):
    """The weights [K, N] of a layer, or nothing where they are no constant matrix."""
    index = WEIGHTS.get(node.op_type)
    if index is None or node.input[index] not in values:
        return None
    if node.op_type == "MatMulNBits":
        return unpack_blocks(node, values)
    weights = values[node.input[index]]
    transposed = attributes_of(node).get("transB", 0)
    return (weights.T if transposed else weights).astype(np.float64)


def is_ternary(weights):
    """Whether each row of K has one magnitude but 0, perhaps one for each 32 columns."""
    blocks = np.abs(weights).T.reshape(weights.shape[1], -1, 32)
    largest = blocks.max(-1, keepdims=True)
    # A magnitude is rounded once or twice on its way.
    return np.all((blocks == 0) | (np.abs(blocks - largest) <= 1e-6 * largest))


def expect(model):
    """Ternary layers and float layers as the report should have them, with counts."""
    model = onnx.inliner.inline_local_functions(model)
    values = evaluate_constants(model)
    ternary, floats = collections.Counter(), collections.Counter()
    for node in model.graph.node:
        weights = weights_of(node, values)
        if weights is None:
            continue
        cols, rows = weights.shape
        if is_ternary(weights):
            zeros = int((weights == 0).sum())
            # Fixtures have whole tiles: no byte is padding.
            ternary[rows, cols, zeros, rows * cols * 2 // 8] += 1
        else:
            floats[node.name, f"{cols}x{rows}"] += 1
    return ternary, floats


def check(folder):
    path = folder / "model.onnx"
    run = subprocess.run(["ternc", path, "-o", "-", "--stop-after=pack", "--report=json"],
                         capture_output=True, text=True, check=True)
    lines = [line for line in run.stderr.splitlines() if line.startswith("{")]
    report = json.loads(lines[0])
    layers, kept, totals = report["layers"], report["float_layers"], report["totals"]
    ternary, floats = expect(onnx.load(path))
    found = collections.Counter((l["rows"], l["cols"], l["zeros"], l["bytes"]) for l in layers)
    assert found == ternary, f"{folder.name}: found {found}, expected {ternary}"
    found = collections.Counter((l["name"], l["weights"].rpartition("x")[0]) for l in kept)
    assert found == floats, f"{folder.name}: found {found}, expected {floats}"
    assert all(l["reason"] and l["head"] for l in kept), kept
    names = [l["name"] for l in layers + kept]
    assert len(set(names)) == len(names) and "" not in names, names
    sums = {key: sum(n * k[index] for k, n in ternary.items())
            for key, index in (("zeros", 2), ("bytes", 3))}
    sums["weights"] = sum(n * k[0] * k[1] for k, n in ternary.items())
    sums["layers"], sums["float_layers"] = ternary.total(), floats.total()
    assert totals == sums, f"{folder.name}: found {totals}, expected {sums}"
    return ternary.total() + floats.total()


folders = [pathlib.Path(name) for name in sys.argv[1:]]
print(f"{sum(map(check, folders))} layers of {len(folders)} models are reported as they are")
