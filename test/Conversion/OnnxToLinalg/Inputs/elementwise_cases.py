"""Elementwise operators: every type, broadcasting, and awkward values."""

import ml_dtypes
import numpy as np
from conformance import Case, Const

RNG = np.random.default_rng(1)
BF16 = ml_dtypes.bfloat16
SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -0.5, -1.5, 3.7, -3.7, 88.0, -88.0,
     1e-30, 3e38, np.inf, -np.inf, np.nan], np.float32)  # fmt: skip


def floats(*shape, dtype=np.float32):
    return RNG.normal(size=shape).astype(dtype)


def integers(*shape, dtype=np.int32, low=-100, high=100):
    if np.issubdtype(dtype, np.unsignedinteger):
        low, high = 0, high + 100
    return RNG.integers(low, high, shape).astype(dtype)


def arithmetic():
    for op in ("Add", "Sub", "Mul", "Div"):
        for dtype in (np.float32, np.float64, np.float16):
            yield Case(op, [floats(3, 4, dtype=dtype), floats(3, 4, dtype=dtype)])
        for dtype in (np.int8, np.int32, np.int64, np.uint8, np.uint32):
            divisor = integers(3, 5, dtype=dtype)
            divisor[divisor == 0] = 3
            yield Case(op, [integers(3, 5, dtype=dtype), divisor])
        yield Case(op, [floats(2, 3), floats(3, dtype=np.float32)], dynamic=False)
    least = np.array([-128, -128, 7, -7], np.int8)
    yield Case("Div", [least, np.array([-1, 2, 0, 2], np.int8)],
               expected=[np.array([-128, -64, 0, -3], np.int8)])  # fmt: skip
    bf16 = floats(7, dtype=BF16)
    yield Case("Mul", [bf16, bf16], expected=[bf16 * bf16])
    yield Case("Add", [bf16, bf16[::-1].copy()], expected=[bf16 + bf16[::-1]])
    a, b = integers(40), integers(40)
    b[b == 0] = 7
    yield Case("Mod", [a, b])
    yield Case("Mod", [a, b], {"fmod": 1})
    yield Case("Mod", [integers(9, dtype=np.uint8), np.full(9, 7, np.uint8)])
    yield Case("Mod", [floats(9), floats(9)], {"fmod": 1})
    # Floats take the divisor's sign, a zero too, since opset 28.
    left = np.array([7.5, -7.5, 7.5, -6.0, 6.0, 3.0, -3.0, np.inf], np.float32)
    right = np.array([2.0, 2.0, -2.0, 2.0, -2.0, np.inf, np.inf, 2.0], np.float32)
    rest = np.array([1.5, 0.5, -0.5, 0.0, -0.0, 3.0, np.inf, np.nan], np.float32)
    yield Case("Mod", [left, right], opset=28, expected=[rest])


def powers():
    x = np.abs(floats(6)) + 0.1
    yield Case("Pow", [floats(6), Const(2.0, np.float32)])
    yield Case("Pow", [floats(6), Const(3.0, np.float32)], rtol=1e-5)
    yield Case("Pow", [x, floats(6)], rtol=1e-5)
    yield Case("Pow", [x, Const(0.5, np.float32)], rtol=1e-5)
    yield Case("Pow", [np.array([2, -3, 5], np.int64), np.array([3, 3, 0], np.int64)])
    yield Case("Pow", [x, np.full(6, 2, np.int64)], rtol=1e-5)


def broadcasting():
    # Sizes that only the running program knows: equal, 1 on either side, 0.
    for left, right in [
        ((3, 4), (3, 4)), ((1, 4), (3, 4)), ((3, 4), (3, 1)), ((3, 1), (1, 4)),
        ((4,), (3, 4)), ((3, 4), (1,)), ((), (2, 3)), ((1,), (0,)), ((0, 4), (1, 4)),
        ((2, 0), (2, 1)), ((0,), (0,)), ((1, 1), (1, 1)), ((2, 1, 3), (5, 1)),
    ]:  # fmt: skip
        yield Case("Sub", [floats(*left), floats(*right)])
        yield Case("Sub", [floats(*left), floats(*right)], dynamic=False)
    yield Case("Sub", [floats(3, 4), Const(floats(1, 4))])
    yield Case("Sub", [floats(1, 4), Const(floats(3, 1))])
    yield Case("Sub", [floats(2, 1), Const(floats(3))])
    yield Case("Where", [integers(3, 1) > 0, floats(1, 4), floats(4)])
    yield Case("Max", [floats(3, 1), floats(1, 4), floats(1)])
    yield Case("Sub", [floats(3), floats(2)], fails="must be equal or 1",
               expected=[floats(3)])  # fmt: skip
    yield Case("Sub", [floats(0), floats(2)], fails="must be equal or 1",
               expected=[floats(0)])  # fmt: skip


def choices():
    for dtype in (np.float32, np.int8, np.uint8, np.int64):
        make = floats if dtype == np.float32 else integers
        triple = [make(4, dtype=dtype) for _ in range(3)]
        yield Case("Max", triple)
        yield Case("Min", triple)
        yield Case("Max", triple[:1])
    with_nan = np.array([1, np.nan, 3], np.float32)
    yield Case("Max", [with_nan, np.array([2, 2, np.nan], np.float32)])
    yield Case("Min", [with_nan, np.array([2, 2, np.nan], np.float32)])
    low, high = Const(-0.5, np.float32), Const(0.5, np.float32)
    yield Case("Clip", [floats(9), low, high])
    yield Case("Clip", [floats(9), None, high])
    yield Case("Clip", [floats(9), low])
    yield Case("Clip", [floats(9)])
    yield Case("Clip", [SPECIAL, low, high])
    yield Case("Clip", [floats(9), high, low], expected=[np.full(9, -0.5, np.float32)])
    yield Case("Clip", [integers(9, dtype=np.int8), Const(-3, np.int8), Const(9, np.int8)])
    yield Case("Clip", [floats(9)], {"min": -0.5, "max": 0.25}, opset=10,
               expected=None)  # fmt: skip


def comparisons():
    for op in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"):
        yield Case(op, [SPECIAL, SPECIAL[::-1].copy()])
        for dtype in (np.int8, np.uint8, np.int64):
            yield Case(op, [integers(30, dtype=dtype), integers(30, dtype=dtype)])
    yield Case("Equal", [np.array([True, False]), np.array([True, True])])
    for op in ("And", "Or", "Xor"):
        yield Case(op, [integers(4, 1) > 0, integers(4) > 0])
    yield Case("Not", [integers(5) > 0])
    for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
        yield Case(op, [integers(9), integers(9)])
    yield Case("BitwiseNot", [integers(9, dtype=np.int8)])
    for direction in ("LEFT", "RIGHT"):
        for dtype in (np.uint8, np.uint32):
            distance = np.array([0, 1, 7, 3, 2], dtype)
            yield Case("BitShift", [integers(5, dtype=dtype), distance],
                       {"direction": direction})  # fmt: skip
    # The sign fills up since opset 28, which brought signed integers; what had
    # their type before is meant to be unsigned.
    signed, by = np.array([-128, -3, 5, -1], np.int8), np.array([1, 1, 2, 8], np.int8)
    yield Case("BitShift", [signed, by], {"direction": "RIGHT"}, opset=28,
               expected=[np.array([-64, -2, 1, -1], np.int8)])  # fmt: skip
    yield Case("BitShift", [signed, by], {"direction": "LEFT"}, opset=28,
               expected=[np.array([0, -6, 20, 0], np.int8)])  # fmt: skip
    yield Case("BitShift", [signed, by], {"direction": "RIGHT"}, opset=27,
               expected=[np.array([64, 126, 1, 0], np.int8)])  # fmt: skip
    yield Case("BitShift", [np.array([255], np.uint8), np.array([8], np.uint8)],
               {"direction": "RIGHT"}, expected=[np.array([0], np.uint8)])  # fmt: skip
    yield Case("IsNaN", [SPECIAL])
    yield Case("IsInf", [SPECIAL])
    yield Case("IsInf", [SPECIAL], {"detect_negative": 0})
    yield Case("IsInf", [SPECIAL], {"detect_positive": 0})


def functions():
    for op in ("Abs", "Neg", "Floor", "Ceil", "Round", "Exp", "Reciprocal", "Sigmoid",
               "Tanh", "Relu", "Softsign"):  # fmt: skip
        yield Case(op, [SPECIAL], rtol=1e-5)
        yield Case(op, [floats(2, 3, dtype=np.float16)], rtol=2e-3, atol=1e-3)
    # Halves round to even; NumPy's sign keeps NaN.
    yield Case("Sign", [SPECIAL], expected=[np.sign(SPECIAL)])
    yield Case("Sign", [integers(9, dtype=np.int8)])
    for op in ("Abs", "Neg", "Relu"):
        yield Case(op, [integers(9, dtype=np.int8)])
    finite = floats(3, 5)
    for op in ("Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Asinh", "Erf", "Softplus",
               "Elu", "Selu", "Celu", "LeakyRelu", "HardSigmoid", "HardSwish", "Mish",
               "ThresholdedRelu"):  # fmt: skip
        yield Case(op, [finite], rtol=1e-5, atol=2e-6)
    for op in ("Sqrt", "Log"):
        yield Case(op, [np.abs(finite)], rtol=1e-5)
        yield Case(op, [np.array([-1, 0, np.inf], np.float32)])
    for op in ("Asin", "Acos", "Atanh"):
        yield Case(op, [np.tanh(finite)], rtol=1e-5)
    yield Case("Acosh", [np.abs(finite) + 1], rtol=1e-5)
    for approximate in ("none", "tanh"):
        yield Case("Gelu", [finite], {"approximate": approximate}, rtol=1e-5, atol=1e-6)
    yield Case("LeakyRelu", [finite], {"alpha": 0.3})
    yield Case("PRelu", [finite, floats(5)])
    large = np.array([-200, 200, 0], np.float32)
    yield Case("Softplus", [large], expected=[np.array([0, 200, np.log(2)], np.float32)])
    yield Case("com.microsoft::QuickGelu", [finite], {"alpha": 1.5}, by_ort=True,
               output_types=[np.float32], rtol=1e-5)  # fmt: skip
    bf16 = floats(9, dtype=BF16)
    yield Case("Sqrt", [np.abs(bf16)], rtol=8e-3,
               expected=[np.sqrt(np.abs(bf16).astype(np.float32)).astype(BF16)])  # fmt: skip


def casts():
    number = {np.float32: 1, np.uint8: 2, np.int8: 3, np.uint16: 4, np.int16: 5,
              np.int32: 6, np.int64: 7, np.bool_: 9, np.float16: 10, np.float64: 11,
              np.uint32: 12, np.uint64: 13, BF16: 16}  # fmt: skip
    values = np.array([0, 1, 2.5, 3.99, 100.6, 127, 0.4])
    for source in number:
        for target in number:
            array = values.astype(source)
            yield Case("Cast", [array], {"to": number[target]},
                       expected=[array.astype(target)], rtol=0, atol=0)  # fmt: skip
    signed = np.array([-1.9, -0.9, -100, 0.9, 2.0])
    for target in (np.int8, np.int32, np.int64, np.float16):
        for source in (np.float32, np.float64, np.float16, BF16):
            array = signed.astype(source)
            yield Case("Cast", [array], {"to": number[target]},
                       expected=[array.astype(target)], rtol=0, atol=0)  # fmt: skip
    # Undefined in ONNX: saturates, and NaN becomes 0.
    far = np.array([1e9, -1e9, np.inf, -np.inf, np.nan, 3e38, 127.99, -128.99], np.float32)
    yield Case("Cast", [far], {"to": 3},
               expected=[np.array([127, -128, 127, -128, 0, 127, 127, -128], np.int8)])  # fmt: skip
    yield Case("Cast", [far[:5]], {"to": 2},
               expected=[np.array([255, 0, 255, 0, 0], np.uint8)])  # fmt: skip
    limit = np.array([2147483520, 2147483648, -2147483648, np.inf], np.float32)
    yield Case("Cast", [limit], {"to": 6},
               expected=[np.array([2147483520, 2147483647, -2147483648, 2147483647], np.int32)])  # fmt: skip
    yield Case("Cast", [SPECIAL], {"to": 9}, expected=[SPECIAL.astype(bool)])
    # Ties to even in bf16, on both sides.
    ties = np.array([1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, 3.4e38], np.float32)
    yield Case("Cast", [ties], {"to": 16}, expected=[ties.astype(BF16)], rtol=0, atol=0)
    wrap = np.array([300, -1, 128], np.int32)
    yield Case("Cast", [wrap], {"to": 2}, expected=[wrap.astype(np.uint8)])
    yield Case("Cast", [np.array([200, 255], np.uint8)], {"to": 1})
    yield Case("CastLike", [floats(4), np.zeros(1, np.int32)], expected=None)


def cases():
    for group in (arithmetic, powers, broadcasting, choices, comparisons, functions, casts):
        yield from group()
