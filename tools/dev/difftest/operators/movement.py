"""Operators that move, repeat or make elements, and those of shapes."""

import numpy as np
from onnx import numpy_helper

from .draft import NoOperand, Operator
from .values import any_axis, draw_array, draw_shape, is_float, pick, pick_type, some_axes


def _some_axis(d, rank, **attrs):
    return {"axis": any_axis(d.rng, rank), **attrs}


# ===------------------------------------------------------------------------=== #
# Shapes
# ===------------------------------------------------------------------------=== #


def reshape(d):
    x = d.first()
    shape = list(_factorization(d, x.array.size))
    allow_zero = d.opset >= 14 and (x.array.size == 0 or d.chance(0.15))
    if x.array.size == 0 and not allow_zero:
        shape = list(x.array.shape)  # a 0 copies
    elif not allow_zero:
        for dim, (new, old) in enumerate(zip(shape, x.array.shape)):
            if new == old and d.chance(0.3):
                shape[dim] = 0
    if shape and x.array.size and d.chance(0.4):
        shape[int(d.rng.integers(len(shape)))] = -1
    d.node(x, d.integers(shape), **({"allowzero": 1} if allow_zero else {}))


def _factorization(d, size):
    """A random shape of `size` elements."""
    shape = []
    if size == 0:
        shape = [0] + [int(s) for s in d.rng.integers(0, 4, int(d.rng.integers(3)))]
    else:
        while size > 1 and len(shape) < 3:
            divisors = [n for n in range(1, size + 1) if size % n == 0]
            shape.append(pick(d.rng, divisors))
            size //= shape[-1]
        if size > 1 or not shape and d.chance(0.5):
            shape.append(size)
    return [shape[i] for i in d.rng.permutation(len(shape))]


def flatten(d):
    x = d.first()
    rank = x.array.ndim
    axis = int(d.rng.integers(-rank, rank + 1))
    d.node(x, **({} if rank and d.chance(0.2) else {"axis": axis}))


def squeeze(d):
    if d.pool is None:
        dims = draw_shape(d.rng, int(d.rng.integers(4)))
        dims = np.insert(dims, 0, [1] * int(d.rng.integers(3))).astype(int)
        dims = tuple(int(s) for s in d.rng.permutation(dims))
        array = draw_array(d.rng, pick_type(d.rng, d.types()), dims)
        if d.chance(0.2):  # the rank follows from the sizes
            return d.node(d.operand(array, static=range(len(dims))))
        x = d.operand(array)
    else:
        x = d.first()
    ones = [i for i, size in enumerate(x.array.shape) if size == 1]
    if not ones:
        raise NoOperand
    axes = [ones[i] for i in some_axes(d.rng, len(ones), 1)]
    axes = [a - x.array.ndim if a >= 0 and d.chance(0.4) else a for a in axes]
    return d.node(x, d.integers(axes, at_run_time=False))


def unsqueeze(d):
    x = d.first(ranks=(0, 3))
    count = int(d.rng.integers(1, 3))
    rank = x.array.ndim + count
    axes = [int(a) for a in d.rng.permutation(rank)[:count]]
    axes = [a - rank if d.chance(0.4) else a for a in axes]
    d.node(x, d.integers(axes, at_run_time=False))


def shape(d):
    x = d.first()
    rank = x.array.ndim
    attrs = {}
    if d.opset >= 15 and d.chance(0.6):
        attrs = {name: int(d.rng.integers(-rank - 1, rank + 2))
                 for name in ("start", "end") if d.chance(0.7)}  # fmt: skip
    d.node(x, **attrs)


def expand(d):
    x = d.first(ranks=(0, 3))
    sizes = [int(d.rng.integers(1, 5)) if s == 1 else s for s in x.array.shape]
    if d.chance(0.4):
        sizes = [1 if d.chance(0.4) else s for s in sizes]
    if d.chance(0.3):
        sizes = [int(d.rng.integers(1, 3)), *sizes]
    elif sizes and d.chance(0.2):
        sizes = sizes[1:]
    d.node(x, d.integers(sizes))


def constant_of_shape(d):
    sizes = draw_shape(d.rng, int(d.rng.integers(4)))
    value = draw_array(d.rng, pick_type(d.rng, _FILLS), (1,))
    attrs = {} if d.chance(0.2) else {"value": numpy_helper.from_array(value, "value")}
    d.node(d.integers(sizes), **attrs)


_FILLS = [np.float32, np.float64, np.float16, np.int8, np.int32, np.int64, np.uint8, np.bool_]


def range_(d):
    dtype = pick_type(d.rng, d.types())
    start, count, delta = int(d.rng.integers(-9, 9)), int(d.rng.integers(-1, 9)), 0
    while delta == 0:
        delta = int(d.rng.integers(-3, 4))
    limit = start + count * delta + int(d.rng.integers(-1, 2))
    scale = 4 if is_float(dtype) else 1
    d.node(*(d.operand(np.array(v / scale).astype(dtype)) for v in (start, limit, delta)))


# ===------------------------------------------------------------------------=== #
# Moving
# ===------------------------------------------------------------------------=== #


def transpose(d):
    x = d.first()
    order = [int(i) for i in d.rng.permutation(x.array.ndim)]
    d.node(x, **({} if d.chance(0.2) or not order else {"perm": order}))


def concat(d):
    x = d.first(ranks=(1, 4))
    axis = any_axis(d.rng, x.array.ndim)
    parts = [x]
    for _ in range(int(d.rng.integers(4))):
        other = list(x.array.shape)
        other[axis] = pick(d.rng, [0, 1, 2, 3, other[axis]])
        parts.append(d.like(x.array.dtype, other))
    d.node(*(parts[i] for i in d.rng.permutation(len(parts))), axis=axis)


def slice_(d):
    x = d.first(ranks=(1, 4))
    rank = x.array.ndim
    if d.chance(0.25):
        axes = list(range(int(d.rng.integers(1, rank + 1))))
        given = None
    else:
        axes = some_axes(d.rng, rank, 1)
        given = axes
    starts, ends, steps = [], [], []
    far = [2**31 - 1, 2**63 - 1, -(2**31), -(2**63) + 1]
    for axis in axes:
        size = x.array.shape[axis]
        starts.append(int(d.rng.integers(-size - 2, size + 3)))
        ends.append(int(d.rng.integers(-size - 2, size + 3)))
        steps.append(pick(d.rng, [1, 1, 1, 2, 3, -1, -2]))
        if d.chance(0.2):
            ends[-1] = pick(d.rng, far[:2] if steps[-1] > 0 else far[2:])
    steps = steps if d.chance(0.6) else None
    operands = [d.integers(v) if v is not None else None for v in (starts, ends)]
    operands.append(None if given is None else d.integers(given, at_run_time=False))
    operands.append(None if steps is None else d.integers(steps, at_run_time=False))
    d.node(x, *operands)


def split(d):
    x = d.first(ranks=(1, 4))
    axis = any_axis(d.rng, x.array.ndim)
    size = x.array.shape[axis]
    count = int(d.rng.integers(1, 4))
    cuts = np.sort(d.rng.integers(0, size + 1, count - 1))
    parts = np.diff([0, *cuts, size])
    if size and size % count == 0 and d.opset < 18 and d.chance(0.4):
        return d.node(x, outputs=count, axis=axis)
    if d.opset >= 18 and size and d.chance(0.4):
        count = min(count, size)
        if -(-size // count) * (count - 1) < size:
            return d.node(x, outputs=count, axis=axis, num_outputs=count)
    return d.node(x, d.integers(parts, at_run_time=False), outputs=count, axis=axis)


def tile(d):
    x = d.first()
    d.node(x, d.integers(d.rng.integers(1, 4, x.array.ndim)))


# ===------------------------------------------------------------------------=== #
# Indices
# ===------------------------------------------------------------------------=== #


def _indices(d, shape, size):
    """Indices into a dimension, some from its end."""
    if size == 0:
        raise NoOperand
    array = np.asarray(d.rng.integers(0 if d.chance(0.4) else -size, size, shape))
    return array.astype(np.int64)


def gather(d):
    x = d.first(ranks=(1, 4), allow_empty=False)
    axis = any_axis(d.rng, x.array.ndim)
    shape = draw_shape(d.rng, int(d.rng.integers(3)))
    if np.prod(shape, dtype=int) * x.array.size > 4000:
        shape = ()
    indices = _indices(d, shape, x.array.shape[axis])
    attrs = {} if axis == 0 and d.chance(0.5) else {"axis": axis}
    d.node(x, d.operand(indices.astype(pick(d.rng, [np.int64, np.int32]))), **attrs)


def gather_elements(d):
    x = d.first(ranks=(1, 4), allow_empty=False)
    axis = any_axis(d.rng, x.array.ndim)
    sizes = [int(d.rng.integers(1, s + 1)) for s in x.array.shape]
    sizes[axis] = int(d.rng.integers(0, 6))
    d.node(x, d.operand(_indices(d, sizes, x.array.shape[axis])), axis=axis)


def _tuples(d, shape, sizes):
    """Tuples of indices into dimensions of `sizes`: shape + [len(sizes)]."""
    return np.stack([_indices(d, shape, size) for size in sizes], axis=-1)


def gather_nd(d):
    x = d.first(ranks=(1, 4), allow_empty=False)
    dims = x.array.shape
    batch = int(d.rng.integers(min(3, len(dims))))
    depth = int(d.rng.integers(1, len(dims) - batch + 1))
    shape = (*dims[:batch], *(int(s) for s in d.rng.integers(0, 4, int(d.rng.integers(3)))))
    indices = _tuples(d, shape, dims[batch : batch + depth])
    # The length of the tuples decides the result's rank.
    d.node(x, d.operand(indices, static=[indices.ndim - 1]), **({"batch_dims": batch} if batch else {}))


def scatter_nd(d):
    x = d.first(ranks=(1, 4), allow_empty=False)
    dims = x.array.shape
    depth = int(d.rng.integers(1, len(dims) + 1))
    positions = int(np.prod(dims[:depth]))
    reductions = ["none"]
    if x.array.dtype != np.bool_:
        reductions += ["add", "mul"] if d.opset >= 16 else []
        reductions += ["max", "min"] if d.opset >= 18 else []
    reduction = pick(d.rng, reductions)
    count = int(d.rng.integers(0, min(positions, 6) + 1))
    flat = d.rng.permutation(positions)[:count]
    if reduction in ("max", "min"):
        flat = d.rng.integers(0, positions, count)
    indices = np.stack(np.unravel_index(flat, dims[:depth]), axis=-1).astype(np.int64)
    if d.chance(0.4):
        indices = np.where(d.rng.random(indices.shape) < 0.5, indices - dims[:depth], indices)
    updates = d.like(x.array.dtype, (count, *dims[depth:]))
    d.node(x, d.operand(indices, static=[indices.ndim - 1]), updates,
           **({} if reduction == "none" else {"reduction": reduction}))  # fmt: skip


def tensor_scatter(d):
    cache = d.first(ranks=(3, 4), allow_empty=False)
    dims = cache.array.shape
    axis = int(d.rng.integers(1, len(dims)))
    mode = pick(d.rng, ["linear", "circular"])
    new = int(d.rng.integers(1, dims[axis] + 1))
    starts = dims[axis] if mode == "circular" else dims[axis] - new + 1
    indices = d.rng.integers(0, starts, dims[0])
    update = list(dims)
    update[axis] = new
    d.node(cache, d.like(cache.array.dtype, update),
           None if d.chance(0.2) else d.operand(indices.astype(np.int64)),
           axis=axis - len(dims) if d.chance(0.6) else axis, mode=mode)  # fmt: skip


OPERATORS = [
    Operator("Reshape", reshape),
    Operator("Flatten", flatten),
    Operator("Squeeze", squeeze),
    Operator("Unsqueeze", unsqueeze),
    Operator("Shape", shape),
    Operator("Expand", expand),
    Operator("ConstantOfShape", constant_of_shape),
    Operator("Range", range_),
    Operator("Transpose", transpose),
    Operator("Concat", concat),
    Operator("Slice", slice_),
    Operator("Split", split),
    Operator("Tile", tile),
    Operator("Gather", gather),
    Operator("GatherElements", gather_elements),
    Operator("GatherND", gather_nd),
    Operator("ScatterND", scatter_nd),
    Operator("TensorScatter", tensor_scatter),
]
