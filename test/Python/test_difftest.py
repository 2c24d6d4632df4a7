"""tools/dev/difftest: its reducer, its oracle, and that it notices mistakes."""

import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

TOOLS = Path(__file__).resolve().parents[2] / "tools" / "dev"
sys.path.insert(0, str(TOOLS))

from difftest.compiler import Compiler  # noqa: E402
from difftest.graph import in_random_order, make_model  # noqa: E402
from difftest.oracle import Oracle, difference  # noqa: E402
from difftest.reduce import prune, reduce  # noqa: E402
from difftest.runner import Case, Runner  # noqa: E402

FLOAT = onnx.TensorProto.FLOAT


@pytest.fixture
def decoder():
    """A random decoder of a hundred nodes and more, and one run of it."""
    graph = Case("decoder", 18, 3).build()
    model = make_model([graph], np.random.default_rng(0))
    assert len(model.graph.node) > 100
    return model, graph.feeds[0]


def operators(model):
    return [node.op_type for node in model.graph.node]


def test_reduces_to_the_node_at_fault(decoder):
    """What fails: any model that can be run and holds a Softmax."""

    def holds(model, feeds):
        if "Softmax" not in operators(model):
            return False
        try:
            Oracle(model).run(feeds)
        except Exception:
            return False
        return True

    model, feeds = reduce(*decoder, holds)
    assert operators(model) == ["Softmax"]
    assert len(model.graph.output) == 1 and not model.graph.initializer
    # Its sizes and values have shrunk as well.
    (array,) = feeds.values()
    assert array.size <= 1 and not array.any()


def five_nodes():
    """y = exp(cos(-x) * |x|)"""
    nodes = [
        helper.make_node("Neg", ["x"], ["a"]),
        helper.make_node("Cos", ["a"], ["b"]),
        helper.make_node("Abs", ["x"], ["c"]),
        helper.make_node("Mul", ["b", "c"], ["d"]),
        helper.make_node("Exp", ["d"], ["y"]),
    ]
    infos = [helper.make_tensor_value_info(name, FLOAT, ["n", 4]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return model, {"x": np.ones((3, 4), np.float32)}


def test_reduces_two_nodes_that_fail_together():
    """What fails: a product of whose operands one is a Cos."""

    def holds(model, feeds):
        angles = {n.output[0] for n in model.graph.node if n.op_type == "Cos"}
        if not any(n.op_type == "Mul" and set(n.input) & angles for n in model.graph.node):
            return False
        try:
            Oracle(model).run(feeds)
        except Exception:
            return False
        return True

    smallest, _ = reduce(*five_nodes(), holds)
    assert operators(smallest) == ["Cos", "Mul"]


def test_what_holds_no_more_is_not_taken():
    model, feeds = five_nodes()
    same, kept = reduce(model, feeds, lambda m, f: m is model and f is feeds)
    assert same is model and kept is feeds


def test_prune_drops_what_no_output_needs(decoder):
    model, feeds = decoder
    graph = model.graph
    del graph.output[1:]
    graph.node.append(helper.make_node("Neg", [graph.input[0].name], ["unused"]))
    prune(model, feeds)
    assert "unused" not in {name for node in graph.node for name in node.output}


def test_random_orders_are_orders(decoder):
    known = {i.name for i in decoder[0].graph.input}
    known |= {t.name for t in decoder[0].graph.initializer} | {""}
    first, second = (in_random_order(list(decoder[0].graph.node), np.random.default_rng(seed))
                     for seed in (1, 2))  # fmt: skip
    assert [n.output[0] for n in first] != [n.output[0] for n in second]
    assert len(first) == len(decoder[0].graph.node)
    for node in first:
        assert set(node.input) <= known
        known.update(node.output)


def test_short_floats_are_rounded_once():
    """3000 ones: sums in bf16 itself would stop at 256."""
    x = np.ones((1, 3000), ml_dtypes.bfloat16)
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    infos = [helper.make_tensor_value_info(name, onnx.TensorProto.BFLOAT16, None)
             for name in ("x", "y")]  # fmt: skip
    weights = numpy_helper.from_array(np.ones((3000, 1), ml_dtypes.bfloat16), "w")
    graph = helper.make_graph([node], "g", infos[:1], infos[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    assert Oracle(model).run({"x": x})["y"].astype(np.float64) == 3008  # of 8 bits


def test_difference_sees_a_flipped_code():
    rng = np.random.default_rng(0)
    codes = rng.integers(-127, 128, (3, 64))
    trits = rng.integers(-1, 2, (64, 16))
    expected = (codes @ trits).astype(np.float32)
    off = codes.copy()
    off[1, np.flatnonzero(trits[:, 5])[0]] += 1
    assert difference(expected * np.float32(1 + 1e-6), expected, None) is None
    assert "first at [1," in difference((off @ trits).astype(np.float32), expected, None)
    assert "shape" in difference(expected[:1], expected, None)
    assert difference(None, expected, None) == "is missing"


CRASHES = """#!{python}
import os, sys, onnx
model = onnx.load(sys.argv[1])
if any(n.op_type == "{op}" for n in model.graph.node):
    sys.stderr.write("error: {op}\\n")
    sys.exit({status})
open(sys.argv[3], "w").write("#!/bin/sh\\nexit 9\\n")
os.chmod(sys.argv[3], 0o755)
"""


@pytest.mark.parametrize("status,kind", [(1, "refusal"), (3, "crash")])
def test_names_the_case_of_a_batch_that_fails(tmp_path, status, kind):
    """Of two cases that share a compilation, one has the operator at fault."""
    program = tmp_path / "ternc"
    program.write_text(CRASHES.format(python=sys.executable, op="QLinearMatMul", status=status))
    program.chmod(0o755)
    cases = [Case("layer", 20, seed) for seed in range(40)]
    has = {case: any(n.op_type == "QLinearMatMul" for n in case.build().nodes) for case in cases}
    guilty = next(case for case in cases if has[case])
    innocent = next(case for case in cases if not has[case])
    runner = Runner(Compiler(str(program), tmp_path), tmp_path)
    failures = [f for f in runner.check([guilty, innocent]) if f.case == guilty]
    assert [f.kind for f in failures] == [kind]
    assert Case.parse(str(guilty)) == guilty


def test_the_command_prints_what_reproduces(tmp_path):
    program = tmp_path / "ternc"
    program.write_text(CRASHES.format(python=sys.executable, op="MatMulNBits", status=3))
    program.chmod(0o755)
    case = next(c for c in (Case("layer", 18, s) for s in range(99))
                if any(n.op_type == "MatMulNBits" for n in c.build().nodes))  # fmt: skip
    keep = tmp_path / "keep"
    done = subprocess.run(
        [sys.executable, "-m", "difftest", "--case", str(case), "--keep", keep, "--reduce",
         "--ternc", program],
        cwd=TOOLS, capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 1
    assert f"crash: {case}: status 3: error: MatMulNBits" in done.stdout
    assert f"--case {case}" in done.stdout and "0 of 1 graphs agree" in done.stdout
    smallest = onnx.load(keep / f"{case}-reduced" / "model.onnx")
    assert [n.op_type for n in smallest.graph.node].count("MatMulNBits") == 1
    assert len(smallest.graph.node) == 1
    assert "MatMulNBits" in (keep / f"{case}-reduced" / "dump.txt").read_text()
