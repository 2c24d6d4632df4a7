"""Reads a projection's weight as trits and a scale, by every convention.

Sources: transformers' BitLinear and AutoBitLinear (packed, unpacked and float
weights), onebitllms (rounding half up), and the "Unpacked" checkpoints of TriLM
(float weights that are scale times trit already).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from .checkpoint import FLOATS, Checkpoint, TensorInfo, expect
from .config import Quantization
from .errors import ExportError
from .packing import holds_only_trits, pack_rows, packed_rows, unpack_rows

# The smallest mean magnitude that the quantisation divides by.
MEAN_FLOOR = np.float32(1e-5)

# Most groups of columns that are tried for float weights with several scales
# in a row: the degree of tensor parallelism they were trained with, which is 6
# for TriLM 3.9B. Fewer columns than this prove nothing by having one magnitude.
_MAX_GROUPS = 64
_MIN_GROUP_COLUMNS = 8


class Rounding(enum.Enum):
    """How quantisation breaks ties."""

    HALF_EVEN = "half-even"
    HALF_UP = "half-up"  # floor(x + 0.5), as onebitllms trains

    def __call__(self, values: np.ndarray) -> np.ndarray:
        if self is Rounding.HALF_EVEN:
            return np.rint(values)
        return np.floor(values + np.float32(0.5))


class Scaling(enum.Enum):
    """Where the weight's scale enters the layer's arithmetic."""

    WEIGHTS = enum.auto()  # the weight is scale * trit
    MULTIPLIES = enum.auto()  # the product with the trits times the scale
    DIVIDES = enum.auto()  # the product over (scale * activation scale)


@dataclass(frozen=True)
class TernaryWeight:
    """A matrix of trits, `[rows, columns]`, output-major, and its scale.

    What it holds is read when it is asked for.
    """

    info: TensorInfo  # what the checkpoint stores
    rows: int
    columns: int
    scaling: Scaling
    quantizes_activations: bool
    read_scale: Callable[[], np.ndarray]
    trits: Callable[[], np.ndarray]  # int8 [rows, columns]
    parts: Callable[[], Iterator[np.ndarray]]  # blocks of what is stored
    # Whether the checkpoint stores master weights, which become scale * trit.
    is_master: bool = False

    @property
    def name(self) -> str:
        return self.info.name

    @cached_property
    def scale(self) -> np.ndarray:
        """f32 []; [rows, 1] or [rows, groups] if `scaling` is WEIGHTS."""
        return self.read_scale()

    def packed(self) -> Iterator[np.ndarray]:
        """The trits as pack_rows packs them, in blocks. Packed ones stay as they are,
        whatever their rows of padding hold."""
        if self.info.dtype != "U8":
            yield pack_rows(self.trits())
            return
        for part in self.parts():
            if not holds_only_trits(part):
                self.trits()  # Raises, unless it is padding: it knows where.
            yield part


def load_weight(
    checkpoint: Checkpoint,
    module: str,
    rows: int,
    columns: int,
    quantization: Quantization | None,
    rounding: Rounding,
) -> TernaryWeight:
    """Reads `<module>.weight` of `[rows, columns]` and its scale.

    Raises ExportError if a tensor is missing, has another shape or dtype, or
    holds values that the convention does not allow.
    """
    info = checkpoint.get(f"{module}.weight")
    online = quantization is not None and quantization.online
    packed = (("U8",), (packed_rows(rows), columns))
    unpacked = (FLOATS, (rows, columns))
    expect(info, *([unpacked] if online else [packed, unpacked]))

    def parts() -> Iterator[np.ndarray]:
        return checkpoint.read_parts(info)

    def stored(trits: Callable[[], np.ndarray]) -> TernaryWeight:
        multiplies = quantization is not None and quantization.scale_multiplies
        scaling = Scaling.MULTIPLIES if multiplies else Scaling.DIVIDES
        scale = _read_scale(checkpoint, module)
        return TernaryWeight(
            info, rows, columns, scaling, True, lambda: scale, trits, parts
        )

    if online:
        return _quantized(checkpoint, info, rounding, parts)
    if info.dtype == "U8":
        return stored(lambda: _packed_trits(checkpoint, info, rows))
    if quantization is not None:
        return stored(lambda: _unpacked_trits(checkpoint, info))
    return _scaled_trits(checkpoint, info, parts)


def _read_scale(checkpoint: Checkpoint, module: str) -> np.ndarray:
    info = checkpoint.get(f"{module}.weight_scale")
    expect(info, (FLOATS, (1,)), (FLOATS, ()))
    scale = checkpoint.read_f32(info).reshape(())
    if not scale > 0:
        raise ExportError(
            f"{info.file}: error: tensor '{info.name}'\n"
            f"  found {scale}; expected a positive scale"
        )
    return scale


def _packed_trits(checkpoint: Checkpoint, info: TensorInfo, rows: int) -> np.ndarray:
    trits = unpack_rows(checkpoint.read(info), rows)
    _require_trits(info, trits, trits <= 1, offset=1, expected="codes 0, 1 and 2")
    return trits


def _unpacked_trits(checkpoint: Checkpoint, info: TensorInfo) -> np.ndarray:
    values = checkpoint.read_f32(info)
    _require_trits(info, values, np.isin(values, (-1, 0, 1)), 0, "-1, 0 and 1")
    return values.astype(np.int8)


def _require_trits(
    info: TensorInfo, values: np.ndarray, valid: np.ndarray, offset: int, expected: str
) -> None:
    if valid.all():
        return
    row, column = np.argwhere(~valid)[0]
    raise ExportError(
        f"{info.file}: error: tensor '{info.name}' is not ternary\n"
        f"  found {values[row, column] + offset} at [{row}, {column}]; expected {expected}"
    )


def _quantized(
    checkpoint: Checkpoint,
    info: TensorInfo,
    rounding: Rounding,
    parts: Callable[[], Iterator[np.ndarray]],
) -> TernaryWeight:
    """Float weights by absmean, in f32 as transformers' WeightQuant does."""

    @cache
    def inverse() -> np.float32:
        # NumPy and PyTorch add floats in different orders; the double sum, rounded
        # once, is what both approximate.
        magnitudes = np.abs(checkpoint.read_f32(info))
        mean = magnitudes.mean(dtype=np.float64).astype(np.float32)
        return np.float32(1) / max(mean, MEAN_FLOOR)

    def scale() -> np.ndarray:
        return np.asarray(np.float32(1) / inverse())

    def trits() -> np.ndarray:
        values = rounding(checkpoint.read_f32(info) * inverse())
        return np.clip(values, -1, 1).astype(np.int8)

    return TernaryWeight(
        info, *info.shape, Scaling.WEIGHTS, True, scale, trits, parts, is_master=True
    )


def _scaled_trits(
    checkpoint: Checkpoint,
    info: TensorInfo,
    parts: Callable[[], Iterator[np.ndarray]],
) -> TernaryWeight:
    """Float weights that are scale * trit, with a scale a row or group of a row.

    Such models do not quantise activations.
    """
    scale = _find_scales(checkpoint.read_f32(info))
    if scale is None:
        raise ExportError(
            f"{info.file}: error: tensor '{info.name}' is not ternary\n"
            "  found rows of several magnitudes; expected -s, 0 and s in every row\n"
            "  note: weights that are to be quantised need a quantization_config "
            "with quantization_mode online in config.json"
        )

    def trits() -> np.ndarray:
        return np.sign(checkpoint.read_f32(info)).astype(np.int8)

    return TernaryWeight(
        info, *info.shape, Scaling.WEIGHTS, False, lambda: scale, trits, parts
    )


def _find_scales(weight: np.ndarray) -> np.ndarray | None:
    """The fewest scales, `[]` or `[N, groups]`, that explain a weight, or None."""
    rows, columns = weight.shape
    magnitudes = np.abs(weight)
    most = max(1, min(_MAX_GROUPS, columns // _MIN_GROUP_COLUMNS))
    for groups in range(1, most + 1):
        if columns % groups:
            continue
        blocks = magnitudes.reshape(rows, groups, columns // groups)
        scale = blocks.max(axis=2)
        if ((blocks == 0) | (blocks == scale[:, :, None])).all():
            # Any scale suits a block of zeros.
            scale[scale == 0] = scale.max() or 1
            return scale.max() if (scale == scale[0, 0]).all() else scale
    return None
