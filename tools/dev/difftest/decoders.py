"""Random small decoders: norms, rotary embeddings, attention, caches, BitLinear.

Each part is spelled in one of the ways in which exporters spell it.
"""

from dataclasses import dataclass, field

import numpy as np

from . import activations, attention, weights
from .graph import DTYPES, Graph


@dataclass
class Shape:
    """The sizes of a decoder, and how it is written."""

    hidden: int
    heads: int
    kv_heads: int
    head: int
    ffn: int
    vocab: int
    layers: int
    cache: str  # none, concat, attention, scatter, gqa
    attend: str  # decomposed, attention, gqa
    quantized: bool  # activations too
    linear: str  # fake, codes, nbits
    weights: str
    sub_norms: bool
    silu: bool
    positions: str  # input, range
    masked: bool  # takes an attention_mask
    capacity: int = 16


@dataclass
class Inputs:
    """The names of a decoder's inputs and of what is derived from them."""

    ids: str
    mask: str | None = None
    positions: str | None = None
    write: str | None = None
    pasts: list = field(default_factory=list)  # (key, value) of each layer


def draw_shape(rng, opset):
    kv_heads = int(rng.choice([1, 2]))
    heads = kv_heads * int(rng.choice([1, 2, 3]))
    attends = ["decomposed", "decomposed", "gqa"] + ["attention"] * (2 if opset >= 23 else 0)
    attend = str(rng.choice(attends))
    caches = {"decomposed": ["none", "concat"], "attention": ["none", "concat", "attention"],
              "gqa": ["gqa"]}[attend]  # fmt: skip
    if opset >= 24 and attend != "gqa":
        caches = [*caches, "scatter"]
    cache = str(rng.choice(caches))
    linear = str(rng.choice(["fake", "codes", "nbits"], p=[0.5, 0.3, 0.2]))
    scales = {"fake": "tensor", "codes": "unit", "nbits": "unit"}[linear]
    forms = [n for n, f in weights.FORMS.items() if f.since <= opset and scales in f.scales]
    return Shape(
        hidden=4 * int(rng.choice([4, 5, 8, 12])), heads=heads, kv_heads=kv_heads,
        head=16 if attend == "gqa" else int(rng.choice([8, 16])), ffn=4 * int(rng.choice([5, 7, 10, 16])),
        vocab=int(rng.choice([11, 24, 32])), layers=int(rng.choice([1, 2], p=[0.7, 0.3])),
        cache=cache, attend=attend, quantized=bool(rng.random() < 0.85), linear=linear,
        weights=str(rng.choice(forms)), sub_norms=bool(rng.random() < 0.5),
        silu=bool(rng.random() < 0.5),
        positions="input" if cache == "scatter" else str(rng.choice(["input", "range"])),
        masked=attend == "gqa" or (cache != "scatter" and bool(rng.random() < 0.5)),
    )  # fmt: skip


# ===----------------------------------------------------------------------=== #
# Parts
# ===----------------------------------------------------------------------=== #


def gain(g, rng, size):
    return rng.uniform(0.5, 1.5, size).astype(np.float32)


def rms_norm(g, rng, x, size):
    eps = 1e-5
    w = gain(g, rng, size)
    kind = rng.random()
    if g.opset >= 23 and kind < 0.4:
        return g.node("RMSNormalization", x, w, axis=-1, epsilon=eps)
    if kind < 0.6:
        return g.node("SimplifiedLayerNormalization", x, w, axis=-1, epsilon=eps, stash_type=1)
    square = g.node("Pow", x, np.float32(2)) if kind < 0.8 else g.node("Mul", x, x)
    mean = g.swap("Add", g.reduce("ReduceMean", square, [-1]), np.float32(eps))
    root = g.node("Sqrt", mean)
    if rng.random() < 0.5:
        scaled = g.swap("Mul", x, g.node("Reciprocal", root))
    elif rng.random() < 0.5:
        scaled = g.swap("Mul", x, g.node("Div", np.float32(1), root))
    else:
        scaled = g.node("Div", x, root)
    return g.swap("Mul", scaled, w)


def linear(g, rng, shape, x, codes, k, n):
    """One BitLinear layer; `codes` are shared by those that read `x`."""
    trits = weights.random_trits(rng, n, k)
    scale = np.float32(rng.uniform(0.02, 0.08))
    if shape.linear == "nbits":
        value = activations.dequantize(g, codes) if codes else x
        operands = weights.nbits_operands(rng, trits, 2, 32, np.float32)
        return g.node("MatMulNBits", value, *operands, domain="com.microsoft", K=k, N=n,
                      bits=2, block_size=32)  # fmt: skip
    form = weights.FORMS[shape.weights]
    if shape.linear == "fake" or not codes:
        value = activations.dequantize(g, codes) if codes else x
        held = None if shape.linear == "codes" else np.asarray(scale)
        y = g.node("MatMul", value, form.emit(g, trits, held, np.float32))
        return y if held is not None else g.swap("Mul", y, scale)
    y = g.node("MatMul", codes.value, form.emit(g, trits, None, np.float32))
    y = g.swap("Mul", y, scale)
    if codes.divides:
        return g.node("Div", y, codes.factor)
    return g.swap("Mul", y, codes.factor)


def quantize(g, shape, x):
    return activations.quantize(g, x, np.float32) if shape.quantized else None


def feed_forward(g, rng, shape, x):
    h, f = shape.hidden, shape.ffn
    codes = quantize(g, shape, x)
    gate = linear(g, rng, shape, x, codes, h, f)
    up = linear(g, rng, shape, x, codes, h, f)
    if shape.silu:
        gate = g.swap("Mul", gate, g.node("Sigmoid", gate))
    else:
        gate = g.node("Relu", gate)
        gate = g.node("Mul", gate, gate) if rng.random() < 0.5 else g.node(
            "Pow", gate, np.float32(2))  # fmt: skip
    product = g.swap("Mul", gate, up)
    if shape.sub_norms:
        product = rms_norm(g, rng, product, f)
    return linear(g, rng, shape, product, quantize(g, shape, product), f, h)


def block(g, rng, shape, inputs, shared, x, index):
    normed = rms_norm(g, rng, x, shape.hidden)
    codes = quantize(g, shape, normed)
    width, kv_width = shape.heads * shape.head, shape.kv_heads * shape.head
    q, k, v = (linear(g, rng, shape, normed, codes, shape.hidden, size)
               for size in (width, kv_width, kv_width))  # fmt: skip
    y = attention.attend(g, rng, shape, inputs, shared, (q, k, v), index)
    if shape.sub_norms:
        y = rms_norm(g, rng, y, width)
    x = g.swap("Add", x, linear(g, rng, shape, y, quantize(g, shape, y), width, shape.hidden))
    normed = rms_norm(g, rng, x, shape.hidden)
    return g.swap("Add", x, feed_forward(g, rng, shape, normed))


# ===----------------------------------------------------------------------=== #
# Inputs
# ===----------------------------------------------------------------------=== #


def declare_inputs(g, shape):
    """Names as exporters give them: the compiler tells roles by them."""

    def add(name, dtype, dims):
        g.inputs.append(attention.value_info(g.prefix + name, dtype, dims))
        return g.prefix + name

    inputs = Inputs(add("input_ids", np.int64, ["batch", "seq"]))
    if shape.masked:
        inputs.mask = add("attention_mask", np.int64, ["batch", "total"])
    if shape.positions == "input" and shape.attend != "gqa":
        inputs.positions = add("position_ids", np.int64, ["batch", "seq"])
    if shape.cache == "scatter":
        inputs.write = add("write_indices", np.int64, ["batch"])
    length = shape.capacity if shape.cache == "scatter" else "past"
    if shape.cache != "none":
        for i in range(shape.layers):
            dims = ["batch", shape.kv_heads, length, shape.head]
            inputs.pasts.append(tuple(add(f"past_key_values.{i}.{part}", np.float32, dims)
                                      for part in ("key", "value")))  # fmt: skip
    return inputs


def draw_feeds(g, rng, shape, inputs):
    """A prompt, a step behind a past, and a few tokens behind another."""
    # onnxruntime's GroupQueryAttention takes several tokens of several sequences
    # behind no past only.
    last = (2, 1, 3) if shape.attend == "gqa" else (2, 3, 2)
    for batch, seq, past in ((1, 5, 0), (1, 1, 4), last):
        if shape.cache == "none":
            past = 0
        feeds = {inputs.ids: rng.integers(0, shape.vocab, (batch, seq))}
        if inputs.mask:
            feeds[inputs.mask] = np.ones((batch, past + seq), np.int64)
        if inputs.positions:
            feeds[inputs.positions] = np.tile(np.arange(past, past + seq), (batch, 1))
        if inputs.write:
            feeds[inputs.write] = np.full(batch, past)
        length = shape.capacity if shape.cache == "scatter" else past
        for names in inputs.pasts:
            for name in names:
                dims = (batch, shape.kv_heads, length, shape.head)
                feeds[name] = rng.normal(size=dims).astype(np.float32)
        g.feeds.append(feeds)


def build(opset, seed, prefix):
    """A random decoder, as a graph."""
    rng = np.random.default_rng([2, opset, seed])
    g = Graph(rng, opset, prefix)
    shape = draw_shape(rng, opset)
    g.notes += [f"{key}={value}" for key, value in vars(shape).items()]
    g.may_flip = shape.quantized
    inputs = declare_inputs(g, shape)
    draw_feeds(g, rng, shape, inputs)
    table = rng.normal(size=(shape.vocab, shape.hidden)).astype(np.float32)
    table = g.constant(table)
    x = g.node("Gather", table, inputs.ids)
    shared = attention.prepare(g, rng, shape, inputs)
    for index in range(shape.layers):
        x = block(g, rng, shape, inputs, shared, x, index)
    x = rms_norm(g, rng, x, shape.hidden)
    if rng.random() < 0.5:
        head = g.node("Transpose", table, perm=[1, 0])
    else:
        head = g.constant(rng.normal(size=(shape.hidden, shape.vocab)).astype(np.float32))
    logits = g.node("MatMul", x, head)
    logits = g.rename(logits, g.prefix + "logits")
    g.outputs.insert(0, attention.value_info(logits, DTYPES["f32"],
                                             ["batch", "seq", shape.vocab]))  # fmt: skip
    return g
