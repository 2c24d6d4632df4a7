"""Random graphs around one operator, or of several.

A module for each family of operators says how each of them is drawn: an
`Operator` whose `build` adds one node to a `Draft`.
"""

import numpy as np
import onnx

from ..graph import Graph, make_model
from ..oracle import Oracle
from . import attention, elementwise, movement, products, quantization, reductions
from .draft import Draft, NoOperand

OPERATORS = [
    operator
    for module in (elementwise, movement, reductions, products, quantization, attention)
    for operator in module.OPERATORS
]


def available(opset):
    return [o for o in OPERATORS if o.exists(opset)]


def build(opset, seed, prefix=""):
    """A graph of one node."""
    operators = available(opset)
    rng = np.random.default_rng([5, seed])
    return build_around(operators[int(rng.integers(len(operators)))], opset, rng, prefix)


def build_around(operator, opset, rng, prefix=""):
    """A graph of one `operator`, drawn again where a form that cannot be was drawn."""
    while True:
        graph = Graph(rng, opset, prefix)
        draft = Draft(graph, rng)
        draft.begin(operator)
        try:
            operator.build(draft)
        except NoOperand:
            continue
        for name, array in zip(draft.results, evaluate(graph, draft.results)):
            graph.output(name, array.dtype)
            draft.note_short(array.dtype)
        for value in draft.operands:
            draft.note_short(value.array.dtype)
        return graph


def evaluate(graph, names):
    """What the values `names` of a graph hold in its run."""
    model = make_model([graph], np.random.default_rng(0))
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    results = Oracle(model).run(graph.feeds[0])
    return [results[name] for name in names]
