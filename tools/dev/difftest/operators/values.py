"""Random types, shapes and arrays for operators."""

import ml_dtypes
import numpy as np
from onnx import defs

# What a program's inputs and outputs may hold, by the schemas' names.
TYPES = {
    "tensor(float)": np.float32, "tensor(double)": np.float64,
    "tensor(float16)": np.float16, "tensor(bfloat16)": ml_dtypes.bfloat16,
    "tensor(int8)": np.int8, "tensor(int16)": np.int16,
    "tensor(int32)": np.int32, "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8, "tensor(uint16)": np.uint16,
    "tensor(uint32)": np.uint32, "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
}  # fmt: skip
SHORT_NAMES = {np.dtype(np.float16): "f16", np.dtype(ml_dtypes.bfloat16): "bf16"}
MOST_ELEMENTS = 800


def schema_of(op, opset, domain=""):
    return defs.get_schema(op, opset, domain)


def exists(op, opset, domain=""):
    """Whether an operator set has `op`; onnxruntime's are of any."""
    return bool(domain) or op == "SimplifiedLayerNormalization" or defs.has(op, opset)


def types_of(op, opset, index=0):
    """The types that a version of an operator takes as its input `index`."""
    schema = schema_of(op, opset)
    names = {c.type_param_str: c.allowed_type_strs for c in schema.type_constraints}
    formal = schema.inputs[min(index, len(schema.inputs) - 1)]
    allowed = names.get(formal.type_str, [formal.type_str])
    return [dtype for name, dtype in TYPES.items() if name in allowed]


def is_float(dtype):
    return np.dtype(dtype).kind == "f" or np.dtype(dtype) == ml_dtypes.bfloat16


def is_unsigned(dtype):
    return np.dtype(dtype).kind == "u"


def pick(rng, choices):
    """One of `choices`, as it is (NumPy would convert it)."""
    return choices[int(rng.integers(len(choices)))]


def pick_type(rng, dtypes):
    """f32 and i64 more often than what is rarely met."""
    common = [d for d in dtypes if d in (np.float32, np.int64)]
    return pick(rng, common) if common and rng.random() < 0.4 else pick(rng, dtypes)


def draw_shape(rng, rank, allow_empty=True):
    sizes = [1, 2, 3, 4, 5, 7, 8, 17]
    while True:
        shape = [pick(rng, sizes) for _ in range(rank)]
        if allow_empty and rank and rng.random() < 0.06:
            shape[int(rng.integers(rank))] = 0
        if np.prod(shape, dtype=int) <= MOST_ELEMENTS:
            return tuple(shape)


def draw_array(rng, dtype, shape, positive=False, extremes=True):
    """Elements of moderate size; some are ties of rounding or zeros, and of
    integers, extremes."""
    if dtype == np.bool_:
        return rng.random(shape) < 0.5
    if not is_float(dtype):
        return _draw_integers(rng, dtype, shape, positive, extremes)
    kind = rng.random()
    if kind < 0.3:
        array = rng.integers(-20, 21, shape) / 2
    elif kind < 0.4:
        array = rng.choice([0.0, -0.0, 1.0, -1.0, 0.5], shape)
    else:
        array = rng.normal(size=shape) * pick(rng, [0.1, 1, 1, 3])
    array = np.asarray(array)
    return (np.abs(array) + 0.25 if positive else array).astype(dtype)


def _draw_integers(rng, dtype, shape, positive, extremes):
    info = np.iinfo(dtype)
    low = 1 if positive else max(info.min, -100)
    array = rng.integers(low, 100, shape, dtype=dtype)
    if extremes and not positive and rng.random() < 0.15:
        extreme = rng.random(shape) < 0.3
        array = np.where(extreme, pick(rng, [info.min, info.max]), array).astype(dtype)
    return np.asarray(array)


def with_specials(rng, array):
    """Some elements of a float array become infinite or NaN."""
    where = rng.random(array.shape) < 0.3
    specials = rng.choice([np.inf, -np.inf, np.nan], array.shape)
    return np.asarray(np.where(where, specials, array)).astype(array.dtype)


def broadcastable(rng, shape):
    """A shape that broadcasts with `shape`, whose result may be larger."""
    other = [size if rng.random() < 0.7 else 1 for size in shape]
    other = [int(rng.integers(1, 5)) if s == 1 and rng.random() < 0.3 else o
             for s, o in zip(shape, other)]  # fmt: skip
    drop = int(rng.integers(len(other) + 1)) if rng.random() < 0.4 else 0
    other = other[drop:]
    if not drop and len(other) < 4 and rng.random() < 0.15:
        other = [int(rng.integers(1, 4)), *other]
    full = np.broadcast_shapes(shape, tuple(other))
    return tuple(other) if np.prod(full, dtype=int) <= 4 * MOST_ELEMENTS else (1,)


def one_sided(rng, shape):
    """A shape that broadcasts to `shape`."""
    other = [size if rng.random() < 0.7 else 1 for size in shape]
    return tuple(other[int(rng.integers(len(other) + 1)):] if rng.random() < 0.4 else other)


def any_axis(rng, rank):
    """An axis, counted from either end."""
    axis = int(rng.integers(rank))
    return axis - rank if rng.random() < 0.4 else axis


def some_axes(rng, rank, least=0):
    """Different axes in any order, each counted from either end."""
    count = int(rng.integers(least, rank + 1))
    axes = [int(a) for a in rng.permutation(rank)[:count]]
    return [a - rank if rng.random() < 0.4 else a for a in axes]
