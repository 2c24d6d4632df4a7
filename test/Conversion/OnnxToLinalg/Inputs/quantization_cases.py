"""Quantisation: rounding, saturation, and every granularity and width."""

import ml_dtypes
import numpy as np
from conformance import Case, Const

RNG = np.random.default_rng(5)
SIGNED = {2: ml_dtypes.int2, 4: ml_dtypes.int4, 8: np.int8}
UNSIGNED = {2: ml_dtypes.uint2, 4: ml_dtypes.uint4, 8: np.uint8}


def floats(*shape, dtype=np.float32):
    return RNG.normal(size=shape).astype(dtype)


def limits(bits, signed):
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def codes(*shape, bits=8, signed=True):
    low, high = limits(bits, signed)
    return RNG.integers(low, high + 1, shape).astype((SIGNED if signed else UNSIGNED)[bits])


def quantized(x, scale, zero, bits, signed):
    low, high = limits(bits, signed)
    y = np.clip(np.round(x / scale) + np.float32(zero), low, high)
    return y.astype(np.int8 if signed else np.uint8)


def quantize():
    ties = np.array([0.5, 1.5, -0.5, -1.5, 2.5, 300, -300, np.inf, -np.inf, 1e30, 0], np.float32)
    for zero in (np.uint8(3), np.int8(-3)):
        signed = zero.dtype == np.int8
        yield Case("QuantizeLinear", [ties, np.array(1, np.float32), np.array(zero)],
                   expected=[quantized(ties, np.float32(1), zero, 8, signed)])  # fmt: skip
    yield Case("QuantizeLinear", [ties, np.array(0.5, np.float32)],
               expected=[quantized(ties, np.float32(0.5), 0, 8, False)])  # fmt: skip
    x = floats(2, 3, 4) * 50
    for axis, size in ((0, 2), (1, 3), (-1, 4)):
        scale = np.abs(floats(size)) + 0.1
        zero = codes(size)
        yield Case("QuantizeLinear", [x, scale, zero], {"axis": axis})
    blocks, zeros = np.abs(floats(4, 3)) + 0.1, codes(4, 3)
    yield Case("QuantizeLinear", [floats(4, 9) * 50, blocks, zeros], {"axis": 1, "block_size": 3}, opset=21)
    yield Case("QuantizeLinear", [(floats(5) * 50).astype(np.float16), np.array(0.3, np.float16), np.array(5, np.uint8)],
               opset=21, expected=None)  # fmt: skip


def dequantize():
    for bits in (2, 4, 8):
        for signed in (True, False):
            x, zero = codes(3, 5, bits=bits, signed=signed), codes(5, bits=bits, signed=signed)
            wide = x.astype(np.float32) - zero.astype(np.float32)
            scale = floats(5)
            # Constants, as weights are: elements below a byte are widened.
            yield Case("DequantizeLinear", [Const(x), scale, Const(zero)], {"axis": 1}, opset=25,
                       expected=[wide * scale])  # fmt: skip
            yield Case("DequantizeLinear", [x, scale, zero], {"axis": -1}, opset=25,
                       expected=[wide * scale])  # fmt: skip
    x = codes(6, 4)
    yield Case("DequantizeLinear", [x, np.array(0.5, np.float32)], opset=20)
    yield Case("DequantizeLinear", [x, np.array([0.5], np.float32), np.array([3], np.int8)], opset=20)
    yield Case("DequantizeLinear", [x, floats(6), codes(6)], {"axis": 0}, opset=20)
    yield Case("DequantizeLinear", [x, floats(3, 4)], {"axis": 0, "block_size": 2}, opset=21)
    yield Case("DequantizeLinear", [x, floats(6, 2), codes(6, 2)], {"axis": 1, "block_size": 3}, opset=21,
               expected=None)  # fmt: skip
    yield Case("DequantizeLinear", [RNG.integers(-(2**30), 2**30, 5).astype(np.int32), np.array(0.1, np.float32)], opset=20)
    yield Case("DequantizeLinear", [x, np.array(0.1, np.float16)], opset=21, rtol=1e-3,
               expected=[(x * np.float32(np.float16(0.1))).astype(np.float16)])  # fmt: skip


def dynamic():
    for x in (floats(3, 4), np.abs(floats(5)) + 1, -np.abs(floats(5)) - 1, np.zeros(3, np.float32)):
        yield Case("DynamicQuantizeLinear", [x], outputs=3, by_ort=True,
                   output_types=[np.uint8, np.float32, np.uint8])  # fmt: skip


def packed_products():
    for bits in (2, 4, 8):
        for k, block in ((32, 16), (40, 16), (64, 32)):
            n, count = 6, -(-k // block)
            weights = RNG.integers(0, 1 << bits, (n, count * block))
            scales = floats(n, count)
            per_byte = 8 // bits
            packed = sum(weights.reshape(n, count, -1, per_byte)[..., i] << (bits * i) for i in range(per_byte))
            zeros = RNG.integers(0, 1 << bits, (n, count))
            padded = np.pad(zeros, ((0, 0), (0, -count % per_byte)))
            packed_zeros = sum(padded.reshape(n, -1, per_byte)[..., i] << (bits * i) for i in range(per_byte))
            attrs = {"N": n, "K": k, "block_size": block, "bits": bits}
            x = floats(2, 3, k)

            def product(zero_points):
                spread = lambda a: np.repeat(a, block, 1)[:, :k].astype(np.float64)
                return (x @ ((weights[:, :k] - spread(zero_points)) * spread(scales)).T).astype(np.float32)

            op, tolerance = "com.microsoft::MatMulNBits", {"rtol": 1e-4, "atol": 1e-4}
            inputs = [x, Const(packed, np.uint8), Const(scales)]
            default = np.full((n, count), 1 << (bits - 1))
            yield Case(op, inputs, attrs, expected=[product(default)], **tolerance)
            yield Case(op, [*inputs, Const(packed_zeros, np.uint8)], attrs, expected=[product(zeros)], **tolerance)
            float_zeros = floats(n, count)
            yield Case(op, [*inputs, Const(float_zeros)], attrs, expected=[product(float_zeros)], **tolerance)
            bias = floats(n)
            yield Case(op, [*inputs, None, None, Const(bias)], attrs, expected=[product(default) + bias], **tolerance)


def cases():
    for group in (quantize, dequantize, dynamic, packed_products):
        yield from group()
