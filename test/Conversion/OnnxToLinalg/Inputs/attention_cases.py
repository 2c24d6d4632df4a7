"""Attention, and what surrounds it."""

from dataclasses import replace

import ml_dtypes
import numpy as np
from conformance import Case, reference

RNG = np.random.default_rng(4)
INF = np.float32(np.inf)


def floats(*shape, dtype=np.float32):
    return RNG.normal(size=shape).astype(dtype)


def both(op, inputs, *args, dynamic, **kwargs):
    """The case with static and with dynamic batches and lengths."""
    kwargs = {"rtol": 1e-5, "atol": 2e-6, **kwargs}
    yield Case(op, inputs, *args, dynamic=False, **kwargs)
    yield Case(op, inputs, *args, dynamic=dynamic, **kwargs)


# Batch and length are dynamic; heads and sizes are not.
HEADS_FIRST = {0: (0, 2), 1: (0, 2), 2: (0, 2), 3: (0, 1, 2, 3), 4: (0, 2), 5: (0, 2), 6: (0,)}
JOINED = {**HEADS_FIRST, 0: (0, 1), 1: (0, 1), 2: (0, 1)}


def attention(inputs, attrs=None, dynamic=HEADS_FIRST, opset=24, **kwargs):
    kwargs.setdefault("outputs", 1)
    return both("Attention", inputs, attrs or {}, dynamic=dynamic, opset=opset, **kwargs)


def heads(batch=2, queries=3, keys=5, query_heads=4, kv_heads=2, size=8, value_size=6):
    return [floats(batch, query_heads, queries, size), floats(batch, kv_heads, keys, size),
            floats(batch, kv_heads, keys, value_size)]  # fmt: skip


def plain():
    for opset in (23, 24):
        yield from attention(heads(), opset=opset)
        yield from attention(heads(), {"is_causal": 1}, opset=opset)
    yield from attention(heads(kv_heads=4))
    yield from attention(heads(kv_heads=1), {"scale": 0.3})
    yield from attention(heads(queries=1, keys=1))
    yield from attention(heads(queries=7, keys=2), {"is_causal": 1})
    yield from attention(heads(), {"softcap": 0.7})
    yield from attention(heads(), {"softcap": 0.7, "is_causal": 1})
    # Large scores: their exponentials overflow without subtracting the maximum.
    q, k, v = heads()
    yield from attention([q * 60, k * 60, v])
    for empty in ({"batch": 0}, {"queries": 0}):
        q, k, v = heads(**empty)
        yield from attention([q, k, v], expected=[np.zeros((*q.shape[:3], v.shape[3]), np.float32)])
    q, k, v = heads(keys=0)
    yield from attention([q, k, v], expected=[np.zeros((*q.shape[:3], v.shape[3]), np.float32)])
    for dtype, tolerance in ((np.float64, 1e-12), (np.float16, 4e-3)):
        yield from attention([a.astype(dtype) for a in heads()], rtol=tolerance, atol=tolerance)
    narrow = [a.astype(ml_dtypes.bfloat16) for a in heads()]
    wide = [a.astype(np.float32) for a in narrow]
    scores = np.einsum("bhgsd,bhtd->bhgst", wide[0].reshape(2, 2, 2, 3, 8), wide[1]) / np.sqrt(8)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    truth = np.einsum("bhgst,bhtv->bhgsv", weights, wide[2]).reshape(2, 4, 3, 6)
    yield from attention(narrow, expected=[truth.astype(ml_dtypes.bfloat16)], rtol=1e-2, atol=1e-2)


def masks():
    for shape in ((3, 5), (1, 5), (4, 3, 5), (1, 3, 5), (2, 1, 3, 5), (1, 4, 3, 5), (2, 4, 1, 5),
                  (2, 4, 3, 5), (1, 1, 1, 5)):  # fmt: skip
        yield from attention([*heads(), floats(*shape)])
        yield from attention([*heads(), RNG.random(shape) < 0.7])
    yield from attention([*heads(), floats(3, 5)], {"is_causal": 1, "softcap": 2.0})
    # Rows without a key give zeros, as in onnxruntime; very negative ones do not.
    hidden = np.ones((3, 5), bool)
    hidden[1] = False
    yield from attention([*heads(), hidden])
    yield from attention([*heads(), np.where(hidden, 0, -INF).astype(np.float32)])
    yield from attention([*heads(), np.where(hidden, 0, -3.4e38).astype(np.float32)])
    # A mask for fewer keys hides the others.
    yield from attention([*heads(), floats(3, 4)])
    yield from attention([*heads(), np.ones((2, 1, 3, 2), bool)])
    yield Case("Attention", [*heads(), floats(3, 6)], opset=24, dynamic=HEADS_FIRST,
               fails="longer than the keys", expected=[floats(2, 4, 3, 6)])  # fmt: skip
    yield Case("Attention", [*heads(), floats(2, 5)], opset=24, dynamic=HEADS_FIRST,
               fails="equal or 1", expected=[floats(2, 4, 3, 6)])  # fmt: skip


def caches():
    for past in (0, 1, 4):
        q, k, v = heads(keys=3)
        old = [floats(2, 2, past, 8), floats(2, 2, past, 6)]
        for attrs in ({}, {"is_causal": 1}):
            yield from attention([q, k, v, None, *old], attrs, outputs=3)
            yield from attention([q, k, v, floats(3, 3 + past), *old], attrs, outputs=3)
        yield from attention([q, k, v, None, *old], {"is_causal": 1}, outputs=3, opset=23)
    for counts in ((5, 5), (3, 4), (1, 0), (2, 5)):
        lengths = np.array(counts, np.int64)
        for attrs in ({}, {"is_causal": 1}):
            yield from attention([*heads(), None, None, None, lengths], attrs)
    yield Case("Attention", [*heads()[:2], heads(keys=4)[2]], opset=24, dynamic=HEADS_FIRST,
               fails="differ in number", expected=[floats(2, 4, 3, 6)])  # fmt: skip


def joined_heads():
    attrs = {"q_num_heads": 4, "kv_num_heads": 2}
    q, k, v = floats(2, 3, 32), floats(2, 5, 16), floats(2, 5, 12)
    for more in ({}, {"is_causal": 1}, {"softcap": 1.5}):
        yield from attention([q, k, v], {**attrs, **more}, JOINED)
        yield from attention([q, k, v], {**attrs, **more}, JOINED, outputs=3)
    old = [floats(2, 2, 4, 8), floats(2, 2, 4, 6)]
    yield from attention([q, k, v, None, *old], {**attrs, "is_causal": 1}, JOINED, outputs=3)
    yield from attention([q, k, v, floats(4, 3, 5)], attrs, JOINED)


def scores():
    for mode in range(4):
        attrs = {"qk_matmul_output_mode": mode, "softcap": 0.9, "is_causal": 1}
        # The reference evaluator shows capped scores in mode 0, against the text.
        yield from attention([*heads(), floats(3, 5)], attrs, outputs=4, by_ort=mode == 0,
                             output_types=[np.float32] * 4)  # fmt: skip
        yield from attention(heads(), {"qk_matmul_output_mode": mode}, outputs=4)


def windows():
    for left, right in ((0, -1), (1, 1), (-1, 0), (2, -1)):
        attrs = {"left_window_size": left, "right_window_size": right}
        yield from attention(heads(), attrs, opset=25)
        yield from attention(heads(), {**attrs, "is_causal": 1}, opset=25)


def blocks():
    """More queries and keys than a block and a tile have: 64 columns and 60 keys, or, with a
    mask, 64 rows and 4096 scores."""
    many = heads(batch=2, queries=150, keys=170)
    for attrs in ({}, {"is_causal": 1}, {"left_window_size": 40, "is_causal": 1}):
        yield from attention(many, attrs, opset=25)
    yield from attention([*many, floats(2, 1, 150, 170)], {"is_causal": 1})
    yield from attention([*many, None, None, None, np.array([170, 70])], {"is_causal": 1})
    # Tiles of which the first or the last query reaches all keys but one: two heads share a
    # block's 64 columns, so its queries begin at multiples of 32, keys at multiples of 60.
    for left, right in ((62, -1), (63, -1), (-1, 26), (-1, 27)):
        yield from attention(many, {"left_window_size": left, "right_window_size": right}, opset=25)
    for past in (26, 27):
        old = [floats(2, 2, past, 8), floats(2, 2, past, 6)]
        yield from attention([*many, None, *old], {"is_causal": 1}, outputs=3)
    yield from attention(many, {"softcap": 0.7, "scale": 0.4, "is_causal": 1})
    # Groups whose heads do not divide 64, one of more heads than a block has columns, and one
    # of sizes that fill no vector.
    for group in (3, 5, 7, 70):
        yield from attention(heads(1, 33, 61, 2 * group, 2, size=20), {"is_causal": 1})
    yield from attention([a.astype(np.float16) for a in many], {"is_causal": 1}, rtol=4e-3, atol=4e-3)
    joined = [floats(1, 45, 4 * 16), floats(1, 70, 2 * 16), floats(1, 70, 2 * 8)]
    yield from attention(joined, {"q_num_heads": 4, "kv_num_heads": 2, "is_causal": 1}, JOINED)
    yield from attention(heads(queries=1, keys=5000), rtol=1e-4, atol=1e-5)
    # A tile without a key that is read, before one with.
    hidden = np.zeros((1, 5000), bool)
    hidden[:, 4500:] = True
    yield from attention([*heads(queries=1, keys=5000), hidden], rtol=1e-4, atol=1e-5)


def rotations():
    first = {0: (0, 2), 1: (0, 1), 2: (0, 1), 3: (0, 1)}
    joined = {0: (0, 1), 1: (0, 1), 2: (0, 1), 3: (0, 1)}
    cached_first = {**first, 1: (0,), 2: (0,)}
    cached_joined = {**joined, 1: (0,), 2: (0,)}
    cache = [floats(10, 4), floats(10, 4)]
    angles = [floats(2, 3, 4), floats(2, 3, 4)]
    positions = RNG.integers(0, 10, (2, 3))
    for interleaved in (0, 1):
        for size, rotated in ((8, 0), (12, 8)):
            attrs = {"interleaved": interleaved, "rotary_embedding_dim": rotated}
            x, flat = floats(2, 5, 3, size), floats(2, 3, 5 * size)
            split = {**attrs, "num_heads": 5}
            yield from both("RotaryEmbedding", [x, *angles], attrs, opset=23, dynamic=first)
            yield from both("RotaryEmbedding", [x, *cache, positions], attrs, opset=23,
                            dynamic=cached_first)  # fmt: skip
            yield from both("RotaryEmbedding", [flat, *angles], split, opset=23, dynamic=joined)
            yield from both("RotaryEmbedding", [flat, *cache, positions], split, opset=23,
                            dynamic=cached_joined)  # fmt: skip
        for offset in (positions, np.array([4])):
            order = [flat[..., :40].copy(), offset, *cache]
            yield from both("com.microsoft::RotaryEmbedding", order, {"interleaved": interleaved},
                            dynamic={0: (0, 1)}, by_ort=True,
                            output_types=[np.float32])  # fmt: skip
    # That there is one position may be known to the running program only.
    for offset in (np.array([4]), np.array([4, 5])):
        yield Case("com.microsoft::RotaryEmbedding", [flat[..., :40].copy(), offset, *cache],
                   dynamic={0: (0, 1), 1: (0,)}, by_ort=len(offset) == 1,
                   fails=None if len(offset) == 1 else "expected one position",
                   expected=None if len(offset) == 1 else [flat[..., :40]],
                   output_types=[np.float32])  # fmt: skip
    half = [a.astype(np.float16) for a in (floats(2, 5, 3, 8), *angles)]
    yield from both("RotaryEmbedding", half, opset=23, dynamic=first, rtol=2e-3, atol=2e-3)
    yield Case("RotaryEmbedding", [floats(2, 5, 3, 8), *cache, positions + 8], opset=23,
               fails="outside its dimension", dynamic=cached_first,
               expected=[floats(2, 5, 3, 8)])  # fmt: skip


def group_queries():
    size, query_heads, kv_heads = 16, 4, 2
    attrs = {"num_heads": query_heads, "kv_num_heads": kv_heads}
    cos, sin = floats(32, size // 2), floats(32, size // 2)
    name = "com.microsoft::GroupQueryAttention"
    dynamic = {0: (0, 1), 1: (0, 1), 2: (0, 1), 3: (0, 2), 4: (0, 2), 5: (0,)}

    def case(batch, tokens, past, lengths, more=None, packed=True, rotary=True, total=None,
             dtype=np.float32, outputs=3, **optional):  # fmt: skip
        total = int(max(lengths)) + 1 if total is None else total
        old = [floats(batch, kv_heads, past, size, dtype=dtype) for _ in range(2)]
        widths = [query_heads + 2 * kv_heads] if packed else [query_heads, kv_heads, kv_heads]
        new = [floats(batch, tokens, width * size, dtype=dtype) for width in widths]
        inputs = [*new, *([None, None] if packed else []), *old,
                  np.array(lengths, np.int32), np.array(total, np.int32)]  # fmt: skip
        inputs += [cos.astype(dtype), sin.astype(dtype)] if rotary else [None, None]
        inputs += [optional.get(key) for key in ("positions", "bias", "sinks")]
        options = {**attrs, "do_rotary": int(rotary), **(more or {})}
        tolerance = {"rtol": 1e-4, "atol": 1e-5}
        if dtype == np.float16:
            tolerance = {"rtol": 4e-3, "atol": 4e-3}
        return both(name, inputs, options, outputs=outputs, by_ort=True,
                    output_types=[dtype] * outputs, dynamic=dynamic, **tolerance)  # fmt: skip

    for packed in (True, False):
        for rotary in (True, False):
            yield from case(2, 5, 0, (4, 4), packed=packed, rotary=rotary)
            yield from case(2, 1, 6, (6, 6), packed=packed, rotary=rotary)
    yield from case(1, 3, 6, (8,))
    yield from case(1, 1, 6, (6,), {"rotary_interleaved": 1})
    yield from case(1, 1, 6, (6,), {"scale": 0.2, "softcap": 1.1})
    for window in (1, 2, 4, 50):
        yield from case(1, 1, 6, (6,), {"local_window_size": window})
        yield from case(1, 7, 0, (6,), {"local_window_size": window})
    # Batches of unequal lengths: prompts padded at the end, then single tokens.
    yield from case(2, 5, 0, (4, 2))
    yield from case(2, 1, 6, (6, 3))
    # Without presents, onnxruntime 1.32 gives other results where there is a past.
    for whole in (*case(2, 5, 0, (4, 2)), *case(2, 1, 6, (6, 3))):
        yield replace(whole, outputs=1, output_types=[np.float32], expected=reference(whole)[:1])
    yield from case(2, 5, 0, (4, 2), {"local_window_size": 2})
    yield from case(2, 1, 6, (6, 3), {"local_window_size": 2})
    yield from case(2, 5, 0, (3, 2), total=5)
    yield from case(2, 1, 6, (3, 3), total=7)
    # A past that is longer than what is used of it.
    yield from case(2, 1, 10, (6, 3))
    yield from case(2, 4, 10, (3, 2))
    yield from case(1, 3, 12, (8,))
    yield from case(2, 1, 6, (3, 2), total=4)
    # What joins the softmax, and what is added before it.
    sinks = floats(query_heads)
    for more in ({"smooth_softmax": 1}, {"smooth_softmax": 1, "softcap": 0.9}):
        yield from case(1, 1, 6, (6,), more)
        yield from case(2, 5, 0, (4, 2), more)
    yield from case(1, 1, 6, (6,), sinks=sinks)
    yield from case(2, 5, 0, (4, 2), sinks=sinks)
    yield from case(2, 5, 0, (4, 4), {"local_window_size": 3}, sinks=sinks)
    yield from case(2, 23, 0, (22, 18), sinks=sinks)
    for heads in (1, query_heads):
        yield from case(2, 5, 0, (4, 4), bias=floats(2, heads, 5, 5))
        yield from case(1, 1, 6, (6,), bias=floats(1, heads, 1, 7))
    # Keys of single tokens in three parts, of which a shorter batch has one.
    for more in ({}, {"local_window_size": 30}):
        yield from case(2, 1, 1100, (1100, 250), more, rotary=False, sinks=sinks)
    yield from case(1, 1, 1100, (1100,), rotary=False, bias=floats(1, query_heads, 1, 1101))
    # onnxruntime heeds only the first position of a prompt.
    yield from case(2, 5, 0, (4, 4), positions=np.arange(3, 8)[None].repeat(2, 0))
    yield from case(1, 3, 6, (8,), positions=np.array([[3, 1, 4]]))
    yield from case(1, 3, 6, (8,), dtype=np.float16)
    yield from case(2, 5, 0, (4, 2), dtype=np.float16, packed=False)

    def fails(message, batch, tokens, past, lengths, total):
        old = [floats(batch, kv_heads, past, size) for _ in range(2)]
        width = query_heads + 2 * kv_heads
        inputs = [floats(batch, tokens, width * size), None, None, *old,
                  np.array(lengths, np.int32), np.array(total, np.int32)]  # fmt: skip
        results = [floats(batch, tokens, query_heads * size), *old]
        return Case(name, inputs, attrs, outputs=3, fails=message, dynamic={}, expected=results)

    yield fails("too large", 1, 1, 6, (9,), 7)
    yield fails("too large", 2, 1, 6, (6, 7), 7)
    yield fails("negative", 2, 1, 6, (6, -1), 7)
    yield fails("too small", 1, 3, 6, (1,), 9)
    yield fails("more than past and tokens", 1, 1, 6, (7,), 8)
    yield fails("less than the tokens", 1, 3, 0, (2,), 2)


def multi_heads():
    attrs = {"num_heads": 4}
    q, k, v = floats(2, 3, 32), floats(2, 5, 32), floats(2, 5, 24)
    first, last = floats(2, 4, 7, 8), floats(2, 4, 7, 8)
    dynamic = {0: (0, 1), 1: (0, 1), 2: (0, 1), 4: (0, 1), 5: (2, 3), 6: (0, 2), 7: (0, 2)}

    def case(inputs, more=None, outputs=1, **kwargs):
        kwargs = {"by_ort": True, "output_types": [np.float32] * outputs, "dynamic": dynamic,
                  "rtol": 1e-4, "atol": 1e-5, **kwargs}  # fmt: skip
        return both("com.microsoft::MultiHeadAttention", inputs, {**attrs, **(more or {})},
                    outputs=outputs, **kwargs)  # fmt: skip

    yield from case([q, k, v])
    yield from case([q, k, v], {"scale": 0.3})
    yield from case([q, k, v, floats(88)])
    # Keys and values that are heads have no bias added.
    for bias in (None, floats(96)):
        yield from case([q, first, last, bias], dynamic={0: (0, 1), 1: (0, 2), 2: (0, 2)})
    hidden = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 0, 0]], np.int32)
    each = (RNG.random((2, 3, 5)) < 0.6).astype(np.int32)
    for mask in (hidden, np.array([3, 5], np.int32), each):
        kinds = {**dynamic, 4: tuple(range(mask.ndim))}
        yield from case([q, k, v, None, mask], dynamic=kinds)
        yield from case([q, k, v, None, mask], {"mask_filter_value": -2.0}, dynamic=kinds)
    for heads_of_bias in (1, 4):
        bias = floats(2, heads_of_bias, 3, 5)
        yield from case([q, k, v, None, None, bias])
        yield from case([q, k, v, None, hidden, bias])
    square = floats(2, 5, 32)
    yield from case([square, k, v], {"unidirectional": 1})
    yield from case([square, k, v, None, hidden], {"unidirectional": 1, "mask_filter_value": -9.0})
    new = [floats(2, 3, 32), floats(2, 3, 32)]
    old = [floats(2, 4, 6, 8), floats(2, 4, 6, 8)]
    for more in ({}, {"unidirectional": 1}):
        yield from case([q, *new, None, None, None, *old], more, outputs=3)
        yield from case([q, *new, floats(96), None, None, *old], more, outputs=3)
    yield from case([q, *new], outputs=3)
    # onnxruntime packs for GPUs only.
    packed = floats(2, 3, 4, 3, 8)
    parts = [np.ascontiguousarray(packed[:, :, :, i]).reshape(2, 3, 32) for i in range(3)]
    scores = np.einsum("bshd,bthd->bhst", packed[:, :, :, 0], packed[:, :, :, 1]) / np.sqrt(8)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    truth = np.einsum("bhst,bthd->bshd", weights, packed[:, :, :, 2])
    truth = truth.reshape(2, 3, 32).astype(np.float32)
    plain = {"by_ort": False, "expected": [truth], "dynamic": {0: (0, 1), 1: (0, 1)}}
    yield from case([packed], **plain)
    yield from case([parts[0], np.ascontiguousarray(packed[:, :, :, 1:])], **plain)
    yield Case("com.microsoft::MultiHeadAttention", [q, k, v], {**attrs, "unidirectional": 1},
               dynamic=dynamic, fails="a key for each query",
               expected=[floats(2, 3, 24)])  # fmt: skip


def cases():
    for group in (plain, masks, caches, joined_heads, scores, windows, blocks, rotations,
                  group_queries, multi_heads):  # fmt: skip
        yield from group()
