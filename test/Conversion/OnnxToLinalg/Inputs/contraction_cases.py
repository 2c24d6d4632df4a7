"""Products: ranks, broadcasting, transposition, integer codes, sizes of 0."""

import ml_dtypes
import numpy as np
from conformance import Case, Const

RNG = np.random.default_rng(3)


def floats(*shape, dtype=np.float32):
    return RNG.normal(size=shape).astype(dtype)


def codes(*shape, dtype=np.int8):
    info = np.iinfo(dtype)
    return RNG.integers(info.min, info.max + 1, shape).astype(dtype)


def matmuls():
    for left, right in [
        ((3, 4), (4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)),
        ((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)), ((2, 3, 4), (2, 4, 5)),
        ((2, 1, 3, 4), (1, 6, 4, 5)), ((2, 3, 4), (1, 4, 5)), ((1, 3, 4), (2, 4, 5)),
        ((4,), (2, 4, 5)), ((2, 3, 4), (4,)), ((0, 4), (4, 5)), ((3, 0), (0, 5)),
        ((3, 4), (4, 0)), ((0, 3, 4), (1, 4, 5)), ((1, 1), (1, 1)), ((17, 127), (127, 3)),
    ]:  # fmt: skip
        expected = [np.matmul(a := floats(*left), b := floats(*right))]
        for dynamic in (True, False):
            yield Case("MatMul", [a, b], dynamic=dynamic, expected=expected, rtol=1e-4, atol=1e-5)
    yield Case("MatMul", [floats(2, 3, 4), Const(floats(4, 5))], rtol=1e-4, atol=1e-5)
    yield Case("MatMul", [codes(3, 4).astype(np.int32), codes(4, 2).astype(np.int32)])
    yield Case("MatMul", [codes(3, 4, dtype=np.uint8).astype(np.uint64),
                          codes(4, 2, dtype=np.uint8).astype(np.uint64)])  # fmt: skip
    # f16 stops counting at 2048, bf16 at 256: sums are f32, rounded once.
    for dtype in (np.float16, ml_dtypes.bfloat16):
        ones = np.ones((1, 3000), dtype)
        yield Case("MatMul", [ones, ones.T.copy()], expected=[np.full((1, 1), 3000, dtype)])
    yield Case("MatMul", [floats(2, 3), floats(4, 2)], fails="sum over equally many",
               expected=[floats(2, 2)])  # fmt: skip


def gemms():
    a, b = floats(3, 4), floats(4, 5)
    for alpha, beta in ((1.0, 1.0), (0.5, 2.0)):
        for bias in (None, floats(3, 5), floats(5), floats(3, 1), floats()):
            yield Case("Gemm", [a, b, bias], {"alpha": alpha, "beta": beta}, rtol=1e-4, atol=1e-5)
    for trans_a in (0, 1):
        for trans_b in (0, 1):
            left = a.T.copy() if trans_a else a
            right = b.T.copy() if trans_b else b
            yield Case("Gemm", [left, right, floats(1, 5)], {"transA": trans_a, "transB": trans_b},
                       rtol=1e-4, atol=1e-5)  # fmt: skip
    yield Case("Gemm", [a.astype(np.float16), b.astype(np.float16), floats(5, dtype=np.float16)],
               rtol=1e-2, atol=1e-2)  # fmt: skip
    yield Case("Gemm", [codes(2, 3).astype(np.int32), codes(3, 2).astype(np.int32)])


def integer_products():
    for left, right in ((np.uint8, np.uint8), (np.int8, np.int8), (np.uint8, np.int8), (np.int8, np.uint8)):
        a, b = codes(3, 7, dtype=left), codes(7, 4, dtype=right)
        za, zb = codes(dtype=left), codes(dtype=right)
        wide = a.astype(np.int32) @ b.astype(np.int32)
        yield Case("MatMulInteger", [a, b], expected=[wide])
        centred = (a.astype(np.int32) - za) @ (b.astype(np.int32) - zb)
        yield Case("MatMulInteger", [a, b, np.array(za), np.array([zb])], expected=[centred])
        rows, columns = codes(3, dtype=left), codes(4, dtype=right)
        centred = (a.astype(np.int32) - rows[:, None]) @ (b.astype(np.int32) - columns)
        yield Case("MatMulInteger", [a, b, rows, columns], expected=[centred])
        centred = (a.astype(np.int32) - za) @ b.astype(np.int32)
        yield Case("MatMulInteger", [a, b, Const(za, left)], expected=[centred])
    worst = np.full((1, 4095), -128, np.int8)
    yield Case("MatMulInteger", [worst, worst.T.copy()],
               expected=[np.array([[4095 * 16384]], np.int32)])  # fmt: skip
    yield Case("MatMulInteger", [codes(2, 3, 4), codes(4, 5)])


def quantized_products():
    for dtype in (np.uint8, np.int8):
        a, b = codes(3, 40, dtype=dtype), codes(40, 4, dtype=dtype)
        zero_a, zero_b, zero_y = codes(dtype=dtype), codes(dtype=dtype), codes(dtype=dtype)
        scales = [np.float32(0.02), np.float32(0.03), np.float32(1.5)]
        inputs = [a, np.array(scales[0]), np.array(zero_a), b, np.array(scales[1]), np.array(zero_b),
                  np.array(scales[2]), np.array(zero_y)]  # fmt: skip
        sums = (a.astype(np.int64) - zero_a) @ (b.astype(np.int64) - zero_b)
        info = np.iinfo(dtype)
        ratio = sums * np.float64(scales[0] * scales[1] / scales[2])
        y = np.clip(np.round(ratio) + zero_y, info.min, info.max)
        yield Case("QLinearMatMul", inputs, expected=[y.astype(dtype)])
        per_column = np.array([0.01, 0.02, 0.03, 0.5], np.float32)
        zeros = codes(4, dtype=dtype)
        inputs = [*inputs[:4], per_column, zeros, *inputs[6:]]
        sums = (a.astype(np.int64) - zero_a) @ (b.astype(np.int64) - zeros)
        ratio = sums * (np.float32(0.02) * per_column / np.float32(1.5)).astype(np.float64)
        y = np.clip(np.round(ratio) + zero_y, info.min, info.max)
        yield Case("QLinearMatMul", inputs, expected=[y.astype(dtype)])


def cases():
    for group in (matmuls, gemms, integer_products, quantized_products):
        yield from group()
