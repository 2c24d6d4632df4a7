"""How trits are stored in the file, and the nodes that turn them into floats."""

from __future__ import annotations

import enum

import numpy as np
from onnx import TensorProto

from .graph import FLOAT, Graph, LazyTensor
from .packing import pack_int2, pack_rows, packed_rows
from .weights import Scaling, TernaryWeight


class WeightForm(enum.Enum):
    """How trits are stored in the file."""

    INT2 = "int2"  # DequantizeLinear of INT2
    INT8 = "int8"  # DequantizeLinear of INT8
    PACKED = "packed"  # uint8, four rows to a byte, unpacked by bit operations

    @property
    def min_opset(self) -> int:
        # INT2 came with 25, blocked dequantisation with 21, and the axes of
        # ReduceMax and ReduceMean became inputs with 18.
        return {self.INT2: 25, self.INT8: 21, self.PACKED: 18}[self]


def matrix_of(graph: Graph, weight: TernaryWeight, form: WeightForm) -> str:
    """The weight as f32 `[N, K]`: trits, times the scale if that is the
    weight's `scaling`."""
    if form is WeightForm.PACKED:
        return _unpacked(graph, weight)
    return _dequantized(graph, weight, form)


def _dequantized(graph: Graph, weight: TernaryWeight, form: WeightForm) -> str:
    trits = graph.lazy_tensor(_unpacked_tensor(weight, form))
    if weight.scaling is not Scaling.WEIGHTS:
        return graph.node("DequantizeLinear", trits, graph.constant(1.0))
    name, scale = f"{weight.name}_scale", weight.scale
    if scale.ndim == 0:
        return graph.node("DequantizeLinear", trits, graph.tensor(name, scale))
    groups = scale.shape[1]
    if groups == 1:
        rows = graph.tensor(name, scale[:, 0])
        return graph.node("DequantizeLinear", trits, rows, axis=0)
    block_size = weight.columns // groups
    blocks = graph.tensor(name, scale)
    return graph.node("DequantizeLinear", trits, blocks, axis=1, block_size=block_size)


def _unpacked_tensor(weight: TernaryWeight, form: WeightForm) -> LazyTensor:
    """One element a trit, as INT2 or INT8."""
    shape = (weight.rows, weight.columns)
    size = weight.rows * weight.columns
    if form is WeightForm.INT8:
        return LazyTensor(
            weight.name, TensorProto.INT8, shape, size, lambda: [weight.trits()]
        )
    return LazyTensor(
        weight.name,
        TensorProto.INT2,
        shape,
        -(-size // 4),
        lambda: [pack_int2(weight.trits())],
    )


def _unpacked(graph: Graph, weight: TernaryWeight) -> str:
    shape = (packed_rows(weight.rows), weight.columns)
    packed = graph.lazy_tensor(
        LazyTensor(
            weight.name,
            TensorProto.UINT8,
            shape,
            shape[0] * shape[1],
            lambda: [pack_rows(weight.trits())],
        )
    )
    quarters = [_quarter(graph, packed, shift) for shift in (0, 2, 4, 6)]
    codes = graph.node("Cast", graph.node("Concat", *quarters, axis=0), to=FLOAT)
    trits = graph.node("Sub", codes, graph.constant(1.0))
    if weight.rows % 4:
        begin, end, axis = graph.ints(0), graph.ints(weight.rows), graph.ints(0)
        trits = graph.node("Slice", trits, begin, end, axis)
    if weight.scaling is not Scaling.WEIGHTS:
        return trits
    scale = weight.scale
    if scale.ndim == 2 and scale.shape[1] > 1:
        # One factor a column, for lack of a blocked multiplication.
        scale = np.repeat(scale, weight.columns // scale.shape[1], axis=1)
    return graph.node("Mul", trits, graph.tensor(f"{weight.name}_scale", scale))


def _quarter(graph: Graph, packed: str, shift: int) -> str:
    """The codes in bits `shift` and `shift + 1` of each byte."""
    mask = graph.constant(3 << shift, np.uint8)
    bits = graph.node("BitwiseAnd", packed, mask)
    if shift == 0:
        return bits
    return graph.node(
        "BitShift", bits, graph.constant(shift, np.uint8), direction="RIGHT"
    )
