"""Emits BitLinear layers: activation quantisation, product, rescaling.

The node sequences are those of PyTorch's exporter for transformers' layers, so
that every consumer sees one form, in the order of the original arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from .graph import FLOAT, Graph
from .storage import WeightForm, matrix_of, round_nodes
from .weights import Rounding, Scaling, TernaryWeight

_EPS = 1e-5
_MAX_CODE = 127.0
_MIN_CODE = -128.0


@dataclass(frozen=True)
class Codes:
    """A quantised activation: values of f32, each row times its scale."""

    clipped: str  # integers in -128..127
    scale: str  # [..., 1]


def quantize(graph: Graph, x: str, rounding: Rounding) -> Codes:
    """Per-token absmax quantisation of `x` to int8 codes."""
    absmax = graph.node("ReduceMax", graph.node("Abs", x), graph.ints(-1), keepdims=1)
    clamped = graph.node("Clip", absmax, graph.constant(_EPS))
    inverse = graph.node("Reciprocal", clamped)
    scale = graph.node("Mul", inverse, graph.constant(_MAX_CODE))
    scaled = graph.node("Mul", x, scale)
    rounded = round_nodes(graph, scaled, rounding)
    clipped = graph.node(
        "Clip", rounded, graph.constant(_MIN_CODE), graph.constant(_MAX_CODE)
    )
    return Codes(clipped, scale)


class BitLinear:
    """Emits ternary layers, quantising each activation once."""

    def __init__(self, graph: Graph, form: WeightForm, rounding: Rounding):
        self._graph = graph
        self._form = form
        self._rounding = rounding
        self._codes: dict[str, Codes] = {}
        self._operands: dict[tuple[str, Scaling], str] = {}

    def __call__(self, x: str, weight: TernaryWeight, bias: np.ndarray | None) -> str:
        """`x` of `[..., K]` times the transposed weight: `[..., N]`."""
        graph = self._graph
        matrix = graph.node(
            "Transpose",
            matrix_of(graph, weight, self._form, self._rounding),
            perm=[1, 0],
        )
        if not weight.quantizes_activations:
            return self._add(graph.node("MatMul", x, matrix), weight, bias)
        codes = self._quantized(x)
        product = graph.node("MatMul", self._operand(x, weight.scaling), matrix)
        if weight.scaling is Scaling.DIVIDES:
            scale = graph.node("Mul", self._scale(weight), codes.scale)
            return self._add(graph.node("Div", product, scale), weight, bias)
        if weight.scaling is Scaling.WEIGHTS:
            return self._add(product, weight, bias)
        # AutoBitLinear adds the bias before it multiplies by the scale.
        return graph.node("Mul", self._add(product, weight, bias), self._scale(weight))

    def _add(self, product: str, weight: TernaryWeight, bias: np.ndarray | None) -> str:
        if bias is None:
            return product
        name = weight.name.removesuffix("weight") + "bias"
        return self._graph.node("Add", product, self._graph.tensor(name, bias))

    def _quantized(self, x: str) -> Codes:
        if x not in self._codes:
            self._codes[x] = quantize(self._graph, x, self._rounding)
        return self._codes[x]

    def _operand(self, x: str, scaling: Scaling) -> str:
        """What is multiplied by the matrix: BitLinear takes the codes as int8,
        AutoBitLinear divides them by their scale first."""
        divides = scaling is Scaling.DIVIDES
        key = (x, Scaling.DIVIDES if divides else Scaling.WEIGHTS)
        if key not in self._operands:
            graph, codes = self._graph, self._codes[x]
            if divides:
                codes_int8 = graph.node("Cast", codes.clipped, to=TensorProto.INT8)
                self._operands[key] = graph.node("Cast", codes_int8, to=FLOAT)
            else:
                self._operands[key] = graph.node("Div", codes.clipped, codes.scale)
        return self._operands[key]

    def _scale(self, weight: TernaryWeight) -> str:
        return self._graph.tensor(f"{weight.name}_scale", weight.scale.reshape(1))
