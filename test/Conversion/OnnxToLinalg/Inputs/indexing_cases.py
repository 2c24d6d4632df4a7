"""Operators whose indices are data."""

import numpy as np
from conformance import Case, Const

RNG = np.random.default_rng(3)


def floats(*shape, dtype=np.float32):
    return RNG.normal(size=shape).astype(dtype)


def ints(*values):
    return np.array(values, np.int64)


def indices(limit, *shape, dtype=np.int64):
    return RNG.integers(-limit, limit, shape).astype(dtype)


def both(op, inputs, *args, dynamic=True, **kwargs):
    """The case with static and with dynamic sizes."""
    yield Case(op, inputs, *args, dynamic=False, **kwargs)
    yield Case(op, inputs, *args, dynamic=dynamic, **kwargs)


def gathers():
    x = floats(3, 4, 5)
    for axis in (0, 1, 2, -1, -3):
        limit = x.shape[axis]
        for shape in ((), (1,), (6,), (2, 3), (2, 0), (1, 2, 2)):
            yield from both("Gather", [x, indices(limit, *shape)], {"axis": axis})
            yield from both("Gather", [x, Const(indices(limit, *shape))], {"axis": axis})
        yield from both("Gather", [x, indices(limit, 4, dtype=np.int32)], {"axis": axis})
        extremes = np.array([-limit, limit - 1, 0, -1])
        yield from both("Gather", [x, extremes], {"axis": axis})
    yield from both("Gather", [floats(0, 3), indices(1, 0)])
    yield from both("Gather", [np.arange(7), Const(np.array(-2))])
    for wrong in (3, -4, 2**40, -(2**63)):
        yield from both("Gather", [x, ints(0, wrong)], fails="outside its dimension",
                        expected=[floats(2, 4, 5)])  # fmt: skip
    yield from both("Gather", [floats(0, 3), ints(0)], fails="outside its dimension",
                    expected=[floats(1, 3)])  # fmt: skip


def gathers_of_elements():
    x = floats(3, 4)
    for axis in (0, 1, -1):
        for shape in ((3, 4), (2, 4), (3, 2), (1, 1), (0, 4), (5, 4), (3, 9)):
            if shape[1 - axis % 2] > x.shape[1 - axis % 2]:
                continue
            places = indices(x.shape[axis], *shape)
            rows, columns = np.indices(shape)
            truth = x[rows, places] if axis % 2 else x[places, columns]
            yield from both("GatherElements", [x, places], {"axis": axis}, expected=[truth])
    yield from both("GatherElements", [x, ints(0, 3)[:, None]], fails="outside its dimension",
                    expected=[floats(2, 1)])  # fmt: skip


def gathers_nd():
    x = floats(2, 3, 4)
    for tuples, batch in [((5, 1), 0), ((5, 2), 0), ((5, 3), 0), ((3,), 0), ((1,), 0), ((2, 2, 2), 0),
                          ((0, 2), 0), ((2, 1), 1), ((2, 2), 1), ((2, 5, 1), 1), ((2, 3, 1), 2),
                          ((2, 3, 2, 1), 2)]:  # fmt: skip
        limits = np.array(x.shape[batch : batch + tuples[-1]])
        values = RNG.integers(0, 1 << 30, tuples) % (2 * limits) - limits
        last = {0: (0, 1, 2), 1: tuple(range(len(tuples) - 1))}
        yield from both("GatherND", [x, values], {"batch_dims": batch}, dynamic=last)
    wrong = dict(fails="outside its dimension", dynamic={0: (0, 1, 2), 1: (0,)})
    yield from both("GatherND", [x, np.array([[0, 3]])], expected=[floats(1, 4)], **wrong)
    yield from both("GatherND", [x, np.array([[-3, 0]])], expected=[floats(1, 4)], **wrong)
    yield Case("GatherND", [x, indices(2, 3, 1)], {"batch_dims": 1}, fails="batch dimensions",
               dynamic={0: (0, 1, 2), 1: (0,)}, expected=[floats(3, 4)])  # fmt: skip


def scatters():
    for dtype in (np.float32, np.int64, np.uint8):
        x = (RNG.random((4, 3, 2)) * 200).astype(dtype)
        for reduction in ("none", "add", "mul", "max", "min"):
            for tuples in ((3, 1), (3, 2), (3, 3), (2, 2, 1), (0, 1)):
                shape = tuples[:-1] + x.shape[tuples[-1] :]
                # Indices repeat, but for `none`, where the order would matter.
                values = np.zeros(tuples, np.int64)
                values[..., 0] = np.arange(np.prod(tuples[:-1])).reshape(tuples[:-1])
                if reduction != "none":
                    values[..., 0] = -1 - values[..., 0] // 2
                updates = (RNG.random(shape) * 200).astype(dtype)
                dynamic = {0: (0, 1, 2), 1: tuple(range(len(tuples) - 1)),
                           2: tuple(range(len(shape)))}  # fmt: skip
                yield from both("ScatterND", [x, values, updates], {"reduction": reduction},
                                dynamic=dynamic,
                                expected=[scatter_nd(x, values, updates, reduction)])  # fmt: skip
            for axis in (0, 1, -1):
                places = np.tile(np.arange(2).reshape([2 if d == axis % 3 else 1 for d in range(3)]),
                                 [1 if d == axis % 3 else 2 for d in range(3)])  # fmt: skip
                updates = (RNG.random(places.shape) * 200).astype(dtype)
                yield from both("ScatterElements", [x, places, updates],
                                {"reduction": reduction, "axis": axis})  # fmt: skip
    x = floats(3, 4)
    repeated = np.array([[1], [1]])
    yield from both("ScatterND", [x, repeated, floats(2, 4)], {"reduction": "add"},
                    dynamic={0: (0,)})  # fmt: skip
    for wrong in (3, -4):
        yield from both("ScatterND", [x, np.array([[wrong]]), floats(1, 4)], dynamic={0: (0,)},
                        fails="outside its dimension", expected=[x])  # fmt: skip
        yield from both("ScatterElements", [x, np.array([[wrong]]), floats(1, 1)],
                        fails="outside its dimension", expected=[x])  # fmt: skip
    yield Case("ScatterND", [x, np.array([[1]]), floats(2, 4)], dynamic={2: (0,)},
               fails="do not fit", expected=[x])  # fmt: skip


def scatter_nd(data, tuples, updates, reduction):
    merge = {"none": lambda old, new: new, "add": np.add, "mul": np.multiply,
             "max": np.maximum, "min": np.minimum}[reduction]  # fmt: skip
    result = data.copy()
    for position in np.ndindex(tuples.shape[:-1]):
        target = tuple(tuples[position])
        result[target] = merge(result[target], updates[position])
    return result


def cache_writes():
    cache = floats(2, 3, 5, 4)
    for mode in ("linear", "circular"):
        for rows in (0, 1, 3, 5):
            update = floats(2, 3, rows, 4)
            inputs = [cache, update]
            yield from both("TensorScatter", inputs, {"mode": mode}, opset=24)
            starts = ints(0, 5 - rows)
            yield from both("TensorScatter", [*inputs, starts], {"mode": mode}, opset=24)
    for starts in ((3, 4), (7, 0), (4, 13)):
        yield from both("TensorScatter", [cache, floats(2, 3, 3, 4), ints(*starts)],
                        {"mode": "circular"}, opset=24)  # fmt: skip
    yield from both("TensorScatter", [cache, floats(2, 2, 5, 4), ints(1, 0)], {"axis": 1},
                    opset=24)  # fmt: skip
    yield from both("TensorScatter", [cache[:, 0], floats(2, 1, 4), ints(1, 4)], opset=24)
    for starts, message in (((0, 3), "too large"), ((-1, 0), "negative")):
        yield from both("TensorScatter", [cache, floats(2, 3, 3, 4), ints(*starts)], opset=24,
                        fails=message, expected=[cache])  # fmt: skip
    yield Case("TensorScatter", [cache, floats(2, 3, 6, 4)], opset=24, fails="exceeds",
               expected=[cache])  # fmt: skip


def one_hots():
    values = np.array([-1, 5], np.float32)
    for axis in (-1, 0, 1):
        yield from both("OneHot", [ints(0, 2, -1, 3, 7, -9), ints(4), values], {"axis": axis},
                        dynamic={0: (0,)}, expected=[one_hot((0, 2, 3, 3, 9, 9), axis)])  # fmt: skip


def one_hot(hot, axis):
    rows = np.full((len(hot), 4), -1, np.float32)
    for row, place in enumerate(hot):
        if place < 4:
            rows[row, place] = 5
    return rows.T if axis == 0 else rows


def cases():
    for group in (gathers, gathers_of_elements, gathers_nd, scatters, cache_writes, one_hots):
        yield from group()
