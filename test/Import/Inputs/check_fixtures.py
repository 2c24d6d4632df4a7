"""Imports every fixture and compares with what ONNX's Python library reads.

The graph must have the same inputs and outputs, and one onnx.node for every node
that an output depends on, of the same operators in the same order.
"""

import pathlib
import re
import subprocess
import sys

import onnx
import onnx.inliner


def live_operators(graph):
    """The operators of the nodes that an output depends on, constants left out."""
    live = {output.name for output in graph.output}
    operators = []
    for node in reversed(graph.node):
        if live.isdisjoint(node.output):
            continue
        live.update(node.input)
        if node.op_type != "Constant":
            operators.append(f"{node.domain}::{node.op_type}" if node.domain else node.op_type)
    return operators[::-1]


def check(path):
    run = subprocess.run(["tern-import-test", path], capture_output=True, text=True, check=True)
    model = onnx.inliner.inline_local_functions(onnx.load(path))
    graph = model.graph
    initializers = {tensor.name for tensor in graph.initializer}
    names = [value.name for value in graph.input if value.name not in initializers]
    names += [value.name for value in graph.output]
    signature = next(line for line in run.stdout.splitlines() if "func.func" in line)
    assert re.findall(r'onnx\.name = "([^"]*)"', signature) == names, path
    operators = re.findall(r'onnx\.node "([^"]*)"', run.stdout)
    assert operators == live_operators(graph), path
    assert "<*x" not in run.stdout, f"{path}: a value of unknown rank"


paths = sorted(pathlib.Path(sys.argv[1]).glob("*/*/model.onnx"))
for path in paths:
    check(path)
print(f"{len(paths)} models imported")
