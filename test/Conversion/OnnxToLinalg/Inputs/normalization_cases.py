"""Softmax and norms, with both meanings of Softmax's axis."""

import ml_dtypes
import numpy as np
from conformance import Case

RNG = np.random.default_rng(4)


def floats(*shape, dtype=np.float32):
    return RNG.normal(size=shape).astype(dtype)


def softmaxes():
    for op in ("Softmax", "LogSoftmax"):
        for attrs in ({}, {"axis": 0}, {"axis": 1}, {"axis": -2}):
            yield Case(op, [floats(2, 3, 4)], attrs, rtol=1e-5)
        # Up to opset 12: over everything from the axis on, which is 1 by default.
        for axis in (None, 0, 2):
            x = floats(2, 3, 4)
            flat = x.reshape(int(np.prod(x.shape[: 1 if axis is None else axis])), -1).astype(np.float64)
            powers = np.exp(flat - flat.max(1, keepdims=True))
            y = powers / powers.sum(1, keepdims=True)
            y = np.log(y) if op == "LogSoftmax" else y
            yield Case(op, [x], {} if axis is None else {"axis": axis}, opset=11, rtol=1e-5,
                       expected=[y.reshape(x.shape).astype(np.float32)])  # fmt: skip
        yield Case(op, [floats(2, 5) * 5], rtol=1e-5)
        yield Case(op, [floats(0, 3)], expected=[floats(0, 3)])
        yield Case(op, [floats(2, 5, dtype=np.float16)], rtol=2e-3)
        yield Case(op, [floats(2, 5, dtype=np.float64)], rtol=1e-12)
    far = np.array([[0, 900, -900]], np.float32)
    yield Case("Softmax", [far], expected=[np.array([[0, 1, 0]], np.float32)])
    yield Case("LogSoftmax", [far], expected=[np.array([[-900, 0, -1800]], np.float32)])
    masked = np.array([[1, -3.4028234663852886e38, 2], [-np.inf, 0, 1]], np.float32)
    yield Case("Softmax", [masked], rtol=1e-5)


def norms():
    x, scale, bias = floats(2, 3, 8), floats(8), floats(8)
    for epsilon in (1e-5, 0.5):
        yield Case("RMSNormalization", [x, scale], {"epsilon": epsilon}, opset=23, rtol=1e-5)
        yield Case("LayerNormalization", [x, scale, bias], {"epsilon": epsilon}, rtol=1e-5, atol=1e-5)
    yield Case("LayerNormalization", [x, scale], outputs=3, rtol=1e-5, atol=1e-5)
    yield Case("LayerNormalization", [x, floats(3, 8), floats(3, 8)], {"axis": 1}, rtol=1e-5, atol=1e-5)
    yield Case("RMSNormalization", [x, floats(3, 8)], {"axis": 1}, opset=23, rtol=1e-5)
    yield Case("RMSNormalization", [x * 0, scale], opset=23)
    half = floats(2, 64, dtype=np.float16) * 200  # Squares overflow f16.
    ones = np.ones(64, np.float16)
    wide = half.astype(np.float32)
    rms = wide / np.sqrt((wide**2).mean(-1, keepdims=True) + 1e-5)
    yield Case("RMSNormalization", [half, ones], opset=23, rtol=2e-3, expected=[rms.astype(np.float16)])


def onnxruntime_norms():
    x, scale = floats(2, 3, 8), floats(8)
    skip, bias, beta = floats(2, 3, 8), floats(8), floats(8)

    def rms(values):
        root = np.sqrt((values.astype(np.float64) ** 2).mean(-1, keepdims=True) + 1e-5)
        return (values / root * scale).astype(np.float32)

    yield Case("SimplifiedLayerNormalization", [x, scale], {"epsilon": 1e-5}, rtol=1e-5,
               expected=[rms(x)])  # fmt: skip
    op, attrs = "com.microsoft::SkipSimplifiedLayerNormalization", {"epsilon": 1e-5}
    yield Case(op, [x, skip, scale], attrs, outputs=4, unused=(1, 2), rtol=1e-5,
               expected=[rms(x + skip), x + skip])  # fmt: skip
    yield Case(op, [x, skip, scale, bias], attrs, outputs=4, unused=(1, 2), rtol=1e-5,
               expected=[rms(x + skip + bias), x + skip + bias])  # fmt: skip
    yield Case(op, [x, skip, scale], attrs, by_ort=True, output_types=[np.float32], rtol=1e-5)
    yield Case("com.microsoft::SkipLayerNormalization", [x, skip, scale, beta, bias], attrs,
               by_ort=True, output_types=[np.float32], rtol=1e-5, atol=1e-5)  # fmt: skip


def cases():
    for group in (softmaxes, norms, onnxruntime_norms):
        yield from group()
