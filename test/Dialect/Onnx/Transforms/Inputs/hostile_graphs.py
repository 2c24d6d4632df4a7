"""make FOLDER: writes NAME.onnx for graphs whose tokens look as if they could be
read one by one. check MODEL: compares the logits of run_both.c on standard input
with what onnx's reference evaluator gives for the whole sequence."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

# As run_both.c is called.
TOKENS = [3, 1, 4, 1, 5, 9, 2, 6]
VOCAB, HIDDEN, HEADS = 16, 8, 2


class Builder:
    """Nodes between "x", the tokens' rows of a table, and "y", to be a head's."""

    def __init__(self):
        self.nodes, self.constants = [], []
        self.random = np.random.default_rng(3)
        self.weight("table", [VOCAB, HIDDEN])
        self.node("Gather", ["table", "input_ids"], "x")

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))

    def weight(self, name, shape):
        self.constant(name, self.random.uniform(-1, 1, shape).astype(np.float32))

    def node(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def positions(self):
        """"length" [1]; positions "range" [n], "rows" [n, 1], "cols" [1, n]."""
        for name, value in (("zero", 0), ("one", 1), ("first", [0]), ("second", [1])):
            self.constant(name, value)
        self.node("Shape", ["input_ids"], "length", start=1, end=2)
        self.node("Squeeze", ["length"], "n")
        self.node("Range", ["zero", "n", "one"], "range")
        self.node("Unsqueeze", ["range", "second"], "rows")
        self.node("Unsqueeze", ["range", "first"], "cols")

    def attend(self, kind, mask):
        """Attention with "mask", which is added to the scores or selects them."""
        self.constant("split", [0, -1, HEADS, HIDDEN // HEADS])
        self.constant("joined", [0, 0, HIDDEN])
        for name, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
            self.weight(f"w_{name}", [HIDDEN, HIDDEN])
            self.node("MatMul", ["x", f"w_{name}"], f"{name}_rows")
            self.node("Reshape", [f"{name}_rows", "split"], f"{name}_split")
            self.node("Transpose", [f"{name}_split"], name, perm=order)
        self.node("MatMul", ["q", "k"], "scores")
        self.constant("masked", np.float32(-np.inf))
        self.node(kind, [mask, "scores"] + (["masked"] if kind == "Where" else []), "kept")
        self.node("Softmax", ["kept"], "weights", axis=-1)
        self.node("MatMul", ["weights", "v"], "mixed")
        self.node("Transpose", ["mixed"], "mixed_split", perm=[0, 2, 1, 3])
        self.node("Reshape", ["mixed_split", "joined"], "y")

    def save(self, path):
        self.weight("head", [HIDDEN, VOCAB])
        self.node("MatMul", ["y", "head"], "logits")
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes, "hostile",
            [info("input_ids", TensorProto.INT64, ["batch", "sequence"])],
            [info("logits", TensorProto.FLOAT, ["batch", "sequence", VOCAB])], self.constants)
        onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[
            helper.make_opsetid("", 23)]), path)


def causal(b):
    """What the others pretend to be."""
    b.positions()
    b.node("LessOrEqual", ["cols", "rows"], "mask")
    b.attend("Where", "mask")


def counted_from_end(b):
    """Rows -1, -2, ... of a table that is cut to the sequence's length."""
    b.positions()
    b.weight("places", [16, HIDDEN])
    b.constant("minus", -1)
    b.node("Slice", ["places", "first", "length", "first"], "cut")
    b.node("Sub", ["minus", "range"], "back")
    b.node("Gather", ["cut", "back"], "place")
    b.node("Add", ["x", "place"], "y")


def one_row(b):
    """A table of one row, cut to the sequence's length, is broadcast."""
    b.positions()
    b.weight("places", [1, HIDDEN])
    b.node("Slice", ["places", "first", "length", "first"], "cut")
    b.node("Add", ["x", "cut"], "y")


def vector(b):
    """A vector times a matrix for each token, summed over the tokens."""
    b.weight("vector", [HIDDEN])
    b.constant("last", [3])
    b.constant("first", [0])
    b.node("Unsqueeze", ["x", "last"], "columns")
    b.node("MatMul", ["vector", "columns"], "products")
    b.node("Transpose", ["products"], "turned", perm=[1, 0, 2])
    b.node("ReduceSum", ["turned", "first"], "sum")
    b.node("Add", ["x", "sum"], "y")


def without_sign(b):
    """The difference of positions that have no sign is at least 0."""
    b.positions()
    b.constant("none", np.uint64(0))
    for name in ("rows", "cols"):
        b.node("Cast", [name], f"{name}_unsigned", to=TensorProto.UINT64)
    b.node("Sub", ["rows_unsigned", "cols_unsigned"], "difference")
    b.node("GreaterOrEqual", ["difference", "none"], "mask")
    b.attend("Where", "mask")


def one_column(b):
    """A number for each query, which changes nothing."""
    b.constant("axis", [2])
    b.constant("second", [1])
    b.node("ReduceSum", ["x", "axis"], "sum")
    b.node("Unsqueeze", ["sum", "second"], "mask")
    b.attend("Add", "mask")


GRAPHS = (causal, counted_from_end, one_row, vector, without_sign, one_column)


def check(path):
    session = ReferenceEvaluator(path)
    expected = session.run(["logits"], {"input_ids": np.array([TOKENS])})[0][0]
    found = np.loadtxt(sys.stdin, ndmin=2)

    def judge(rows):
        if not len(rows):
            return "none"
        right = rows.shape == expected.shape and np.abs(rows - expected).max() < 1e-4
        return "right" if right else "wrong"

    print(f"graph: {judge(found[:len(TOKENS)])}, step: {judge(found[len(TOKENS):])}")


def main():
    if sys.argv[1] == "check":
        check(sys.argv[2])
        return
    for make in GRAPHS:
        builder = Builder()
        make(builder)
        builder.save(f"{sys.argv[2]}/{make.__name__}.onnx")


if __name__ == "__main__":
    main()
