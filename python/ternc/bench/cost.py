"""What a token costs by arithmetic: bytes, multiplications and energy.

Energy follows the model of BitNet's papers (arXiv 2310.11453, section 3.2; arXiv
2402.17764, figure 3): a product of matrices costs its additions and multiplications,
where ternary weights leave additions of int8 and one multiplication by the scale for
each input and output. The energy of an operation at 45 nm is from M. Horowitz,
"Computing's energy problem (and what we can do about it)", ISSCC 2014, figure 1.1.9;
at 7 nm from N. Jouppi et al., "Ten lessons from three generations shaped Google's
TPUv4i", ISCA 2021, table 2, which BitNet's papers use. It is an estimate of arithmetic
units, not of this machine: decoding instructions and moving data cost more.
"""

from __future__ import annotations

from dataclasses import dataclass

from .models import Shape, Variant


@dataclass(frozen=True)
class OperationEnergy:
    """Picojoules an operation."""

    add_int8: float
    add_int32: float
    add_f16: float
    multiply_int8: float
    multiply_f16: float
    dram_byte: float  # read from DDR3 or DDR4


# Memory: Horowitz gives 1.3 to 2.6 nJ for 64 bits of DRAM, Jouppi 1.3 nJ for both.
ENERGY = {
    "45nm": OperationEnergy(0.03, 0.1, 0.4, 0.2, 1.1, 1300 / 8),
    "7nm": OperationEnergy(0.007, 0.03, 0.16, 0.07, 0.34, 1300 / 8),
}

_KV_BYTES = 4  # an element of the cache is an f32
_FLOAT_BYTES = 2  # of the head, and of weights that are floats


def linear_bytes(shape: Shape, variant: Variant, ternary_bits: float) -> float:
    """Bytes of the projections' weights and their scales, all of which every token
    reads. `ternary_bits`: of a packed trit, 2 or 1.6."""
    if variant is Variant.TERNARY:
        return shape.linear_weights * ternary_bits / 8
    if variant is Variant.INT8:
        scales = shape.layers * sum(rows for rows, _ in shape.matrices())
        return shape.linear_weights + 4.0 * scales
    return shape.linear_weights * float(_FLOAT_BYTES)


def head_bytes(shape: Shape) -> int:
    return shape.head_weights * _FLOAT_BYTES


def cache_bytes(shape: Shape, position: float) -> float:
    """Keys and values that a token at `position` reads."""
    width = shape.kv_heads * shape.head_dim
    return 2.0 * shape.layers * width * _KV_BYTES * position


def attention_multiplications(shape: Shape, position: float) -> float:
    """Of queries by keys and of weights by values, for a token at `position`."""
    return 2.0 * shape.layers * shape.heads * shape.head_dim * position


def energy_per_token(shape: Shape, variant: Variant, energy: OperationEnergy) -> float:
    """Joules of arithmetic in the projections and the head, which stays f16.
    Attention, norms and quantisation are left out, as the papers do."""
    projections = shape.layers * sum(
        _product_energy(rows, columns, variant, energy)
        for rows, columns in shape.matrices()
    )
    head = _product_energy(shape.vocab, shape.hidden, Variant.FP16, energy)
    return (projections + head) * 1e-12


def memory_energy(num_bytes: float, energy: OperationEnergy) -> float:
    """Joules to read `num_bytes` from memory."""
    return num_bytes * energy.dram_byte * 1e-12


def _product_energy(
    rows: int, columns: int, variant: Variant, energy: OperationEnergy
) -> float:
    """Picojoules of one row of activations times a matrix."""
    additions, multiplications = rows * (columns - 1), rows * columns
    if variant is Variant.TERNARY:
        return additions * energy.add_int8 + (rows + columns) * energy.multiply_f16
    if variant is Variant.INT8:
        products = multiplications * energy.multiply_int8 + additions * energy.add_int32
        return products + (rows + columns) * energy.multiply_f16
    return additions * energy.add_f16 + multiplications * energy.multiply_f16
