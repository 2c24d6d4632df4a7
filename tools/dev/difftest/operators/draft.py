"""A graph of operators in the making: where their operands come from."""

from dataclasses import dataclass

import ml_dtypes
import numpy as np
from onnx import helper

from .values import (SHORT_NAMES, draw_array, draw_shape, exists, is_float, pick, pick_type,
                     types_of, with_specials)  # fmt: skip


@dataclass(frozen=True)
class Operator:
    """How one operator is drawn.

    `build(draft)` adds the node to a Draft. `is_exact`: results from the same
    operands are the same bit for bit. `is_discontinuous`: a rounding error of
    an operand may change the result by more than that.
    """

    name: str
    build: callable
    domain: str = ""
    is_exact: bool = True
    is_discontinuous: bool = False

    def exists(self, opset):
        return exists(self.name, opset, self.domain)


@dataclass(frozen=True)
class Value:
    """A tensor of the graph, and what it holds in the one run."""

    name: str
    array: np.ndarray
    is_exact: bool = True


class NoOperand(Exception):
    """No value of the graph suits the operator."""


class Draft:
    """Draws operands into `graph`, which is run once.

    `pool` holds values that operands may be taken from, newest last. Without
    one every operand is a constant or an input.
    """

    def __init__(self, graph, rng, pool=None):
        self.graph, self.rng, self.opset = graph, rng, graph.opset
        self.pool = pool
        self.operator = None
        self.operands, self.results = [], []
        # Whole graphs of constants are evaluated, others are lowered.
        self.constants = float(rng.choice([0, 0.5, 1], p=[0.45, 0.35, 0.2]))
        self.dynamic = float(rng.choice([0, 0.5, 1]))
        graph.feeds = [{}]

    def begin(self, operator):
        self.operator, self.operands, self.results = operator, [], []

    def types(self, index=0):
        return types_of(self.operator.name, self.opset, index)

    # ===-------------------------------------------------------------------=== #
    # Operands
    # ===-------------------------------------------------------------------=== #

    def first(self, dtypes=None, ranks=(0, 4), allow_empty=True, positive=False, specials=True):
        """The operand that decides the others' types and shapes; `specials`
        are infinities and NaN, and of integers the extremes."""
        dtypes = self.types() if dtypes is None else dtypes
        if self.pool is not None:
            return self._from_pool(dtypes, ranks, allow_empty, positive)
        dtype = pick_type(self.rng, dtypes)
        shape = draw_shape(self.rng, int(self.rng.integers(ranks[0], ranks[1] + 1)), allow_empty)
        array = draw_array(self.rng, dtype, shape, positive, specials)
        if is_float(dtype) and not positive and specials and self.rng.random() < 0.08:
            array = with_specials(self.rng, array)
            return self.operand(array, constant=False)  # weights must be numbers
        return self.operand(array)

    def _from_pool(self, dtypes, ranks, allow_empty, positive):
        allowed = {np.dtype(d) for d in dtypes}
        fits = [v for v in self.pool
                if v.array.dtype in allowed and ranks[0] <= v.array.ndim <= ranks[1]
                and (allow_empty or v.array.size) and not (positive and (v.array <= 0).any())
                and (v.is_exact or not self.operator.is_discontinuous)]  # fmt: skip
        if not fits:
            raise NoOperand
        newest = len(fits) - 1
        chosen = fits[newest if self.rng.random() < 0.6 else int(self.rng.integers(len(fits)))]
        self.operands.append(chosen)
        return chosen

    def like(self, dtype, shape, **kinds):
        """An operand that may hold anything: in a chain, maybe a value of it."""
        fits = [v for v in self.pool or ()
                if v.array.dtype == np.dtype(dtype) and v.array.shape == tuple(shape)
                and (v.is_exact or not self.operator.is_discontinuous) and not kinds]  # fmt: skip
        if fits and self.rng.random() < 0.7:
            chosen = pick(self.rng, fits)
            self.operands.append(chosen)
            return chosen
        return self.operand(draw_array(self.rng, dtype, shape, **kinds))

    def operand(self, array, constant=None, static=()):
        """An operand that holds `array`: a constant, or an input of the graph,
        whose dimensions in `static` are known to the compiler."""
        array = np.asarray(array)
        if constant is None:
            constant = self.rng.random() < self.constants
        if constant or array.dtype.itemsize and _is_sub_byte(array.dtype):
            value = Value(self.graph.constant(array), array)
        else:
            value = self._input(array, static)
        self.operands.append(value)
        return value

    def _input(self, array, static=()):
        shape = [size if dim in static else self._size_name(size)
                 for dim, size in enumerate(array.shape)]  # fmt: skip
        name = self.graph.input(array.dtype, shape)
        self.graph.feeds[0][name] = array
        return Value(name, array)

    def _size_name(self, size):
        """How a dimension is declared: by its size, by a name that equal sizes
        share, or not at all."""
        if self.rng.random() >= self.dynamic:
            return size
        return None if self.rng.random() < 0.5 else f"{self.graph.prefix}s{size}"

    def integers(self, values, at_run_time=True):
        """A vector of sizes, axes or indices: a constant, what Shape gives, or
        an input, where that is allowed. Its length, a rank, is static."""
        array = np.array(values, np.int64).reshape(-1)
        kind = self.rng.random()
        if not at_run_time or kind < 0.6 or not len(array) or (array < 0).any():
            kind = 0 if not at_run_time or kind < 0.8 else kind
            return self.operand(array, constant=kind < 0.6 or None, static=[0])
        if kind < 0.85 and array.max() <= 99 and array.prod() <= 4096:
            shaped = self._input(np.zeros(array, np.float32))
            return Value(self.graph.node("Shape", shaped.name), array)
        return self.operand(array, static=[0])

    # ===-------------------------------------------------------------------=== #
    # Nodes
    # ===-------------------------------------------------------------------=== #

    def chance(self, probability):
        return self.rng.random() < probability

    def node(self, *inputs, outputs=1, unused=(), **attrs):
        """The operator's node; the graph gets an output for each result.

        Inputs are Values, or None where left out. Results in `unused` are not
        asked for.
        """
        g = self.graph
        names = [v.name if v else "" for v in inputs]
        while names and not names[-1]:
            names.pop()
        results = ["" if i in unused else g.name("r") for i in range(outputs)]
        g.nodes.append(helper.make_node(
            self.operator.name, names, results, name=g.name("n"),
            domain=self.operator.domain, **attrs))  # fmt: skip
        self.results = [name for name in results if name]
        text = ", ".join(f"{k}={v}" for k, v in attrs.items() if np.ndim(v) < 2)
        kinds = ", ".join(_describe(v) for v in inputs)
        g.notes.append(f"{self.operator.name}({kinds}) {text}".strip())
        return self.results

    def note_short(self, dtype):
        """Compares as is due for 16-bit floats where one is met."""
        if np.dtype(dtype) in SHORT_NAMES and self.graph.short != "bf16":
            self.graph.short = SHORT_NAMES[np.dtype(dtype)]


def _describe(value):
    if value is None:
        return "-"
    return f"{value.array.dtype.name}{list(value.array.shape)}"


def _is_sub_byte(dtype):
    return dtype in map(np.dtype, (ml_dtypes.int4, ml_dtypes.uint4, ml_dtypes.int2,
                                   ml_dtypes.uint2))  # fmt: skip
