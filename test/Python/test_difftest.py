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

from difftest import operators as random_operators  # noqa: E402
from difftest.compiler import Compiler  # noqa: E402
from difftest.graph import in_random_order, make_model  # noqa: E402
from difftest.oracle import NoTruth, Oracle, difference  # noqa: E402
from difftest.reduce import prune, reduce  # noqa: E402
from difftest.runner import Case, Runner, judge  # noqa: E402

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


# ===------------------------------------------------------------------------=== #
# Operators and chains of them
# ===------------------------------------------------------------------------=== #

# What exporters of ternary models write.
NEEDED = """
    Abs Add And Attention BitShift BitwiseAnd BitwiseNot BitwiseOr Cast CastLike Clip Concat
    ConstantOfShape Cos DequantizeLinear Div DynamicQuantizeLinear Equal Expand Flatten Floor
    Gather GatherND Gemm Identity IsNaN Less LessOrEqual MatMul MatMulInteger Max Min Mod Mul Neg
    Not Pow QLinearMatMul QuantizeLinear Range Reciprocal ReduceMax ReduceMean ReduceSum Relu
    Reshape RMSNormalization RotaryEmbedding Round ScatterND Shape Sigmoid Sin Slice Softmax Sqrt
    Squeeze Sub TensorScatter Transpose Unsqueeze Where MatMulNBits GroupQueryAttention
    SkipSimplifiedLayerNormalization SimplifiedLayerNormalization""".split()


def test_all_needed_operators_are_drawn():
    assert set(NEEDED) <= {o.name for o in random_operators.OPERATORS}


@pytest.mark.parametrize("opset", [13, 28])
def test_whatever_is_drawn_has_a_truth(opset):
    for operator in random_operators.available(opset):
        for seed in range(3):
            graph = random_operators.build_around(operator, opset, np.random.default_rng(seed))
            assert operator.name in [node.op_type for node in graph.nodes]
            assert graph.outputs and graph.notes


def test_powers_have_exponents_that_opset_13_takes():
    """Bases of bf16 may have no exponents of bf16 there."""
    (power,) = (o for o in random_operators.OPERATORS if o.name == "Pow")
    graphs = [random_operators.build_around(power, 13, np.random.default_rng(seed))
              for seed in range(30)]  # fmt: skip
    assert any("bfloat16" in graph.notes[0] for graph in graphs)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_a_softmax_of_nothing_has_a_truth(shape):
    """In bf16, which onnxruntime does not compute."""
    node = helper.make_node("Softmax", ["x"], ["y"])
    infos = [helper.make_tensor_value_info(name, onnx.TensorProto.BFLOAT16, shape)
             for name in ("x", "y")]  # fmt: skip
    graph = helper.make_graph([node], "g", infos[:1], infos[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    (y,) = Oracle(model).run({"x": np.zeros(shape, ml_dtypes.bfloat16)}).values()
    assert y.shape == shape and y.dtype == ml_dtypes.bfloat16


@pytest.mark.parametrize("family", ["operator", "chain"])
def test_a_name_makes_the_same_graph_again(family):
    def model_of(case):
        graph = case.build()
        return make_model([graph], np.random.default_rng(0)), graph.feeds

    case = Case(family, 21, 12)
    (first, feeds), (second, again) = model_of(case), model_of(Case.parse(str(case)))
    assert first == second
    assert feeds[0].keys() == again[0].keys()
    assert all(np.array_equal(feeds[0][k], again[0][k], equal_nan=feeds[0][k].dtype.kind == "f")
               for k in feeds[0])  # fmt: skip
    assert first != model_of(Case(family, 21, 13))[0]


def test_operands_come_in_all_kinds():
    """Constants and inputs; sizes known, named and unnamed; axes in either place."""
    graphs = [Case("operator", 14 + seed % 2 * 6, seed).build() for seed in range(120)]
    shapes = [i.type.tensor_type.shape.dim for g in graphs for i in g.inputs]
    kinds = {dim.WhichOneof("value") for shape in shapes for dim in shape}
    assert kinds == {None, "dim_param", "dim_value"}
    assert {bool(g.inputs) for g in graphs} == {True, False}
    assert any(0 in array.shape for g in graphs for array in g.feeds[0].values())
    assert any(array.ndim == 0 for g in graphs for array in g.feeds[0].values())
    means = [o for o in random_operators.OPERATORS if o.name == "ReduceMean"]
    forms = {(opset, any(a.name == "axes" for a in node.attribute), len(node.input))
             for opset in (17, 18) for seed in range(8)
             for node in random_operators.build_around(
                 means[0], opset, np.random.default_rng(seed)).nodes
             if node.op_type == "ReduceMean"}  # fmt: skip
    assert (17, True, 1) in forms and (18, False, 2) in forms
    assert (18, True, 1) not in forms and (17, False, 2) not in forms


def test_chains_read_what_they_computed():
    lengths = []
    for seed in range(12):
        graph = Case("chain", 20, seed).build()
        produced = {name for node in graph.nodes if node.op_type not in ("Constant", "Shape")
                    for name in node.output}  # fmt: skip
        outputs = {o.name for o in graph.outputs}
        inner = {n for node in graph.nodes for n in node.input if not set(node.output) & outputs}
        lengths.append(len(inner & produced))
    assert sum(lengths) > 12


def test_a_wrong_result_is_a_mismatch():
    """Neither onnxruntime nor onnx's evaluator computes it."""
    case = Case("operator", 20, 0)  # a name for the message
    add = next(o for o in random_operators.OPERATORS if o.name == "Add")
    for seed in range(99):
        graph = random_operators.build_around(add, 20, np.random.default_rng(seed))
        truth = Oracle(make_model([graph], np.random.default_rng(0))).run(graph.feeds[0])
        (array,) = truth.values()
        if array.dtype == np.float32 and array.size and np.isfinite(array).all():
            break
    assert judge(case, graph, [truth]) is None
    wrong = {name: array + np.float32(0.5) for name, array in truth.items()}
    assert judge(case, graph, [wrong]).kind == "mismatch"
    assert judge(case, graph, [{}]).message.endswith("is missing")


def test_two_implementations_say_what_is_true():
    truths = list(Oracle(five_nodes()[0]).truths(five_nodes()[1]))
    assert len(truths) == 2
    assert np.allclose(truths[0]["y"], truths[1]["y"])


def test_no_truth_is_told():
    node = helper.make_node("NoSuchOperator", ["x"], ["y"])
    infos = [helper.make_tensor_value_info(name, FLOAT, [1]) for name in ("x", "y")]
    model = helper.make_model(helper.make_graph([node], "g", infos[:1], infos[1:]))
    with pytest.raises(NoTruth, match="NoSuchOperator"):
        Oracle(model).run({"x": np.ones(1, np.float32)})


COUNTS = """#!{python}
import sys, onnx
names = [n.name for n in onnx.load(sys.argv[1]).graph.node if n.op_type == "{op}"]
open("{log}", "a").write("x")
if names:
    sys.stderr.write("error: node '" + names[0] + "' is bad\\n")
    sys.exit(3)
open(sys.argv[3], "w").write("#!/bin/sh\\nexit 0\\n")
"""


def test_only_what_the_message_names_is_compiled_alone(tmp_path):
    program, log = tmp_path / "ternc", tmp_path / "log"
    program.write_text(COUNTS.format(python=sys.executable, op="Sigmoid", log=log))
    program.chmod(0o755)
    cases = {}
    for seed in range(200):
        case = Case("operator", 20, seed)
        cases.setdefault(case.build().notes[0].split("(")[0], case)
    batch = [case for name, case in cases.items() if name in ("Sigmoid", "Add", "Mul", "Cos")]
    runner = Runner(Compiler(str(program), tmp_path), tmp_path)
    runner.compiler.execute = lambda program, feeds: ({}, "")
    failures = runner.check(batch)
    assert {f.case: f.kind for f in failures}[cases["Sigmoid"]] == "crash"
    assert len(log.read_text()) == 3  # all, the one named, the others
