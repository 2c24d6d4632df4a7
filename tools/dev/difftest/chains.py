"""Random operators in sequence and side by side, on each other's results."""

import numpy as np

from .graph import Graph
from .oracle import NoTruth
from .operators import Draft, NoOperand, available, evaluate
from .operators.draft import Value
from .operators.values import SHORT_NAMES, draw_array, draw_shape, is_float, pick, pick_type

MOST_ELEMENTS = 4000
START_TYPES = [np.float32, np.float32, np.float16, np.float64, np.int64, np.int32, np.uint8,
               np.bool_]  # fmt: skip


def build(opset, seed, prefix=""):
    rng = np.random.default_rng([6, seed])
    graph = Graph(rng, opset, prefix)
    draft = Draft(graph, rng, pool=[])
    operators = [o for o in available(opset) if not o.domain]
    for _ in range(int(rng.integers(1, 4))):
        shape = draw_shape(rng, int(rng.integers(4)))
        draft.pool.append(draft.operand(draw_array(rng, pick_type(rng, START_TYPES), shape)))
    starts, ends = len(draft.pool), []
    while len(graph.notes) < int(rng.integers(3, 9)):
        try:
            ends += _append(draft, pick(rng, operators))
        except NoOperand:
            continue
    used = {name for node in graph.nodes for name in node.input}
    results = draft.pool[starts:] + ends
    for value in results:
        if value.name not in used or rng.random() < 0.2:
            graph.output(value.name, value.array.dtype)
    return graph


def _append(draft, operator):
    """Adds one operator. Its results go to the pool, or are returned where
    nothing may build on them."""
    graph = draft.graph
    before = _snapshot(graph)
    draft.begin(operator)
    try:
        operator.build(draft)
        arrays = evaluate(graph, draft.results)
    except (NoOperand, NoTruth):
        _restore(graph, before)
        raise NoOperand from None
    if not all(_is_tame(array) for array in arrays):
        _restore(graph, before)
        raise NoOperand
    for array in [*arrays, *(v.array for v in draft.operands)]:
        draft.note_short(array.dtype)
    is_exact = operator.is_exact and all(v.is_exact for v in draft.operands)
    values = [Value(name, array, is_exact or not is_float(array.dtype))
              for name, array in zip(draft.results, arrays)]  # fmt: skip
    # The errors of 16-bit floats grow too fast to be told from mistakes.
    ends = [v for v in values if not is_exact and v.array.dtype in SHORT_NAMES]
    draft.pool += [v for v in values if v not in ends]
    return ends


def _is_tame(array):
    """Whether others can compute with it: finite, not large."""
    if array.size > MOST_ELEMENTS or array.ndim > 5:
        return False
    if array.dtype == np.bool_ or not array.size:
        return True
    wide = array.astype(np.float64)
    return bool(np.isfinite(wide).all() and np.abs(wide).max() < 1e6)


_PARTS = ("nodes", "initializers", "inputs", "notes")


def _snapshot(graph):
    return [len(getattr(graph, part)) for part in _PARTS], dict(graph.feeds[0])


def _restore(graph, before):
    lengths, feeds = before
    for part, length in zip(_PARTS, lengths):
        del getattr(graph, part)[length:]
    graph.feeds[0].clear()
    graph.feeds[0].update(feeds)
