"""Reductions: axes by attribute and input, empty ones, and zero sizes."""

import ml_dtypes
import numpy as np
from conformance import Case, Const

RNG = np.random.default_rng(2)


def floats(*shape, dtype=np.float32):
    return RNG.normal(size=shape).astype(dtype)


def integers(*shape, dtype=np.int32):
    return RNG.integers(0 if np.issubdtype(dtype, np.unsignedinteger) else -9, 9, shape).astype(dtype)


def axes_of(*axes):
    return Const(list(axes), np.int64)


def reductions():
    for op in ("ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd",
               "ReduceL1", "ReduceL2", "ReduceSumSquare"):  # fmt: skip
        x = floats(2, 3, 4)
        for axes in ((-1,), (0,), (1,), (0, 2), (2, 1, 0)):
            for keepdims in (0, 1):
                yield Case(op, [x, axes_of(*axes)], {"keepdims": keepdims}, rtol=1e-5)
        yield Case(op, [x], rtol=1e-5)
        yield Case(op, [x], {"keepdims": 0}, rtol=1e-5)
        yield Case(op, [x, axes_of(1)], dynamic=False, rtol=1e-5)
        yield Case(op, [x, axes_of()], {"noop_with_empty_axes": 0}, rtol=1e-5)
        axes_attr = {"axes": [1, -1], "keepdims": 0}
        yield Case(op, [x], axes_attr, opset=11, rtol=1e-5)
        if op != "ReduceMean":
            yield Case(op, [integers(3, 4, dtype=np.int64), axes_of(1)])
    noop = floats(2, 3)
    yield Case("ReduceSum", [noop, axes_of()], {"noop_with_empty_axes": 1})
    yield Case("ReduceSum", [noop], {"noop_with_empty_axes": 1}, expected=[noop])
    yield Case("ReduceLogSum", [np.abs(noop), axes_of(1)], rtol=1e-5)
    yield Case("ReduceMean", [np.array([[1, 2, 4], [-1, -2, -4]], np.int32), axes_of(1)],
               expected=[np.array([[2], [-2]], np.int32)])  # fmt: skip


def extremes():
    for op, value in (("ReduceSum", 0), ("ReduceProd", 1), ("ReduceMax", -np.inf),
                      ("ReduceMin", np.inf)):  # fmt: skip
        empty = np.zeros((2, 0), np.float32)
        yield Case(op, [empty, axes_of(1)], expected=[np.full((2, 1), value, np.float32)])
        yield Case(op, [empty, axes_of(0)], expected=[np.zeros((1, 0), np.float32)])
    with_nan = np.array([[1, np.nan, 2], [5, 6, 7]], np.float32)
    yield Case("ReduceMax", [with_nan, axes_of(1)])
    yield Case("ReduceMin", [with_nan, axes_of(1)])
    for dtype in (np.int8, np.uint8, np.int64):
        extreme = np.array([[np.iinfo(dtype).min, np.iinfo(dtype).max, 3]], dtype)
        yield Case("ReduceMax", [extreme, axes_of(1)])
        yield Case("ReduceMin", [extreme, axes_of(1)])
    # A sum in f16 itself would lose the ones, in bf16 stop at 256.
    many = np.ones((1, 3000), np.float16)
    yield Case("ReduceSum", [many, axes_of(1)], expected=[np.array([[3000]], np.float16)])
    yield Case("ReduceMean", [many, axes_of(1)], expected=[np.array([[1]], np.float16)])
    bf16 = np.ones((1, 1024), ml_dtypes.bfloat16)
    yield Case("ReduceSum", [bf16, axes_of(1)],
               expected=[np.array([[1024]], ml_dtypes.bfloat16)])  # fmt: skip


def positions():
    for op in ("ArgMax", "ArgMin"):
        for attrs in ({"axis": 1}, {"axis": -1, "keepdims": 0}, {"axis": 0},
                      {"axis": 1, "select_last_index": 1}):  # fmt: skip
            yield Case(op, [floats(3, 4, 2)], attrs)
            yield Case(op, [integers(3, 6, 2)], attrs)
        yield Case(op, [integers(3, 6, dtype=np.uint8) + 250], {"axis": 1})
    yield Case("ArgMax", [np.full((1, 3), -np.inf, np.float32)], {"axis": 1})
    for exclusive in (0, 1):
        for reverse in (0, 1):
            attrs = {"exclusive": exclusive, "reverse": reverse}
            for axis in (0, 1, -1):
                yield Case("CumSum", [integers(2, 3, 4, dtype=np.int64), Const(axis, np.int32)], attrs)
            yield Case("CumSum", [floats(5), Const(0, np.int64)], attrs)
    yield Case("CumSum", [floats(0, 3), Const(0, np.int64)])
    yield Case("CumSum", [floats(0, 3), Const(0, np.int64)], dynamic=False)


def cases():
    for group in (reductions, extremes, positions):
        yield from group()
