"""QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear."""

import ml_dtypes
import numpy as np
from onnx import helper

from .draft import Operator
from .values import any_axis, draw_array, draw_shape, pick

# Since which version each type of codes exists, and the range to draw from.
CODES = {
    np.int8: (13, -128, 127), np.uint8: (13, 0, 255),
    np.int16: (21, -999, 999), np.uint16: (21, 0, 999),
    ml_dtypes.int4: (21, -8, 7), ml_dtypes.uint4: (21, 0, 15),
    ml_dtypes.int2: (25, -2, 1), ml_dtypes.uint2: (25, 0, 3),
}  # fmt: skip


def _code_types(d):
    return [t for t, (since, _, _) in CODES.items() if since <= d.opset]


def _draw_codes(d, dtype, shape):
    low, high = CODES[dtype][1:] if dtype in CODES else (-999, 999)
    return np.asarray(d.rng.integers(low, high + 1, shape)).astype(dtype)


def _granularity(d, shape):
    """The scale's shape and the attributes: per tensor, axis or block."""
    kind = d.rng.random()
    if kind < 0.4 or not shape or 0 in shape:
        return ((), {}) if d.chance(0.7) or len(shape) < 2 else ((1,), {})
    axis = any_axis(d.rng, len(shape))
    if kind < 0.75 or d.opset < 21:
        # At rank 1 the default axis, 1, means nothing.
        attrs = {} if axis % len(shape) == 1 and d.chance(0.5) else {"axis": axis}
        return (shape[axis],), attrs
    block = int(d.rng.integers(1, shape[axis] + 1))
    sizes = list(shape)
    sizes[axis] = -(-shape[axis] // block)
    # The size of a block must follow from the sizes.
    if -(-shape[axis] // sizes[axis]) > block:
        return (shape[axis],), {"axis": axis}
    return tuple(sizes), {"axis": axis, "block_size": block}


def _scale(d, shape, dtype):
    """Powers of two, so that no rounding error decides a tie."""
    return (2.0 ** d.rng.integers(-4, 3, shape)).astype(dtype)


def _float_types(d):
    wide = [np.float32, np.float16, ml_dtypes.bfloat16]
    return wide if d.opset >= 19 else wide[:1]


def quantize(d):
    dtypes = [*_float_types(d), *([np.int32] if d.opset < 19 else [])]
    x = d.first(dtypes, specials=False)
    shape, attrs = _granularity(d, x.array.shape)
    scale_type = np.float32 if x.array.dtype == np.int32 else x.array.dtype
    to = pick(d.rng, _code_types(d))
    zero = None
    if d.opset < 21 and d.chance(0.2):
        to = np.uint8
    elif d.chance(0.7) or d.opset < 21:
        zeros = _draw_codes(d, to, shape) if d.chance(0.6) else np.zeros(shape, to)
        zero = d.operand(zeros)
    elif d.opset >= 21:
        attrs["output_dtype"] = helper.np_dtype_to_tensor_dtype(np.dtype(to))
    (codes,) = d.node(x, d.operand(_scale(d, shape, scale_type)), zero, **attrs)
    if to not in _BYTES:  # a program's results are made of bytes
        d.results = [d.graph.node("DequantizeLinear", codes, np.ones((), np.float32))]


_BYTES = [np.int8, np.uint8, np.int16, np.uint16]


def dequantize(d):
    dtype = pick(d.rng, [*_code_types(d), np.int32])
    shape = draw_shape(d.rng, int(d.rng.integers(5)))
    x = d.operand(_draw_codes(d, dtype, shape))
    scale_shape, attrs = _granularity(d, shape)
    scale = d.operand(_scale(d, scale_shape, pick(d.rng, _float_types(d))))
    zero = None
    if dtype != np.int32 and d.chance(0.6):
        zero = d.operand(_draw_codes(d, dtype, scale_shape))
    d.node(x, scale, zero, **attrs)


def dynamic_quantize(d):
    x = d.first([np.float32], allow_empty=False, specials=False)
    d.node(x, outputs=3)


OPERATORS = [
    Operator("QuantizeLinear", quantize, is_discontinuous=True),
    Operator("DequantizeLinear", dequantize),
    Operator("DynamicQuantizeLinear", dynamic_quantize, is_discontinuous=True),
]
