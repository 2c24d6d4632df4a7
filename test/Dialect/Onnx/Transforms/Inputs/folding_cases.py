"""The cases of check_folding.py: every operator, each element type, and the
edges of each (empty, one element, broadcast, negative axes and steps)."""

import ml_dtypes
import numpy as np

F32, F64, F16, BF16 = np.float32, np.float64, np.float16, ml_dtypes.bfloat16
I4, U4, I2, U2 = ml_dtypes.int4, ml_dtypes.uint4, ml_dtypes.int2, ml_dtypes.uint2
INTS = [np.int8, np.uint8, np.int32, np.int64]


def array(values, dtype=F32):
    return np.array(values, dtype=dtype)


def ints(*values):
    return np.array(values, dtype=np.int64)


def make_cases(Case):
    rng = np.random.default_rng(3)
    cases = []

    def add(op, *inputs, **options):
        cases.append(Case(op, list(inputs), **options))

    m = rng.standard_normal((3, 4)).astype(F32) * 3
    row = rng.standard_normal(4).astype(F32)
    ties = array([[-2.5, -1.5, -0.5, -0.0], [0.5, 1.5, 2.5, 8388609.0]])
    special = array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0])

    # Unary, for every float type.
    for op in ["Abs", "Ceil", "Floor", "Neg", "Round", "Sign", "Reciprocal"]:
        for dtype in [F32, F64, F16, BF16]:
            x = ties if op == "Round" else m
            add(op, x.astype(dtype), ulps=1 if dtype in (F16, BF16) else 0)
    for op in ["Cos", "Sin"]:
        add(op, m, ulps=2)
    add("Sqrt", np.abs(m))
    for op in ["Abs", "Neg", "Sign"]:
        add(op, array([-128, -1, 0, 1, 127], np.int8))
        add(op, array([-2**31, 5], np.int32))
    add("Abs", array([0, 1, 255], np.uint8))
    for dtype in [np.int8, np.uint8, np.int32]:
        add("BitwiseNot", array([0, 1, 100], dtype))
    add("Not", array([True, False], np.bool_))
    add("Identity", m)
    add("Round", special)
    add("Abs", np.zeros((0, 3), F32))

    # Binary, with broadcasting in both directions.
    for op in ["Add", "Sub", "Mul", "Div"]:
        for dtype in [F32, F64, F16, BF16]:
            add(op, m.astype(dtype), row.astype(dtype))
            add(op, row.astype(dtype), m.astype(dtype))
        add(op, m, array(2.5))
        add(op, array(2.5), m)
        add(op, rng.standard_normal((2, 1, 3)).astype(F32),
            rng.standard_normal((4, 1)).astype(F32))
        add(op, array([200, 255, 7], np.uint8), array([100, 3, 7], np.uint8))
        add(op, array([-128, 127, 7], np.int8), array([2, 3, -7], np.int8))
        add(op, np.zeros((0, 4), F32), row)
    add("Mul", array([65535, 2], np.uint16), array([65535, 3], np.uint16))
    add("Div", array([7, -7, 7, -7], np.int32), array([2, 2, -2, -2], np.int32))
    add("Mod", array([7, -7, 7, -7], np.int32), array([3, 3, -3, -3], np.int32))
    add("Mod", array([7, 242, 5], np.uint8), array([3, 3, 3], np.uint8))
    add("Mod", array([7, -7, 7], np.int64), array([3, 3, -3], np.int64), fmod=1)
    add("Mod", array([7.5, -7.5]), array([2.0, 2.0]), fmod=1)
    # Opset 28: floats take the divisor's sign, a zero too.
    add("Mod", array([7.5, -7.5, 7.5, -6.0, 3.0]), array([2.0, 2.0, -2.0, 2.0, np.inf]), opset=28)
    add("Pow", m, array(2.0))
    add("Pow", np.abs(m), row, ulps=2)
    add("Pow", array(3, np.int32), array([0, 1, 2, 3, 4], np.int32))
    for op in ["Max", "Min"]:
        add(op, m, row)
        add(op, m, row, array(0.5))
        add(op, special, array(0.5))
        add(op, array([1, -5], np.int64), array([0, 0], np.int64))
    a, b = array([0, 1, 12, 255], np.uint8), array([3, 1, 6, 15], np.uint8)
    for op in ["BitwiseAnd", "BitwiseOr", "BitwiseXor"]:
        add(op, a, b)
        add(op, a.astype(np.int32), array(6, np.int32))
    for direction in ["LEFT", "RIGHT"]:
        add("BitShift", a, array([1, 2, 3, 6], np.uint8), direction=direction)
        # Opset 28: signed integers, whose sign fills up.
        add("BitShift", array([-128, -3, 5, 127], np.int8), array([1, 1, 2, 7], np.int8),
            opset=28, direction=direction)
        add("BitShift", array([200, 200, 255, 1], np.uint8), array([7, 8, 255, 0], np.uint8),
            opset=28, direction=direction)
    t, f = array([True, True, False, False], np.bool_), array([True, False, True, False], np.bool_)
    for op in ["And", "Or", "Xor", "Equal"]:
        add(op, t, f)
    for op in ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"]:
        add(op, array([1.0, 2.0, np.nan]), array([1.0, 3.0, np.nan]))
        add(op, ints(1, 5, 3), ints(3))
        add(op, array([0, 200], np.uint8), array([100, 100], np.uint8))
    add("Where", array([[True], [False]], np.bool_), array([1.0, 2.0, 3.0]), array(9.0))
    add("Where", array([True, False], np.bool_), ints(1, 2), ints(3, 4))
    add("Clip", special, array(-1.0), array(0.5))
    add("Clip", m, array(-1.0), None)
    add("Clip", m, None, array(1.0))
    add("Clip", array([-100, 5, 100], np.int8), array(-3, np.int8), array(7, np.int8))

    # Casts.
    for source in [F32, F64, F16, BF16, *INTS]:
        for target, code in [(F32, 1), (np.uint8, 2), (np.int8, 3), (np.int32, 6),
                             (np.int64, 7), (np.bool_, 9), (F16, 10), (F64, 11), (BF16, 16)]:
            add("Cast", array([0, 1, 2, 100], source), to=code)
    add("Cast", array([1.5, -1.5, 2.9, -0.1]), to=6)
    add("Cast", array([1.0009765, 65519.0, 65520.0, 6e-8, 2e-8, 1e-40]), to=10)
    add("Cast", array([1.00390625, 1.01171875, 3.4e38, np.inf, -np.nan]), to=16)
    add("Cast", array([300, -1], np.int32), to=2)
    for dtype in [I4, U4, I2, U2]:
        add("Cast", array([0, 1, 1, 0, 1], dtype), to=1, opset=25)
    add("Cast", array([-2, -1, 1, 0, 1], I2), to=3, opset=25)
    add("CastLike", array([1.0, 0.0]), ints(1))

    # Reductions: axes as input (18) and attribute (13), all and none.
    cube = rng.standard_normal((3, 5, 7)).astype(F32)
    for op in ["ReduceMax", "ReduceMin", "ReduceMean", "ReduceSum"]:
        ulps = 4 if op in ("ReduceMean", "ReduceSum") else 0
        shift = cube + 3 if ulps else cube  # no cancellation in the reference
        for keep in [0, 1]:
            add(op, shift, None, keepdims=keep, ulps=ulps)
            add(op, shift, ints(-1), keepdims=keep, ulps=ulps)
            add(op, shift, ints(0, 2), keepdims=keep, ulps=ulps)
            add(op, shift, ints(1), keepdims=keep, ulps=ulps)
        add(op, shift, None, noop_with_empty_axes=1, ulps=ulps)
        add(op, ints(3, -4, 10).reshape(1, 3), ints(1))
        if op != "ReduceSum":
            add(op, shift, opset=13, axes=[1], ulps=ulps)
    # The reference adds in f32, which is off by two units here.
    add("ReduceMean", np.full(4099, 0.1, F32), None, keepdims=0, ulps=2)

    # Movement.
    add("Transpose", m)
    add("Transpose", cube, perm=[1, 2, 0])
    add("Transpose", rng.standard_normal((65, 33)).astype(F32), perm=[1, 0])
    add("Transpose", array([[1, -2, 0], [1, 1, -1]], I2), perm=[1, 0], opset=25)
    add("Concat", m, m[:1], axis=0)
    add("Concat", m, m[:, :2], axis=-1)
    add("Concat", ints(1), ints(), ints(2, 3), axis=0)
    add("Expand", array([[1.0], [2.0]]), ints(3, 1, 4))
    add("Expand", array(7.0), ints(2, 2))
    add("Slice", cube, ints(1), ints(100), ints(1), ints(2))
    add("Slice", cube, ints(-1), ints(-100), ints(2), ints(-3))
    add("Slice", cube, ints(0, 1), ints(2, -1), ints(0, -1))
    add("Slice", m, ints(2), ints(1), ints(0))
    add("Slice", m, ints(0), ints(2**63 - 1), ints(1), ints(2**62))
    add("Slice", m, ints(-2), ints(2**63 - 1))
    add("Gather", m, ints(2, -1, 0), axis=0)
    add("Gather", m, ints(1, 1).reshape(2, 1), axis=1)
    add("Gather", ints(4, 5, 6), array(-1, np.int64))
    add("ScatterND", np.zeros((4, 3), np.uint8), ints(3, 0).reshape(2, 1),
        array([[1, 2, 3], [4, 5, 6]], np.uint8))
    add("ScatterND", m, ints(0, 1, -1, -1).reshape(2, 2), array([9.0, 8.0]))
    add("Reshape", cube, ints(0, -1))
    add("Reshape", np.zeros((0, 3), F32), ints(3, 0), allowzero=1)
    add("Squeeze", m.reshape(1, 3, 1, 4))
    add("Squeeze", m.reshape(1, 3, 1, 4), ints(-2))
    add("Unsqueeze", m, ints(0, -1))
    add("Unsqueeze", m, opset=11, axes=[1])
    add("Flatten", cube, axis=2)
    add("Flatten", cube, axis=0)
    add("Shape", cube)
    add("Shape", cube, start=1, end=-1)
    add("ConstantOfShape", ints(2, 3))
    add("ConstantOfShape", ints(2), value=array([7], np.int64))
    add("Range", array(3, np.int64), array(10, np.int64), array(3, np.int64))
    add("Range", array(3, np.int64), array(-2, np.int64), array(-2, np.int64))
    add("Range", array(0.0), array(1.0), array(0.25))
    add("Range", array(5, np.int64), array(5, np.int64), array(1, np.int64))

    # Quantisation: per tensor, per axis, per block, with and without zeros.
    q8 = rng.integers(-128, 128, (4, 6)).astype(np.int8)
    u8 = rng.integers(0, 256, (4, 6)).astype(np.uint8)
    for q, z in [(q8, np.int8), (u8, np.uint8)]:
        add("DequantizeLinear", q, array(0.5), array(3, z))
        add("DequantizeLinear", q, array(0.5))
        add("DequantizeLinear", q, array([0.1, 0.2, 0.3, 0.4]), array([1, 2, 3, 4], z), axis=0)
        add("DequantizeLinear", q, rng.random((4, 3)).astype(F32), axis=1, block_size=2)
        add("DequantizeLinear", q, rng.random((2, 6)).astype(F32),
            rng.integers(0, 9, (2, 6)).astype(z), axis=0, block_size=2)
    for dtype, low, high in [(I4, -8, 8), (U4, 0, 16), (I2, -2, 2), (U2, 0, 4)]:
        q = rng.integers(low, high, (3, 5)).astype(dtype)
        add("DequantizeLinear", q, array(0.25), opset=25)
        add("DequantizeLinear", q, array([0.1, 0.2, 0.3]), array([0, 1, 1], dtype), axis=0, opset=25)
    x = rng.standard_normal((4, 6)).astype(F32) * 100
    add("QuantizeLinear", x, array(0.5), array(3, np.uint8))
    add("QuantizeLinear", x, array(0.7), array(-3, np.int8))
    add("QuantizeLinear", array([0.25, 0.75, 1.25, -0.25]), array(0.5), array(0, np.int8))
    add("QuantizeLinear", x, array([0.5, 1.0, 2.0, 4.0]), array([0, 1, 2, 3], np.int8), axis=0)
    return cases
