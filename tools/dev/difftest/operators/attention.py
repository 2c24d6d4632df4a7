"""Attention and rotary embeddings, ONNX's and onnxruntime's."""

import numpy as np

from .draft import Operator
from .values import pick


# A model's sizes are static: the last dimension, and at rank 4 the heads.
STATIC = {2: (1,), 3: (2,), 4: (1, 3)}


def _floats(d, dtype, *shape):
    array = np.asarray(d.rng.normal(size=shape)).astype(dtype)
    return d.operand(array, static=STATIC[len(shape)])


def _angles(d, dtype, *shape):
    """Tables of cosines and sines."""
    angles = d.rng.uniform(0, 6, shape)
    return [d.operand(f(angles).astype(dtype), static=STATIC[len(shape)])
            for f in (np.cos, np.sin)]  # fmt: skip


def _sizes(d, *choices):
    return (pick(d.rng, c) for c in choices)


# ===------------------------------------------------------------------------=== #
# ai.onnx Attention
# ===------------------------------------------------------------------------=== #


def attention(d):
    dtype = pick(d.rng, [t for t in d.types() if np.dtype(t).itemsize in (2, 4)])
    batch, heads, groups, new, past, head, value = _sizes(
        d, [1, 2], [1, 2, 3], [1, 1, 2], [1, 2, 5], [0, 0, 1, 4], [2, 4, 8], [2, 4, 6])
    keys = new if d.chance(0.6) else pick(d.rng, [1, 3, 7])
    flat = d.chance(0.4)

    def tokens(count, length, size):
        if flat:
            return _floats(d, dtype, batch, length, count * size)
        return _floats(d, dtype, batch, count, length, size)

    attrs = {}
    if flat:
        attrs = {"q_num_heads": heads * groups, "kv_num_heads": heads}
    inputs = [tokens(heads * groups, new, head), tokens(heads, keys, head),
              tokens(heads, keys, value)]  # fmt: skip
    with_past = past > 0
    total = keys + past
    inputs.append(_mask(d, dtype, (batch, heads * groups, new, total)))
    if with_past:
        inputs += [_floats(d, dtype, batch, heads, past, size) for size in (head, value)]
    if d.chance(0.3):
        attrs["is_causal"] = 1
    if d.chance(0.3):
        attrs["scale"] = float(pick(d.rng, [0.25, 1.0, 0.5]))
    if d.chance(0.15):
        attrs["softcap"] = float(pick(d.rng, [2.0, 10.0]))
    outputs = 3 if with_past and d.chance(0.8) else 1
    if outputs == 3 and d.chance(0.15):
        outputs = 4
        attrs["qk_matmul_output_mode"] = int(d.rng.integers(4))
    d.node(*inputs, outputs=outputs, **attrs)


def _mask(d, dtype, full):
    """None, bools or floats, broadcast from fewer dimensions; no row is empty."""
    if d.chance(0.4):
        return None
    rank = int(d.rng.integers(2, 5))
    shape = [1 if d.chance(0.4) and i < rank - 2 else s for i, s in enumerate(full[4 - rank :])]
    if d.chance(0.5):
        return d.operand(np.asarray(d.rng.normal(size=shape)).astype(dtype))
    allowed = d.rng.random(shape) < 0.7
    allowed[..., 0] = True
    return d.operand(allowed)


# ===------------------------------------------------------------------------=== #
# Rotary embeddings
# ===------------------------------------------------------------------------=== #


def rotary_embedding(d):
    dtype = pick(d.rng, d.types())
    batch, heads, length, head = _sizes(d, [1, 2], [1, 2, 3], [1, 2, 5], [4, 8, 6])
    flat = d.chance(0.4)
    rotated = pick(d.rng, [0, 0, 2, 4])
    half = (rotated or head) // 2
    shape = (batch, length, heads * head) if flat else (batch, heads, length, head)
    x = _floats(d, dtype, *shape)
    positions = None
    tables = (batch, length, half)
    if d.chance(0.6):
        tables = (16, half)
        positions = d.operand(d.rng.integers(0, 16, (batch, length)))
    attrs = {"num_heads": heads} if flat or d.chance(0.2) else {}
    if rotated:
        attrs["rotary_embedding_dim"] = rotated
    if d.chance(0.5):
        attrs["interleaved"] = int(d.rng.integers(2))
    d.node(x, *_angles(d, dtype, *tables), positions, **attrs)


def contrib_rotary_embedding(d):
    batch, heads, length, head = _sizes(d, [1, 2], [1, 2, 3], [1, 2, 5], [4, 8, 16])
    flat = d.chance(0.5)
    shape = (batch, length, heads * head) if flat else (batch, heads, length, head)
    if d.chance(0.5):
        positions = np.array([int(d.rng.integers(0, 16 - length))])
    else:
        positions = d.rng.integers(0, 16, (batch, length))
    attrs = {"interleaved": int(d.rng.integers(2))} if d.chance(0.5) else {}
    if flat and d.chance(0.4):
        attrs["num_heads"] = heads
    d.node(_floats(d, np.float32, *shape), d.operand(positions),
           *_angles(d, np.float32, 16, head // 2), **attrs)  # fmt: skip


# ===------------------------------------------------------------------------=== #
# com.microsoft.GroupQueryAttention
# ===------------------------------------------------------------------------=== #


def group_query_attention(d):
    batch, heads, groups, head = _sizes(d, [1, 2], [1, 2], [1, 2, 3], [8, 16])
    is_prompt = d.chance(0.5)
    new = pick(d.rng, [1, 2, 5]) if is_prompt or batch == 1 else 1
    past = 0 if is_prompt else pick(d.rng, [1, 4])
    total = past + new
    packed = d.chance(0.4)
    rotates = head % 16 == 0 and d.chance(0.7)
    f32 = np.float32
    query_size = heads * groups * head
    if packed:
        inputs = [_floats(d, f32, batch, new, query_size + 2 * heads * head), None, None]
    else:
        inputs = [_floats(d, f32, batch, new, query_size)]
        inputs += [_floats(d, f32, batch, new, heads * head) for _ in range(2)]
    inputs += [_floats(d, f32, batch, heads, past, head) for _ in range(2)]
    lengths = np.full(batch, total - 1, np.int32)
    inputs += [d.operand(lengths), d.operand(np.array(total, np.int32), constant=d.chance(0.3))]
    attrs = {"num_heads": heads * groups, "kv_num_heads": heads}
    if rotates:
        inputs += _angles(d, f32, 32, head // 2)
        attrs["do_rotary"] = 1
        if d.chance(0.3):
            attrs["rotary_interleaved"] = 1
    if d.chance(0.2):
        attrs["local_window_size"] = int(d.rng.integers(1, 5))
    if d.chance(0.2):
        attrs["softcap"] = 5.0
    if d.chance(0.3):
        attrs["scale"] = 0.25
    d.node(*inputs, outputs=3, **attrs)


OPERATORS = [
    Operator("Attention", attention, is_exact=False),
    Operator("RotaryEmbedding", rotary_embedding, is_exact=False),
    Operator("RotaryEmbedding", contrib_rotary_embedding, "com.microsoft", is_exact=False),
    Operator("GroupQueryAttention", group_query_attention, "com.microsoft", is_exact=False),
]
