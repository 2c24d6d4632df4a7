"""Matrix products, quantised or not."""

import numpy as np

from .draft import Operator
from .values import draw_array, is_float, is_unsigned, one_sided, pick

SIZES = [1, 2, 3, 4, 5, 8, 16, 17, 33]


def _size(d):
    return pick(d.rng, SIZES)


def _factor_shapes(d, k):
    """The shapes of two factors of any ranks that sum over `k` elements."""
    batch = [int(s) for s in d.rng.integers(1, 4, int(d.rng.choice([0, 0, 1, 2])))]
    left, right = (list(one_sided(d.rng, batch)) for _ in range(2))
    left = [k] if not left and d.chance(0.15) else [*left, _size(d), k]
    right = [k] if not right and d.chance(0.15) else [*right, k, _size(d)]
    return left, right


def _moderate(d, dtype, shape):
    """Integers whose sums of products do not overflow 32 bits."""
    array = draw_array(d.rng, dtype, shape)
    if is_float(dtype):
        return array
    low = 0 if is_unsigned(dtype) else -100
    return d.rng.integers(low, 101, shape).astype(dtype)


def matmul(d):
    if d.pool is None:
        dtype = pick(d.rng, d.types())
        k = 0 if d.chance(0.04) else _size(d)
        left, right = _factor_shapes(d, k)
        return d.node(*(d.operand(_moderate(d, dtype, s)) for s in (left, right)))
    x = d.first(ranks=(1, 4))
    right = d.operand(_moderate(d, x.array.dtype, (x.array.shape[-1], _size(d))))
    return d.node(x, right)


def gemm(d):
    dtype = pick(d.rng, d.types())
    m, n, k = _size(d), _size(d), _size(d)
    trans_a, trans_b = (int(v) for v in d.rng.integers(0, 2, 2))
    a = d.operand(_moderate(d, dtype, (k, m) if trans_a else (m, k)))
    b = d.operand(_moderate(d, dtype, (n, k) if trans_b else (k, n)))
    c = None if d.chance(0.3) else d.operand(_moderate(d, dtype, one_sided(d.rng, (m, n))))
    attrs = {}
    if is_float(dtype) and d.chance(0.5):
        attrs = {"alpha": float(pick(d.rng, [0.5, 2.0, -1.25])), "beta": float(pick(d.rng, [0, 2]))}
    if trans_a or d.chance(0.3):
        attrs["transA"] = trans_a
    if trans_b or d.chance(0.3):
        attrs["transB"] = trans_b
    d.node(a, b, c, **attrs)


# ===------------------------------------------------------------------------=== #
# Integers of 8 bits
# ===------------------------------------------------------------------------=== #

EIGHT_BITS = [np.int8, np.uint8]


def _zero_point(d, dtype, shape=()):
    """A zero point, in half of the cases 0."""
    if d.chance(0.4):
        return np.zeros(shape, dtype)
    return np.asarray(draw_array(d.rng, dtype, shape))


def matmul_integer(d):
    left, right = _factor_shapes(d, _size(d))
    a_type, b_type = pick(d.rng, EIGHT_BITS), pick(d.rng, EIGHT_BITS)
    a, b = (d.operand(draw_array(d.rng, t, s)) for t, s in ((a_type, left), (b_type, right)))
    a_zero = None if d.chance(0.4) else d.operand(_zero_point(d, a_type))
    per_column = (right[-1],) if len(right) == 2 and d.chance(0.3) else ()
    b_zero = None if d.chance(0.4) else d.operand(_zero_point(d, b_type, per_column))
    d.node(a, b, a_zero, b_zero)


def qlinear_matmul(d):
    left, right = _factor_shapes(d, _size(d))
    left, right = (s if len(s) > 1 else [1, *s] for s in (left, right))
    right = [left[-1], right[-1]] if right[-2] != left[-1] else right
    # The combinations that onnxruntime has.
    a_type, b_type = pick(d.rng, [(np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.int8)])
    per_column = (right[-1],) if len(right) == 2 and d.chance(0.3) else ()
    # Powers of two, so that no rounding error decides a tie.
    scale = lambda shape=(): (2.0 ** d.rng.integers(-6, 0, shape)).astype(np.float32)  # noqa: E731
    d.node(d.operand(draw_array(d.rng, a_type, left)), d.operand(scale()),
           d.operand(_zero_point(d, a_type)),
           d.operand(draw_array(d.rng, b_type, right)), d.operand(scale(per_column)),
           d.operand(_zero_point(d, b_type, per_column)),
           d.operand(scale() * 64), d.operand(_zero_point(d, a_type)))  # fmt: skip


# ===------------------------------------------------------------------------=== #
# com.microsoft.MatMulNBits
# ===------------------------------------------------------------------------=== #


def matmul_nbits(d):
    bits = pick(d.rng, [4, 4, 8])  # of 2 bits: weights.py
    block = pick(d.rng, [16, 32, 64])
    k, n = pick(d.rng, [16, 32, 40, 64, 96]), pick(d.rng, [1, 3, 8, 16, 17])
    blocks = -(-k // block)
    x = d.like(np.float32, (*(int(s) for s in d.rng.integers(1, 4, int(d.rng.integers(1, 3)))), k))
    packed = d.rng.integers(0, 256, (n, blocks, block * bits // 8)).astype(np.uint8)
    scales = d.rng.uniform(0.01, 0.1, (n, blocks)).astype(np.float32)
    if d.opset < 21 and d.chance(0.5):
        scales = scales.reshape(-1)
    zero_points = None
    if d.chance(0.5):
        row = -(-blocks * bits // 8)
        zeros = d.rng.integers(0, 256, (n, row)).astype(np.uint8)
        zero_points = d.operand(zeros.reshape(-1) if scales.ndim == 1 else zeros, constant=True)
    bias = d.operand(draw_array(d.rng, np.float32, (n,)), constant=True) if d.chance(0.3) else None
    d.node(x, d.operand(packed, constant=True), d.operand(scales, constant=True), zero_points,
           None, bias, K=k, N=n, bits=bits, block_size=block)  # fmt: skip


OPERATORS = [
    Operator("MatMul", matmul, is_exact=False),
    Operator("Gemm", gemm, is_exact=False),
    Operator("MatMulInteger", matmul_integer),
    Operator("QLinearMatMul", qlinear_matmul),
    Operator("MatMulNBits", matmul_nbits, "com.microsoft", is_exact=False),
]
