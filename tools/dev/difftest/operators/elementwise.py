"""Arithmetic, comparisons, logic, bits, choices and conversions."""

import ml_dtypes
import numpy as np
from onnx import helper

from .draft import Operator
from .values import (broadcastable, draw_array, draw_shape, is_float, is_unsigned, one_sided, pick,
                     pick_type, types_of)  # fmt: skip


def unary(d):
    d.node(d.first())


def of_positives(d):
    """Mostly where the function is defined."""
    d.node(d.first(positive=d.chance(0.8)))


def binary(d):
    x = d.first()
    y = d.like(x.array.dtype, broadcastable(d.rng, x.array.shape))
    d.node(*_in_any_order(d, x, y))


def _in_any_order(d, *operands):
    return [operands[i] for i in d.rng.permutation(len(operands))]


def _nonzero(d, dtype, shape):
    """Divisors: what 0 and overflow give is undefined for integers."""
    array = draw_array(d.rng, dtype, shape)
    if is_float(dtype):
        return array
    return np.where((array == 0) | (array == np.array(-1).astype(dtype)), 3, array).astype(dtype)


def division(d):
    x = d.first()
    dtype = x.array.dtype
    d.node(x, d.operand(_nonzero(d, dtype, broadcastable(d.rng, x.array.shape))))


def modulo(d):
    x = d.first(specials=False)
    dtype = x.array.dtype
    divisor = _nonzero(d, dtype, broadcastable(d.rng, x.array.shape))
    if is_float(dtype):
        divisor = np.where(divisor == 0, 1.5, divisor).astype(dtype)
    fmod = 1 if is_float(dtype) or d.chance(0.3) else 0
    d.node(x, d.operand(divisor), **({"fmod": fmod} if fmod or d.chance(0.5) else {}))


def power(d):
    dtype = pick_type(d.rng, d.types())
    exponents = [t for t in types_of("Pow", d.opset, 1) if not is_unsigned(t) and t != np.int8]
    # Pow of opset 13 has bases of bf16, but no exponents.
    alike = d.chance(0.6) and any(dtype == t for t in exponents)
    exponent_type = dtype if alike else pick(d.rng, exponents)
    shape = draw_shape(d.rng, int(d.rng.integers(4)))
    other = broadcastable(d.rng, shape)
    if is_float(dtype) and is_float(exponent_type) and d.chance(0.5):
        base = draw_array(d.rng, dtype, shape, positive=True)
        exponent = d.rng.normal(size=other)
    else:
        base = d.rng.integers(-4, 5, shape) / (2 if is_float(dtype) else 1)
        least = -3 if is_float(dtype) else 0
        exponent = d.rng.integers(least, 5, other)
        if not (exponent >= 0).all():
            base = np.where(base == 0, 1, base)
    if d.chance(0.4):
        exponent = np.full(other, pick(d.rng, [2, 3, 1, 0] + [0.5, -1] * is_float(exponent_type)))
        base = np.abs(base)
    d.node(d.operand(np.asarray(base).astype(dtype)),
           d.operand(np.asarray(exponent).astype(exponent_type)))  # fmt: skip


def bit_shift(d):
    x = d.first()
    dtype = x.array.dtype
    distance = d.rng.integers(0, 8 * dtype.itemsize, broadcastable(d.rng, x.array.shape))
    d.node(x, d.operand(distance.astype(dtype)), direction=pick(d.rng, ["LEFT", "RIGHT"]))


def variadic(d):
    x = d.first()
    count = int(d.rng.integers(4))
    others, shape = [], x.array.shape
    for _ in range(count):
        other = d.like(x.array.dtype, broadcastable(d.rng, shape))
        shape = np.broadcast_shapes(shape, other.array.shape)
        others.append(other)
    d.node(*_in_any_order(d, x, *others))


def where(d):
    x = d.first(d.types(1))
    y = d.like(x.array.dtype, broadcastable(d.rng, x.array.shape))
    full = np.broadcast_shapes(x.array.shape, y.array.shape)
    condition = d.like(np.bool_, one_sided(d.rng, full))
    d.node(condition, *_in_any_order(d, x, y))


def clip(d):
    x = d.first()
    limits = np.sort(np.asarray(draw_array(d.rng, x.array.dtype, (2,))))
    if d.chance(0.1):
        limits = limits[::-1]
    low, high = (None if d.chance(0.25) else d.operand(limit.reshape(())) for limit in limits)
    d.node(x, low, high)


# ===------------------------------------------------------------------------=== #
# Conversions
# ===------------------------------------------------------------------------=== #


def _convertible(d, dtype, to):
    """An operand whose elements `to` can hold."""
    if not is_float(dtype) or is_float(to) or to == np.bool_:
        return d.first([dtype], specials=is_float(to))
    shape = draw_shape(d.rng, int(d.rng.integers(4)))
    low = 0 if is_unsigned(to) else -100
    return d.operand(np.asarray(d.rng.uniform(low, 100, shape)).astype(dtype))


def cast(d):
    dtypes = d.types()
    to = pick_type(d.rng, dtypes)
    if d.opset >= 21 and d.chance(0.1):
        small = pick(d.rng, [ml_dtypes.int4, ml_dtypes.uint4])
        low = -8 if small is ml_dtypes.int4 else 0
        shape = draw_shape(d.rng, int(d.rng.integers(4)))
        x = d.operand(np.asarray(d.rng.integers(low, low + 16, shape)).astype(small))
    else:
        x = _convertible(d, pick_type(d.rng, dtypes), to)
    d.node(x, to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))


def cast_like(d):
    dtypes = d.types()
    to = pick_type(d.rng, dtypes)
    x = _convertible(d, pick_type(d.rng, dtypes), to)
    d.node(x, d.like(to, draw_shape(d.rng, int(d.rng.integers(3)))))


FUNCTIONS = ["Cos", "Sin", "Sigmoid", "Exp", "Erf", "Tanh"]
OPERATORS = [
    *(Operator(name, unary) for name in ("Abs", "Neg", "Relu", "Identity", "Not", "BitwiseNot")),
    *(Operator(name, unary, is_discontinuous=True)
      for name in ("Floor", "Ceil", "Round", "Sign", "IsNaN")),
    *(Operator(name, unary, is_exact=False) for name in FUNCTIONS),
    Operator("Sqrt", of_positives),
    Operator("Log", of_positives, is_exact=False),
    Operator("Reciprocal", of_positives),
    *(Operator(name, binary) for name in ("Add", "Sub", "Mul", "And", "Or", "Xor", "BitwiseAnd",
                                          "BitwiseOr", "BitwiseXor")),
    *(Operator(name, binary, is_discontinuous=True)
      for name in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")),
    Operator("Div", division),
    Operator("Mod", modulo, is_discontinuous=True),
    Operator("Pow", power, is_exact=False),
    Operator("BitShift", bit_shift),
    Operator("Max", variadic),
    Operator("Min", variadic),
    Operator("Where", where),
    Operator("Clip", clip),
    Operator("Cast", cast, is_discontinuous=True),
    Operator("CastLike", cast_like, is_discontinuous=True),
]  # fmt: skip
