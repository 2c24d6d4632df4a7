"""Emits the linear layers that are not ternary: as floats, or as int8.

Int8 is the baseline that ternary layers are compared to: weights are rounded to
int8 with a scale a row, activations as BitLinear rounds them, a scale a token, and
the product is ONNX's MatMulInteger.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

import numpy as np
from onnx import TensorProto

from .bitlinear import quantize
from .checkpoint import Checkpoint, TensorInfo
from .graph import FLOAT, Graph, LazyTensor
from .storage import float_tensor
from .weights import Rounding

_MAX_CODE = np.float32(127)


class DenseForm(enum.Enum):
    """How layers that are not ternary are stored; the head stays float."""

    FLOAT = "float"  # in the checkpoint's own dtype
    INT8 = "int8"  # int8 and a scale a row; activations are quantised too


class DenseLinear:
    """Emits layers that are not ternary."""

    def __init__(
        self, graph: Graph, checkpoint: Checkpoint, form: DenseForm, rounding: Rounding
    ):
        self._graph = graph
        self._checkpoint = checkpoint
        self._form = form
        self._rounding = rounding
        self._codes: dict[str, tuple[str, str]] = {}

    def __call__(self, x: str, info: TensorInfo) -> str:
        """`x` of `[..., K]` times the transposed matrix `[N, K]`: `[..., N]`."""
        if self._form is DenseForm.INT8:
            return self._multiply_int8(x, info)
        graph = self._graph
        matrix = float_tensor(graph, info, lambda: self._checkpoint.read_parts(info))
        matrix = graph.node("Cast", matrix, to=FLOAT)
        return graph.node("MatMul", x, graph.node("Transpose", matrix, perm=[1, 0]))

    def _multiply_int8(self, x: str, info: TensorInfo) -> str:
        graph = self._graph
        codes, scale = self._quantized(x)
        name = info.name
        values = self._checkpoint.read_f32(info)
        row_scales = scales_of_rows(values)
        del values

        def parts() -> Iterator[np.ndarray]:
            yield round_rows(self._checkpoint.read_f32(info), row_scales)

        rows, columns = info.shape
        matrix = graph.lazy_tensor(
            LazyTensor(name, TensorProto.INT8, info.shape, rows * columns, parts)
        )
        matrix = graph.node("Transpose", matrix, perm=[1, 0])
        product = graph.node("MatMulInteger", codes, matrix)
        product = graph.node("Cast", product, to=FLOAT)
        row_scale = graph.tensor(f"{name}_scale", row_scales)
        return graph.node("Mul", graph.node("Div", product, scale), row_scale)

    def _quantized(self, x: str) -> tuple[str, str]:
        """The codes of `x` as int8, and the f32 `[..., 1]` that they are to be
        divided by. Each activation is quantised once."""
        if x not in self._codes:
            codes = quantize(self._graph, x, self._rounding)
            int8 = self._graph.node("Cast", codes.clipped, to=TensorProto.INT8)
            self._codes[x] = (int8, codes.scale)
        return self._codes[x]


def scales_of_rows(matrix: np.ndarray) -> np.ndarray:
    """f32 `[N]`: what one step of a row's codes is worth; 1 for rows of zeros."""
    largest = np.abs(matrix).max(axis=1)
    return np.where(largest > 0, largest / _MAX_CODE, np.float32(1))


def round_rows(matrix: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """int8 `[N, K]`: the matrix over its rows' scales, -127 to 127."""
    return np.rint(matrix / scales[:, None]).astype(np.int8)
