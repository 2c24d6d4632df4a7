"""The forms in which a graph holds ternary weights.

Each form is a function `emit(graph, trits, scale, dtype)` that returns the name
of the matrix [K, N]. `trits` is int8 [N, K]; `scale` is a float32 array of
shape (), [N] or [N, groups], or None where the matrix is the trits themselves.
"""

from dataclasses import dataclass
from typing import Callable

import ml_dtypes
import numpy as np


def random_trits(rng, n, k):
    zeros = rng.choice([0.0, 0.2, 0.4, 0.9, 1.0], p=[0.1, 0.2, 0.5, 0.15, 0.05])
    rest = (1 - zeros) / 2
    trits = rng.choice(np.array([-1, 0, 1], np.int8), (n, k), p=[rest, zeros, rest])
    if rng.random() < 0.2 and n:
        trits[rng.integers(n)] = 0
    return trits


def random_scale(rng, kind, n, k):
    """A scale of `kind` unit, tensor, row or group."""
    if kind == "unit":
        return None
    shape = {"tensor": (), "row": (n,), "group": (n, k // group_size(k))}[kind]
    return (rng.uniform(0.5, 2, shape) * rng.choice([0.03, 1.0, 30.0])).astype(np.float32)


def group_size(k):
    """The columns of a group: what blocked forms take, or all."""
    return next((size for size in (16, 32, 8) if k % size == 0), k)


def spread(trits, scale):
    """`scale` with a dimension for rows and columns, to be broadcast."""
    if scale is None:
        return np.float32(1)
    if scale.ndim < 2:
        return scale[..., None] if scale.ndim else scale
    return np.repeat(scale, trits.shape[1] // max(scale.shape[1], 1), axis=1)


def dense(trits, scale, dtype):
    return (trits * spread(trits, scale)).astype(dtype)


# Floats in the file.


def baked(g, trits, scale, dtype):
    return g.constant(dense(trits, scale, dtype).T.copy())


def transposed(g, trits, scale, dtype):
    return g.node("Transpose", dense(trits, scale, dtype), perm=[1, 0])


def scaled(g, trits, scale, dtype):
    """Trits as integers, cast and multiplied in the graph."""
    value = g.cast(g.constant(trits), dtype)
    if scale is not None:
        factor = scale if scale.ndim == 0 else scale[:, None]
        value = g.swap("Mul", value, factor.astype(dtype))
    return g.node("Transpose", value)


def fake_quantized(g, trits, scale, dtype):
    """Latent floats that the graph quantises by their mean magnitude."""
    rng = g.rng
    latent = rng.normal(size=trits.shape).astype(np.float32) * np.float32(scale)
    w = g.constant(latent.astype(dtype))
    mean = g.reduce("ReduceMean", g.node("Abs", w), [0, 1], keepdims=int(rng.integers(2)))
    mean = g.node("Clip", mean, np.array(1e-5, dtype))
    if rng.random() < 0.5:
        inverse = g.node("Reciprocal", mean)
        codes = g.swap("Mul", w, inverse)
        restore = ("Div", inverse)
    else:
        codes = g.node("Div", w, mean)
        restore = ("Mul", mean)
    codes = g.node("Clip", g.node("Round", codes), np.array(-1, dtype), np.array(1, dtype))
    value = g.node(restore[0], codes, restore[1])
    if rng.random() < 0.4:
        value = g.swap("Add", w, g.node("Sub", value, w))
    return g.node("Transpose", value, perm=[1, 0])


# DequantizeLinear.


def dequantize(g, codes, zero, scale, dtype):
    """`codes` is [N, K]; the result [K, N]."""
    swap = bool(g.rng.random() < 0.5)
    attrs = {}
    axis = 0
    if scale.ndim == 2:
        axis = 1
        attrs["block_size"] = codes.shape[1] // scale.shape[1]
    zeros = np.full(scale.shape, zero, codes.dtype)
    if not swap:
        codes, scale, zeros = codes.T.copy(), scale.T.copy(), zeros.T.copy()
        axis = 1 - axis
    if scale.ndim:
        attrs["axis"] = axis - 2 if g.rng.random() < 0.3 else axis
    inputs = [codes, scale.astype(dtype)]
    if zero or g.rng.random() < 0.3:
        inputs.append(zeros)
    value = g.node("DequantizeLinear", *inputs, **attrs)
    return g.node("Transpose", value, perm=[1, 0]) if swap else value


def dequantized(code_dtype, zero):
    def emit(g, trits, scale, dtype):
        codes = (trits.astype(np.int32) + zero).astype(code_dtype)
        return dequantize(g, codes, zero, scale, dtype)

    return emit


# Packed, and unpacked by the graph.


def finish_codes(g, codes, scale, dtype):
    """From codes 0, 1, 2 in [N, K] to the matrix."""
    value = g.node("Sub", g.cast(codes, dtype), np.ones((), dtype))
    if scale is not None:
        factor = scale if scale.ndim == 0 else scale[:, None]
        value = g.swap("Mul", value, factor.astype(dtype))
    return g.node("Transpose", value, perm=[1, 0])


def pack_quarters(trits):
    """transformers' packing: bits 2i of row j hold row i * N / 4 + j."""
    codes = (trits + 1).astype(np.uint8).reshape(4, -1, trits.shape[1])
    return sum((codes[i] << (2 * i) for i in range(4)), np.zeros_like(codes[0]))


def unpack_quarters(g, packed):
    packed = g.constant(packed)
    parts = []
    for i in range(4):
        part = g.node("BitwiseAnd", packed, np.uint8(3 << 2 * i))
        if i or g.rng.random() < 0.5:
            part = g.node("BitShift", part, np.uint8(2 * i), direction="RIGHT")
        parts.append(part)
    return parts


def packed_concat(g, trits, scale, dtype):
    parts = unpack_quarters(g, pack_quarters(trits))
    return finish_codes(g, g.node("Concat", *parts, axis=0), scale, dtype)


def packed_scatter(g, trits, scale, dtype):
    rows = trits.shape[0] // 4
    value = g.constant(np.zeros(trits.shape, np.uint8))
    for i, part in enumerate(unpack_quarters(g, pack_quarters(trits))):
        index = np.arange(i * rows, (i + 1) * rows, dtype=np.int64)[:, None]
        value = g.node("ScatterND", value, index, part)
    return finish_codes(g, value, scale, dtype)


def packed_base3(g, trits, scale, dtype):
    n, k = trits.shape
    blocks = -(-k // 5)
    codes = np.zeros((n, 5 * blocks), np.int32)
    codes[:, :k] = trits + 1
    powers = 3 ** np.arange(5, dtype=np.int32)
    packed = (codes.reshape(n, blocks, 5) * powers).sum(-1).astype(np.uint8)
    value = g.node("Unsqueeze", g.cast(g.constant(packed), np.int32), np.array([2], np.int64))
    value = g.node("Mod", g.node("Div", value, powers), np.array(3, np.int32))
    value = g.node("Reshape", value, np.array([n, 5 * blocks], np.int64))
    ends = [np.array([i], np.int64) for i in (0, k, 1)]
    return finish_codes(g, g.node("Slice", value, *ends), scale, dtype)


# com.microsoft.MatMulNBits.


def pack_nbits(codes, bits):
    """Codes along the last axis, the first in the lowest bits."""
    per_byte = 8 // bits
    codes = np.pad(codes, [(0, 0)] * (codes.ndim - 1) + [(0, -codes.shape[-1] % per_byte)])
    codes = codes.reshape(*codes.shape[:-1], -1, per_byte).astype(np.uint32)
    shifts = bits * np.arange(per_byte, dtype=np.uint32)
    return (codes << shifts).sum(-1).astype(np.uint8)


def nbits_operands(rng, trits, bits, block, dtype):
    """B, scales and zero points of MatMulNBits."""
    n, k = trits.shape
    blocks = -(-k // block)
    default = 1 << (bits - 1)
    zero = int(rng.choice([1, default]))
    codes = np.full((n, blocks * block), zero, np.uint8)
    codes[:, :k] = trits.astype(np.int32) + zero
    scales = rng.uniform(0.02, 0.1, (n, blocks)).astype(dtype)
    if rng.random() < 0.3:
        scales[:] = scales[:1, :1]
    operands = [pack_nbits(codes.reshape(n, blocks, block), bits), scales]
    if zero != default or rng.random() < 0.3:
        points = np.full((n, blocks), zero)
        operands.append(pack_nbits(points, bits) if rng.random() < 0.7 else points.astype(dtype))
    return operands


@dataclass(frozen=True)
class Form:
    emit: Callable
    scales: tuple
    since: int = 13
    rows_of: int = 1  # N is a multiple of this
    dtypes: tuple = ("f32", "f16", "bf16")


_ANY = ("unit", "tensor", "row", "group")
_FLAT = ("unit", "tensor", "row")
_GROUPED = ("tensor", "row", "group")
FORMS = {
    "baked": Form(baked, _ANY),
    "transposed": Form(transposed, _ANY),
    "scaled": Form(scaled, _FLAT),
    "fake_quantized": Form(fake_quantized, ("tensor",)),
    "dq_int8": Form(dequantized(np.int8, 0), ("tensor", "row"), dtypes=("f32",)),
    "dq_uint8_zp": Form(dequantized(np.uint8, 128), ("tensor", "row"), dtypes=("f32",)),
    "dq_int8_blocked": Form(dequantized(np.int8, 0), _GROUPED, 21),
    "dq_int4": Form(dequantized(ml_dtypes.int4, 0), _GROUPED, 21),
    "dq_uint4_zp": Form(dequantized(ml_dtypes.uint4, 8), _GROUPED, 21),
    "dq_int2": Form(dequantized(ml_dtypes.int2, 0), _GROUPED, 25),
    "dq_uint2_zp": Form(dequantized(ml_dtypes.uint2, 1), _GROUPED, 25),
    "packed_concat": Form(packed_concat, _FLAT, 18, 4),
    "packed_scatter": Form(packed_scatter, _FLAT, 18, 4),
    "packed_base3": Form(packed_base3, _FLAT),
}
