"""Attention, masks, rotary embeddings and KV caches, spelled in many ways."""

from dataclasses import dataclass

import numpy as np
from onnx import helper

from .graph import element_type

INT64 = np.int64
MAX_POSITIONS = 32


def value_info(name, dtype, dims):
    return helper.make_tensor_value_info(name, element_type(dtype), dims)


def ints(*values):
    return np.array(values, INT64)


@dataclass
class Shared:
    """What all layers use."""

    cos: str | None = None  # decomposed: [batch, 1, seq, head]; else a table
    sin: str | None = None
    positions: str | None = None
    mask: str | None = None  # added to scores, or of bool
    lengths: tuple = ()  # GroupQueryAttention's


def size_of(g, value, axis):
    """One size of a tensor, as a scalar."""
    if g.opset >= 15 and g.rng.random() < 0.5:
        part = g.node("Shape", value, start=axis, end=axis + 1)
        return g.node("Squeeze", part, ints(0))
    return g.node("Gather", g.node("Shape", value), np.array(axis, INT64), axis=0)


def prepare(g, rng, shape, inputs):
    shared = Shared()
    past = None
    if inputs.pasts and shape.cache != "scatter":
        past = size_of(g, inputs.pasts[0][0], 2)
    seq = size_of(g, inputs.ids, 1)
    if shape.attend == "gqa":
        prepare_gqa(g, shape, inputs, shared)
        return shared
    shared.positions = inputs.positions or range_positions(g, inputs, past, seq)
    prepare_rotary(g, rng, shape, shared)
    prepare_mask(g, rng, shape, inputs, shared, past, seq)
    return shared


def range_positions(g, inputs, past, seq):
    """past .. past + seq, for every sequence."""
    positions = range_from(g, past, seq)
    rows = g.node("Unsqueeze", positions, ints(0))
    return g.node("Expand", rows, g.node("Shape", inputs.ids))


def range_from(g, past, seq):
    if past is None:
        return g.node("Range", np.array(0, INT64), seq, np.array(1, INT64))
    if g.rng.random() < 0.5:
        return g.node("Range", past, g.swap("Add", past, seq), np.array(1, INT64))
    return g.swap("Add", g.node("Range", np.array(0, INT64), seq, np.array(1, INT64)), past)


# ===----------------------------------------------------------------------=== #
# Rotary embeddings
# ===----------------------------------------------------------------------=== #


def frequencies(shape):
    return (1e4 ** (-np.arange(0, shape.head, 2) / shape.head)).astype(np.float32)


def tables(shape):
    angles = np.arange(MAX_POSITIONS)[:, None] * frequencies(shape)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def prepare_rotary(g, rng, shape, shared):
    if g.opset >= 23 and rng.random() < 0.5:
        shared.cos, shared.sin = (g.constant(t) for t in tables(shape))
        return
    angles = g.node("Mul", g.cast(g.node("Unsqueeze", shared.positions, ints(2)), np.float32),
                    frequencies(shape))  # fmt: skip
    angles = g.node("Concat", angles, angles, axis=-1)
    shared.positions = None
    shared.cos, shared.sin = (g.node("Unsqueeze", g.node(op, angles), ints(1))
                              for op in ("Cos", "Sin"))  # fmt: skip


def rotate(g, shape, shared, x):
    """`x` is [batch, heads, seq, head]."""
    if shared.positions:
        return g.node("RotaryEmbedding", x, shared.cos, shared.sin, shared.positions)
    half = shape.head // 2
    low = g.node("Slice", x, ints(0), ints(half), ints(-1))
    high = g.node("Slice", x, ints(half), ints(2**63 - 1), ints(3), ints(1))
    turned = g.node("Concat", g.node("Neg", high), low, axis=-1)
    return g.swap("Add", g.swap("Mul", x, shared.cos), g.swap("Mul", turned, shared.sin))


# ===----------------------------------------------------------------------=== #
# Masks
# ===----------------------------------------------------------------------=== #


def prepare_mask(g, rng, shape, inputs, shared, past, seq):
    """True, or 0, where a query may look."""
    if shape.cache == "scatter":
        keys = np.arange(shape.capacity).reshape(1, 1, 1, -1)
        allowed = g.node("LessOrEqual", keys, g.node("Unsqueeze", inputs.positions, ints(1, 3)))
    elif shape.cache == "attention" or (shape.attend == "attention" and past is None):
        shared.mask = None if not inputs.mask else padding_mask(g, inputs)
        if shared.mask:
            shared.mask = g.node("And", shared.mask, causal_mask(g, past, seq))
        return
    else:
        allowed = causal_mask(g, past, seq)
        if inputs.mask:
            allowed = g.swap("And", allowed, padding_mask(g, inputs))
    if shape.attend == "attention" and rng.random() < 0.5:
        shared.mask = allowed
        return
    lowest = np.float32(rng.choice([-3.4028235e38, -1e9, -np.inf]))
    shared.mask = g.node("Where", allowed, np.float32(0), lowest)


def causal_mask(g, past, seq):
    """[1, 1, seq, total] of bool."""
    total = seq if past is None else g.swap("Add", past, seq)
    queries = g.node("Unsqueeze", range_from(g, past, seq), ints(0, 1, 3))
    keys = g.node("Range", np.array(0, INT64), total, np.array(1, INT64))
    keys = g.node("Unsqueeze", keys, ints(0, 1, 2))
    if g.opset >= 16 and g.rng.random() < 0.7:
        return g.node("LessOrEqual", keys, queries)
    return g.node("Not", g.node("Less", queries, keys))


def padding_mask(g, inputs):
    return g.node("Unsqueeze", g.cast(inputs.mask, np.bool_), ints(1, 2))


# ===----------------------------------------------------------------------=== #
# Attention
# ===----------------------------------------------------------------------=== #


def split_heads(g, shape, x, heads):
    """[batch, seq, heads * head] as [batch, heads, seq, head]."""
    x = g.node("Reshape", x, ints(0, 0, heads, shape.head))
    return g.node("Transpose", x, perm=[0, 2, 1, 3])


def merge_heads(g, shape, x):
    x = g.node("Transpose", x, perm=[0, 2, 1, 3])
    return g.node("Reshape", x, ints(0, 0, shape.heads * shape.head))


def attend(g, rng, shape, inputs, shared, qkv, index):
    """[batch, seq, heads * head]; adds the layer's presents to the outputs."""
    if shape.attend == "gqa":
        return group_query(g, rng, shape, inputs, shared, qkv, index)
    counts = (shape.heads, shape.kv_heads, shape.kv_heads)
    q, k, v = (split_heads(g, shape, x, n) for x, n in zip(qkv, counts))
    q, k = (rotate(g, shape, shared, x) for x in (q, k))
    if shape.cache == "attention":
        y, k, v = attention_node(g, shape, shared, q, k, v, inputs.pasts[index])
        add_presents(g, shape, (k, v), index)
        return merge_heads(g, shape, y)
    if inputs.pasts:
        k, v = (append(g, inputs, past, new) for past, new in zip(inputs.pasts[index], (k, v)))
        k, v = add_presents(g, shape, (k, v), index)
    if shape.attend == "attention":
        return merge_heads(g, shape, attention_node(g, shape, shared, q, k, v, None))
    return merge_heads(g, shape, decomposed(g, rng, shape, shared, q, k, v))


def append(g, inputs, past, new):
    if inputs.write:
        return g.node("TensorScatter", past, new, inputs.write, axis=2, mode="linear")
    return g.node("Concat", past, new, axis=int(g.rng.choice([-2, 2])))


def add_presents(g, shape, values, index):
    names = []
    for value, part in zip(values, ("key", "value")):
        name = g.rename(value, f"{g.prefix}present.{index}.{part}")
        names.append(name)
        dims = ["batch", shape.kv_heads, None, shape.head]
        g.outputs.append(value_info(name, np.float32, dims))
    return names


def attention_node(g, shape, shared, q, k, v, past):
    attrs = {} if shared.mask else {"is_causal": 1}
    if g.rng.random() < 0.5:
        attrs["scale"] = float(shape.head**-0.5)
    names = [q, k, v, shared.mask or "", *(past or ())]
    while not names[-1]:
        names.pop()
    return g.node("Attention", *names, outputs=3 if past else 1, **attrs)


def expand_heads(g, shape, x):
    """Each key head as often as query heads share it."""
    times = shape.heads // shape.kv_heads
    if times == 1:
        return x
    sizes = [g.node("Unsqueeze", size_of(g, x, axis), ints(0)) for axis in (0, 2)]
    x = g.node("Unsqueeze", x, ints(2))
    wide = g.node("Concat", sizes[0], ints(shape.kv_heads), ints(times), sizes[1],
                  ints(shape.head), axis=0)  # fmt: skip
    flat = g.node("Concat", sizes[0], ints(shape.heads), sizes[1], ints(shape.head), axis=0)
    attrs = {"allowzero": 1} if g.opset >= 14 and g.rng.random() < 0.5 else {}
    return g.node("Reshape", g.node("Expand", x, wide), flat, **attrs)


def decomposed(g, rng, shape, shared, q, k, v):
    k, v = expand_heads(g, shape, k), expand_heads(g, shape, v)
    k = g.node("Transpose", k, perm=[0, 1, 3, 2])
    if rng.random() < 0.5:
        root = np.float32(shape.head**-0.25)
        scores = g.node("MatMul", g.swap("Mul", q, root), g.swap("Mul", k, root))
    elif rng.random() < 0.5:
        scores = g.swap("Mul", g.node("MatMul", q, k), np.float32(shape.head**-0.5))
    else:
        scores = g.node("Div", g.node("MatMul", q, k), np.float32(shape.head**0.5))
    odds = g.node("Softmax", g.swap("Add", scores, shared.mask), axis=int(rng.choice([-1, 3])))
    if rng.random() < 0.3:
        odds = g.node("Where", g.node("IsNaN", odds), np.float32(0), odds)
    return g.node("MatMul", odds, v)


# ===----------------------------------------------------------------------=== #
# com.microsoft.GroupQueryAttention
# ===----------------------------------------------------------------------=== #


def prepare_gqa(g, shape, inputs, shared):
    last = g.node("Sub", g.reduce("ReduceSum", inputs.mask, [1], keepdims=0), ints(1))
    total = g.node("Gather", g.node("Shape", inputs.mask), np.array(1, INT64))
    shared.lengths = tuple(g.cast(x, np.int32) for x in (last, total))
    shared.cos, shared.sin = (g.constant(t) for t in tables(shape))


def group_query(g, rng, shape, inputs, shared, qkv, index):
    attrs = {"num_heads": shape.heads, "kv_num_heads": shape.kv_heads}
    if rng.random() < 0.7:
        attrs["scale"] = float(shape.head**-0.5)
    if rng.random() < 0.5:
        qkv = (g.node("Concat", *qkv, axis=-1), "", "")
    names = [*qkv, *inputs.pasts[index], *shared.lengths, shared.cos, shared.sin]
    y, k, v = g.node("GroupQueryAttention", *names, outputs=3, domain="com.microsoft",
                     do_rotary=1, rotary_interleaved=0, **attrs)  # fmt: skip
    add_presents(g, shape, (k, v), index)
    return y
