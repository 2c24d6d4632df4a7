"""Operators that change shapes or move elements."""

import ml_dtypes
import numpy as np
from conformance import Case, Const

RNG = np.random.default_rng(2)
INT64_MAX = np.iinfo(np.int64).max
INT64_MIN = np.iinfo(np.int64).min


def floats(*shape, dtype=np.float32):
    return RNG.normal(size=shape).astype(dtype)


def ints(*values):
    return np.array(values, np.int64)


def both(op, inputs, *args, **kwargs):
    """The case with static and with dynamic sizes."""
    yield Case(op, inputs, *args, dynamic=False, **kwargs)
    yield Case(op, inputs, *args, dynamic=True, **kwargs)


def every_type():
    for dtype in (np.float32, np.float64, np.float16, ml_dtypes.bfloat16, np.bool_,
                  np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32,
                  np.int64, np.uint64):  # fmt: skip
        x = RNG.integers(0, 200, (2, 3)).astype(dtype)
        yield Case("Transpose", [x], expected=[x.T])
        yield Case("Reshape", [x, Const(ints(3, 2))], expected=[x.reshape(3, 2)])
        yield Case("Concat", [x, x], {"axis": 1}, expected=[np.hstack([x, x])])
        yield Case("Gather", [x, ints(2, 0)], {"axis": 1}, expected=[x[:, [2, 0]]])
        yield Case("Trilu", [x], expected=[np.triu(x)])
        yield Case("Tile", [x, Const(ints(1, 2))], expected=[np.tile(x, (1, 2))])


def shapes():
    x = floats(2, 3, 4)
    for attrs in ({}, {"start": 1}, {"end": -1}, {"start": -2, "end": 9}, {"start": 2, "end": 1},
                  {"start": -9}):  # fmt: skip
        yield from both("Shape", [x], attrs)
    yield from both("Size", [x])
    yield from both("Size", [floats(0, 3)])
    yield from both("Size", [floats()])
    yield from both("Shape", [floats()])
    yield from both("Identity", [x])


def reshapes():
    def reshape(x, *target, constant=True, **kwargs):
        shape = ints(*target)
        return both("Reshape", [x, Const(shape) if constant else shape], **kwargs)

    for constant in (True, False):
        # A shape that is not constant still needs a known length.
        for target in ((24,), (4, 6), (6, 4), (2, 3, 2, 2), (1, 2, 3, 4, 1), (-1,),
                       (2, -1), (-1, 8), (0, -1), (0, 0, -1), (0, 0, 2, -1), (0, 12)):  # fmt: skip
            if constant:
                yield from reshape(floats(2, 3, 4), *target)
            else:
                yield Case("Reshape", [floats(2, 3, 4), ints(*target)], dynamic=False)
    for source, target in [
        ((0, 3), (0, 7)), ((2, 0, 4), (0, 0, 8)), ((1, 1), ()),
        ((), (1, 1, 1)), ((), ()), ((1,), (-1,)), ((3, 1), (3,)), ((4, 6), (3, 8)),
        ((1, 6, 1), (2, 3)), ((2, 3), (1, 6, 1)),
    ]:  # fmt: skip
        yield from reshape(floats(*source), *target)
    yield from both("Reshape", [floats(0, 3), Const(ints(3, 0))], {"allowzero": 1})
    yield from both("Reshape", [floats(0, 3), Const(ints(0, 5))], {"allowzero": 1})
    for target in ((5, 5), (0, 7), (-1, 7), (1 << 62, 4, 24), (-24, -1)):
        yield Case("Reshape", [floats(2, 3, 4), ints(*target)], dynamic=False,
                   fails="Reshape", expected=[floats(*([1] * len(target)))])  # fmt: skip
    yield Case("Reshape", [floats(5), Const(ints(2, 3))], fails="number of elements",
               expected=[floats(2, 3)])  # fmt: skip
    yield Case("Reshape", [floats(5), Const(ints(2, -1))], fails="number of elements",
               expected=[floats(2, 3)])  # fmt: skip
    yield Case("Reshape", [floats(0, 5), Const(ints(5, 2))], fails="number of elements",
               expected=[floats(5, 2)])  # fmt: skip
    for axis in (0, 1, 2, 3, -1, -3):
        yield from both("Flatten", [floats(2, 3, 4)], {"axis": axis})
    yield from both("Flatten", [floats(0, 3)], expected=[floats(0, 3)])
    yield from both("Flatten", [floats()], {"axis": 0})


def squeezes():
    for axes in ((0,), (-1,), (1, -1), (0, 2, 4), (-5, 4)):
        yield from both("Unsqueeze", [floats(2, 3, 4)[: 6 - len(axes)], Const(ints(*axes))])
    yield from both("Unsqueeze", [floats(), Const(ints(0))])
    yield from both("Unsqueeze", [floats(2, 0), Const(ints(1))])
    yield from both("Unsqueeze", [floats(2, 3)], {"axes": [0, 3]}, opset=11)
    x = floats(1, 3, 1, 1)
    for axes in ((0,), (2,), (-1, 0), (0, 2, 3)):
        yield from both("Squeeze", [x, Const(ints(*axes))])
    yield Case("Squeeze", [x], dynamic=False)
    yield Case("Squeeze", [floats(2, 3)], dynamic=False)
    yield from both("Squeeze", [x], {"axes": [0, 2]}, opset=11)
    yield Case("Squeeze", [floats(1, 3), Const(ints(1))], fails="is not 1",
               expected=[floats(1)])  # fmt: skip


def expansions():
    for source, target in [
        ((3, 1), (3, 4)), ((3, 1), (2, 1, 6)), ((3,), (2, 3)), ((3, 4), (1,)), ((), (2, 2)),
        ((1, 4), (0, 4)), ((1,), (0,)), ((0,), (1,)), ((2, 1, 3), (2, 5, 3)), ((1, 1), (1, 1)),
    ]:  # fmt: skip
        yield from both("Expand", [floats(*source), Const(ints(*target))])
        yield Case("Expand", [floats(*source), ints(*target)], dynamic=False)
    yield Case("Expand", [floats(3), ints(2)], dynamic=False, fails="equal or 1",
               expected=[floats(3)])  # fmt: skip
    yield Case("Expand", [floats(1), ints(-4)], dynamic=False, fails="negative",
               expected=[floats(3)])  # fmt: skip
    for shape in ((2, 3), (0, 2), (), (70,)):
        yield Case("ConstantOfShape", [Const(ints(*shape))])
        yield Case("ConstantOfShape", [ints(*shape)], dynamic=False)
        for value in (np.array([5], np.int64), np.array([True]), np.array([200], np.uint8),
                      np.array([-1.5], np.float16)):  # fmt: skip
            yield Case("ConstantOfShape", [ints(*shape)], {"value": value}, dynamic=False,
                       expected=[np.full(shape, value[0], value.dtype)])  # fmt: skip


def ranges():
    for dtype in (np.int64, np.int32, np.int16):
        for bounds in ((0, 5, 1), (2, 9, 3), (5, 0, -1), (5, -4, -2), (3, 3, 1), (5, 2, 1),
                       (2, 5, -1), (-3, 4, 2), (0, 100, 1)):  # fmt: skip
            scalars = [np.array(b, dtype) for b in bounds]
            truth = [np.arange(*bounds, dtype=dtype)]
            yield Case("Range", scalars, expected=truth)
            yield Case("Range", [Const(s) for s in scalars], expected=truth)
    for bounds in ((0, 1, 0.25), (0, 1, 0.3), (1, -1, -0.5), (0, -1, 0.5), (2.5, 2.5, 1)):
        for dtype in (np.float32, np.float64):
            scalars = [np.array(b, dtype) for b in bounds]
            yield Case("Range", scalars)
            yield Case("Range", [Const(s) for s in scalars])
    yield Case("Range", [np.array(v, np.float32) for v in (0, np.nan, 1)],
               expected=[np.zeros(0, np.float32)])  # fmt: skip
    yield Case("Range", [np.array(v, np.int64) for v in (0, 3, 0)], fails="delta",
               expected=[ints(0)])  # fmt: skip


def movements():
    x = floats(2, 3, 4)
    for perm in ((0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)):
        yield from both("Transpose", [x], {"perm": list(perm)})
    yield from both("Transpose", [x])
    yield from both("Transpose", [floats(0, 3)])
    yield from both("Transpose", [floats()])
    for axis in (0, 1, 2, -1):
        yield from both("Concat", [x, x, x], {"axis": axis})
    yield from both("Concat", [floats(2, 3), floats(2, 0), floats(2, 5)], {"axis": 1})
    yield from both("Concat", [floats(0, 3), floats(0, 3)], {"axis": 0})
    yield from both("Concat", [x], {"axis": 0})
    yield Case("Concat", [floats(2, 3), floats(3, 3)], {"axis": 1}, fails="dimension 0",
               expected=[floats(2, 6)])  # fmt: skip
    for k in (None, 0, 1, -1, 5, -5):
        for upper in (0, 1):
            for dtype in (np.float32, np.int64, np.bool_):
                data = (floats(2, 3, 4) * 5).astype(dtype)
                inputs = [data] if k is None else [data, np.array(k, np.int64)]
                yield Case("Trilu", inputs, {"upper": upper})
    yield from both("Trilu", [floats(0, 3)])
    for repeats in ((1, 1, 1), (2, 1, 3), (1, 2, 1), (0, 1, 1), (2, 2, 2)):
        yield from both("Tile", [x, Const(ints(*repeats))])
        yield Case("Tile", [x, ints(*repeats)], dynamic=False)
    yield from both("Tile", [floats(0, 3), Const(ints(2, 2))])
    yield Case("Tile", [floats(3), ints(-1)], dynamic=False, fails="negative",
               expected=[floats(3)])  # fmt: skip


def pads():
    x = floats(3, 4)
    value = Const(np.array(7, np.float32))
    for amounts in ((0, 0, 0, 0), (1, 2, 3, 0), (0, 0, 0, 5), (-1, 0, 0, -2), (-1, 2, 2, -3)):
        truth = np.pad(x, [(max(amounts[0], 0), max(amounts[2], 0)),
                           (max(amounts[1], 0), max(amounts[3], 0))],
                       constant_values=7)  # fmt: skip
        cut = [slice(max(-amounts[d], 0), truth.shape[d] - max(-amounts[d + 2], 0))
               for d in (0, 1)]  # fmt: skip
        yield from both("Pad", [x, Const(ints(*amounts)), value], expected=[truth[tuple(cut)]])
        yield Case("Pad", [x, ints(*amounts), value], dynamic=False,
                   expected=[truth[tuple(cut)]])  # fmt: skip
    yield from both("Pad", [x, Const(ints(1, 2)), value, Const(ints(-1))],
                    expected=[np.pad(x, [(0, 0), (1, 2)], constant_values=7)])  # fmt: skip
    yield from both("Pad", [x], {"pads": [1, 0, 0, 1], "value": 2.0}, opset=10,
                    expected=[np.pad(x, [(1, 0), (0, 1)], constant_values=2)])  # fmt: skip
    yield from both("Pad", [floats(0, 2), Const(ints(1, 0, 1, 0)), value],
                    expected=[np.full((2, 2), 7, np.float32)])  # fmt: skip
    yield Case("Pad", [x, ints(-2, 0, -2, 0)], dynamic=False, fails="cut off",
               expected=[x])  # fmt: skip


def splits():
    x = floats(4, 6)
    yield from both("Split", [x, Const(ints(1, 3, 2))], {"axis": 1}, outputs=3)
    yield from both("Split", [x, Const(ints(0, 4))], {"axis": 0}, outputs=2)
    yield Case("Split", [x, ints(1, 3, 2)], {"axis": -1}, outputs=3, dynamic=False)
    yield from both("Split", [x], {"axis": 1, "num_outputs": 3}, outputs=3)
    yield from both("Split", [floats(7), ], {"num_outputs": 3}, outputs=3)
    yield from both("Split", [x], {"axis": 1, "split": [2, 4]}, outputs=2, opset=11)
    yield from both("Split", [x], {"axis": 1}, outputs=2, opset=13)
    yield Case("Split", [x, ints(1, 3, 3)], {"axis": 1}, outputs=3, dynamic=False,
               fails="add up", expected=[x, x, x])  # fmt: skip
    yield Case("Split", [x, ints(-1, 7)], {"axis": 1}, outputs=2, dynamic=False,
               fails="negative", expected=[x, x])  # fmt: skip


def slices():
    x = floats(5, 6)
    last = INT64_MAX
    for start, end, axis, step in [
        (0, 5, 0, 1), (1, 3, 0, 1), (-3, -1, 1, 1), (2, last, 1, 1), (0, last, 0, 2),
        (1, last, 1, 3), (3, 1, 0, 1), (7, 9, 0, 1), (-99, 99, 1, 1), (4, 0, 0, -1),
        (last, INT64_MIN, 1, -1), (-1, INT64_MIN, 0, -2), (-1, -4, 1, -1), (1, 3, 0, -1),
        (5, 0, 1, -4), (0, 2**31 - 1, 0, 1),
    ]:  # fmt: skip
        arrays = [ints(start), ints(end), ints(axis), ints(step)]
        yield from both("Slice", [x, *map(Const, arrays)])
        yield Case("Slice", [x, arrays[0], arrays[1], Const(arrays[2]), Const(arrays[3])],
                   dynamic=False)  # fmt: skip
    # The specification clamps starts to the first element going backwards.
    yield from both("Slice", [x, *(Const(ints(v)) for v in (-99, INT64_MIN, 0, -1))],
                    expected=[x[:1]])  # fmt: skip
    yield from both("Slice", [x, Const(ints(1, -2)), Const(ints(4, last))])
    yield from both("Slice", [x, Const(ints(1, 4)), Const(ints(4, 1)), Const(ints(0, 1)),
                              Const(ints(2, -1))])  # fmt: skip
    yield from both("Slice", [x, Const(ints(1)), Const(ints(4)), Const(ints(-1))])
    for step in (1, -1):
        yield from both("Slice", [floats(0, 3), *(Const(ints(v)) for v in (0, last, 0, step))],
                        expected=[floats(0, 3)])  # fmt: skip
    # A start at the end, known where the end is not.
    rows = x.shape[0]
    for start in rows, rows + 2:
        yield Case("Slice", [x, Const(ints(start)), ints(rows)], dynamic=False)
    yield from both("Slice", [x], {"starts": [1, -3], "ends": [3, 99]}, opset=9)
    yield from both("Slice", [x], {"starts": [1], "ends": [3], "axes": [1]}, opset=9)


def cases():
    for group in (every_type, shapes, reshapes, squeezes, expansions, ranges, movements, pads,
                  splits, slices):  # fmt: skip
        yield from group()
