"""How trits are stored in the file, and the nodes that turn them into floats."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator

import ml_dtypes
import numpy as np
from onnx import TensorProto

from .checkpoint import TensorInfo
from .graph import FLOAT, Graph, LazyTensor
from .packing import pack_int2, packed_rows
from .weights import MEAN_FLOOR, Rounding, Scaling, TernaryWeight

# By safetensors' name: ONNX's data type and NumPy's.
_FLOAT_TYPES = {
    "F32": (FLOAT, np.dtype(np.float32)),
    "F16": (TensorProto.FLOAT16, np.dtype(np.float16)),
    "BF16": (TensorProto.BFLOAT16, np.dtype(ml_dtypes.bfloat16)),
}

# Rows of trits that are converted to floats at a time.
_ROWS_AT_A_TIME = 512


class WeightForm(enum.Enum):
    """How trits are stored in the file."""

    INT2 = "int2"  # DequantizeLinear of INT2
    INT8 = "int8"  # DequantizeLinear of INT8
    PACKED = "packed"  # uint8, four rows to a byte, unpacked by bit operations
    FLOAT = "float"  # floats; master weights are quantised in the graph

    @property
    def min_opset(self) -> int:
        # INT2 came with 25, blocked dequantisation with 21, and the axes of
        # ReduceMax and ReduceMean became inputs with 18.
        return {self.INT2: 25, self.INT8: 21}.get(self, 18)


def float_tensor(
    graph: Graph, info: TensorInfo, parts: Callable[[], Iterable[np.ndarray]]
) -> str:
    """An initializer in the checkpoint's own dtype, which is the smallest."""
    return _lazy_floats(graph, info.name, info.dtype, info.shape, parts)


def matrix_of(
    graph: Graph, weight: TernaryWeight, form: WeightForm, rounding: Rounding
) -> str:
    """The weight as f32 `[N, K]`: trits, times the scale if that is the
    weight's `scaling`. `rounding` is for the quantisation of master weights."""
    if form is WeightForm.FLOAT:
        return _floats(graph, weight, rounding)
    if form is WeightForm.PACKED:
        return _unpacked(graph, weight)
    return _dequantized(graph, weight, form)


def _floats(graph: Graph, weight: TernaryWeight, rounding: Rounding) -> str:
    if weight.is_master:
        master = float_tensor(graph, weight.info, weight.parts)
        return _quantized(graph, graph.node("Cast", master, to=FLOAT), rounding)
    if weight.scaling is Scaling.WEIGHTS:
        scaled = float_tensor(graph, weight.info, weight.parts)
        return graph.node("Cast", scaled, to=FLOAT)
    # Trits are exact in any type; packed ones get that of the published models.
    name = weight.info.dtype if weight.info.dtype in _FLOAT_TYPES else "BF16"
    dtype = _FLOAT_TYPES[name][1]

    def parts() -> Iterator[np.ndarray]:
        trits = weight.trits()
        for row in range(0, weight.rows, _ROWS_AT_A_TIME):
            yield trits[row : row + _ROWS_AT_A_TIME].astype(dtype)

    shape = (weight.rows, weight.columns)
    trits = _lazy_floats(graph, weight.name, name, shape, parts)
    return graph.node("Cast", trits, to=FLOAT)


def _quantized(graph: Graph, master: str, rounding: Rounding) -> str:
    """Absmean quantisation, node for node as PyTorch exports transformers'
    WeightQuant: the weight a model is trained with."""
    mean = graph.node("ReduceMean", graph.node("Abs", master), keepdims=0)
    clamped = graph.node("Clip", mean, graph.constant(MEAN_FLOOR))
    scale = graph.node("Reciprocal", clamped)
    scaled = graph.node("Mul", master, scale)
    rounded = round_nodes(graph, scaled, rounding)
    clipped = graph.node("Clip", rounded, graph.constant(-1.0), graph.constant(1.0))
    return graph.node("Div", clipped, scale)


def round_nodes(graph: Graph, x: str, rounding: Rounding) -> str:
    """`x` rounded to integers, by the tie-breaking of `rounding`."""
    if rounding is Rounding.HALF_EVEN:
        return graph.node("Round", x)
    return graph.node("Floor", graph.node("Add", x, graph.constant(0.5)))


def _lazy_floats(
    graph: Graph,
    name: str,
    dtype: str,
    shape: tuple[int, ...],
    parts: Callable[[], Iterable[np.ndarray]],
) -> str:
    data_type, numpy_type = _FLOAT_TYPES[dtype]
    num_bytes = int(np.prod(shape)) * numpy_type.itemsize
    return graph.lazy_tensor(LazyTensor(name, data_type, shape, num_bytes, parts))


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
            weight.packed,
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
    if scale.ndim < 2 or scale.shape[1] == 1:
        return graph.node("Mul", trits, graph.tensor(f"{weight.name}_scale", scale))
    # For lack of a blocked multiplication, blocks get a dimension of their own.
    groups = scale.shape[1]
    blocks = graph.node("Reshape", trits, graph.ints(weight.rows, groups, -1))
    factors = graph.tensor(f"{weight.name}_scale", scale[:, :, None])
    shape = graph.ints(weight.rows, weight.columns)
    return graph.node("Reshape", graph.node("Mul", blocks, factors), shape)


def _quarter(graph: Graph, packed: str, shift: int) -> str:
    """The codes in bits `shift` and `shift + 1` of each byte."""
    mask = graph.constant(3 << shift, np.uint8)
    bits = graph.node("BitwiseAnd", packed, mask)
    if shift == 0:
        return bits
    return graph.node(
        "BitShift", bits, graph.constant(shift, np.uint8), direction="RIGHT"
    )
