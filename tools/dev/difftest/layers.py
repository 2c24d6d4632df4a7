"""Random BitLinear layers: weights, activations, and how they are multiplied."""

import numpy as np

from . import activations, weights
from .graph import DTYPES, Graph, wrap_in_function

LENGTHS = [1, 2, 3, 5, 7, 8, 12, 16, 20, 31, 33, 40, 48, 64, 65, 96]


def random_activations(rng, shape, dtype):
    """Rows of many kinds: zeros, tiny, outliers, exact ties, powers of two."""
    x = rng.normal(size=shape)
    rows = x.reshape(-1, shape[-1]) if x.size else x.reshape(0, shape[-1])
    for row in rows:
        kind = rng.random()
        if kind < 0.05:
            row[:] = 0
        elif kind < 0.1:
            row *= 1e-7
        elif kind < 0.2:
            row[rng.integers(len(row))] *= 40
        elif kind < 0.3:
            row[:] = rng.integers(-253, 254, len(row)) / 2
            row[rng.integers(len(row))] = -127
        elif kind < 0.35:
            row[:] = 2.0 ** rng.integers(-6, 6, len(row))
    return x.astype(dtype)


def random_input(g, rng, dtype, k):
    """Declares x of one of several ranks and draws its feeds."""
    rank = int(rng.choice([1, 2, 3, 4], p=[0.05, 0.35, 0.5, 0.1]))
    fixed = rng.random() < 0.3
    dims = [int(rng.choice([1, 2, 3, 5])) for _ in range(rank - 1)]
    if fixed and rng.random() < 0.1 and dims:
        dims[0] = 0
    names = [None if rng.random() < 0.3 else f"{g.prefix}d{i}" for i in range(rank - 1)]
    shape = dims + [k] if fixed else names + [k]
    name = g.input(dtype, shape)
    for run in range(3):
        if not fixed:
            dims = [int(rng.choice([0, 1, 2, 4, 9], p=[0.1, 0.4, 0.2, 0.2, 0.1]))
                    for _ in range(rank - 1)]  # fmt: skip
        g.feeds.append({name: random_activations(rng, (*dims, k), dtype)})
    return name, rank


def pick_weights(g, rng, dtype, scales=None, rows_of=1):
    """Form, trits and scale of a matrix that `g` can hold."""
    kind = next(name for name, value in DTYPES.items() if value == dtype)
    names = [name for name, form in weights.FORMS.items()
             if form.since <= g.opset and kind in form.dtypes
             and (scales is None or set(scales) & set(form.scales))]  # fmt: skip
    name = str(rng.choice(names))
    form = weights.FORMS[name]
    allowed = [s for s in form.scales if scales is None or s in scales]
    k, n = (int(v) for v in rng.choice(LENGTHS, 2))
    n += -n % max(form.rows_of, rows_of)
    scale = weights.random_scale(rng, str(rng.choice(allowed)), n, k)
    g.notes.append(f"{name} {n}x{k}")
    return form, weights.random_trits(rng, n, k), scale


# ===------------------------------------------------------------------------=== #
# From a product of codes to the result
# ===------------------------------------------------------------------------=== #


def weight_scale(g, rng, n, dtype):
    shape = [(), (1,), (n,)][int(rng.integers(3))]
    g.notes.append(f"output scale {shape}")
    return g.constant((rng.uniform(0.5, 2, shape) * rng.choice([0.04, 25.0])).astype(dtype))


def rescale(g, rng, product, codes, n, dtype):
    """Takes the activations' factor away and applies the weights' scale."""
    w = weight_scale(g, rng, n, dtype)
    w_divides = rng.random() < 0.5
    if w_divides == codes.divides and rng.random() < 0.5:
        both = g.swap("Mul", w, codes.factor)
        return g.node("Div", product, both) if w_divides else g.swap("Mul", product, both)
    steps = [(w, w_divides), (codes.factor, codes.divides)]
    for index in rng.permutation(2):
        factor, divides = steps[index]
        product = g.node("Div", product, factor) if divides else g.swap("Mul", product, factor)
    return product


def finish(g, rng, y, n, dtype, rank):
    if rng.random() < 0.2:
        y = g.swap("Add", y, rng.normal(size=n).astype(dtype))
    if rng.random() < 0.1:
        y = g.node("Relu", y)
    g.output(y, dtype, rank)


# ===------------------------------------------------------------------------=== #
# Kinds of layers
# ===------------------------------------------------------------------------=== #


def multiply(g, rng, value, matrix, trits, rank):
    """A product with the matrix, perhaps behind dimensions of 1 that the value has anyway."""
    if rank > 2 and rng.random() < 0.15:
        lead = [1] * int(rng.integers(1, rank - 1))
        g.notes.append(f"behind {lead}")
        matrix = g.node("Reshape", matrix, np.array(lead + list(trits.T.shape), np.int64))
    return g.node("MatMul", value, matrix)


def on_floats(g, rng, dtype):
    """x * W, without quantisation."""
    form, trits, scale = pick_weights(g, rng, dtype)
    n, k = trits.shape
    x, rank = random_input(g, rng, dtype, k)
    y = multiply(g, rng, x, form.emit(g, trits, scale, dtype), trits, rank)
    finish(g, rng, y, n, dtype, rank)


def quantized_input(g, rng, x, dtype):
    """Codes of x, computed in f32 or in the model's own type."""
    is_known = dtype != DTYPES["bf16"] or g.opset >= 22  # to Round
    if dtype != np.float32 and (rng.random() < 0.7 or not is_known):
        codes = activations.quantize(g, g.cast(x, np.float32), np.float32)
        return codes, np.float32
    return activations.quantize(g, x, dtype), dtype


def fake_quantized(g, rng, dtype):
    """Codes divided by their scale before one or more products share them."""
    first, trits, scale = pick_weights(g, rng, dtype)
    k = trits.shape[1]
    x, rank = random_input(g, rng, dtype, k)
    codes, code_dtype = quantized_input(g, rng, x, dtype)
    value = activations.dequantize(g, codes)
    if code_dtype != dtype:
        value = g.cast(value, dtype)
    elif rng.random() < 0.1:
        value = g.swap("Add", x, g.node("Sub", value, x))
    value = g.noise(value, dtype)
    matrices = [(first, trits, scale)]
    for _ in range(int(rng.choice([0, 1, 2], p=[0.6, 0.2, 0.2]))):
        form, trits, scale = pick_weights(g, rng, dtype)
        trits = np.resize(trits, (trits.shape[0], k))
        if scale is not None and scale.ndim == 2:
            scale = np.resize(scale, (trits.shape[0], k // weights.group_size(k)))
        matrices.append((form, trits, scale))
    for form, trits, scale in matrices:
        matrix = form.emit(g, trits, scale, dtype)
        n = trits.shape[0]
        takes_gemm = rank == 2 or (rank > 2 and g.opset >= 14)
        if takes_gemm and rng.random() < 0.2:
            y = gemm(g, rng, value, matrix, n, k, rank, dtype)
        else:
            y = multiply(g, rng, value, matrix, trits, rank)
        if scale is None:
            y = g.swap("Mul", y, weight_scale(g, rng, n, dtype))
        finish(g, rng, y, n, dtype, rank)


def gemm(g, rng, value, matrix, n, k, rank, dtype):
    """As Gemm on rows, which has rank 2 only."""
    attrs = {}
    if rng.random() < 0.5:
        matrix, attrs["transB"] = g.node("Transpose", matrix, perm=[1, 0]), 1
    if rng.random() < 0.2:
        attrs["alpha"] = 0.5
    inputs = [matrix]
    if rng.random() < 0.3:
        inputs.append(rng.normal(size=n).astype(dtype))
    g.notes.append("gemm")
    if rank == 2:
        return g.node("Gemm", value, *inputs, **attrs)
    flat = g.node("Reshape", value, np.array([-1, k], np.int64))
    y = g.node("Gemm", flat, *inputs, **attrs)
    lead = g.node("Slice", g.node("Shape", value), np.array([0], np.int64),
                  np.array([rank - 1], np.int64))  # fmt: skip
    # Without allowzero, a size of 0 would mean the input's.
    attrs = {"allowzero": 1} if g.opset >= 14 else {}
    return g.node("Reshape", y, g.node("Concat", lead, np.array([n], np.int64), axis=0), **attrs)


def on_codes(g, rng, dtype):
    """Codes times trits; the scales come afterwards."""
    form, trits, _ = pick_weights(g, rng, dtype, scales=["unit"])
    n, k = trits.shape
    x, rank = random_input(g, rng, dtype, k)
    codes, code_dtype = quantized_input(g, rng, x, dtype)
    value = codes.value
    if rng.random() < 0.5:
        value = g.cast(g.cast(value, np.int8), dtype)
    elif code_dtype != dtype:
        value = g.cast(value, dtype)
    y = multiply(g, rng, value, form.emit(g, trits, None, dtype), trits, rank)
    if code_dtype != dtype:
        y = g.cast(y, code_dtype)
    y = rescale(g, rng, y, codes, n, code_dtype)
    finish(g, rng, g.cast(y, dtype) if code_dtype != dtype else y, n, dtype, rank)


def integer_matrix(g, rng, rows_of=1):
    n, k = (int(v) for v in rng.choice(LENGTHS, 2))
    trits = weights.random_trits(rng, n, k)
    zero = int(rng.choice([0, 1, 128])) if rng.random() < 0.4 else 0
    code_dtype = np.uint8 if zero else np.int8
    g.notes.append(f"integer {n}x{k} zero {zero}")
    return (trits.astype(np.int32) + zero).astype(code_dtype).T.copy(), code_dtype(zero)


def matmul_integer(g, rng, dtype):
    matrix, zero = integer_matrix(g, rng)
    k, n = matrix.shape
    x, rank = random_input(g, rng, np.float32, k)
    if rng.random() < 0.3:
        codes, step, point = g.node("DynamicQuantizeLinear", x, outputs=3)
        y = g.cast(g.node("MatMulInteger", codes, matrix, point, zero), np.float32)
        y = g.swap("Mul", y, g.swap("Mul", step, weight_scale(g, rng, n, np.float32)))
        g.notes.append("dynamic")
        return finish(g, rng, y, n, np.float32, rank)
    codes = activations.quantize(g, x, np.float32)
    inputs = [g.cast(codes.value, np.int8), matrix]
    if zero or rng.random() < 0.3:
        inputs += [np.int8(0), zero]
    y = g.cast(g.node("MatMulInteger", *inputs), np.float32)
    finish(g, rng, rescale(g, rng, y, codes, n, np.float32), n, np.float32, rank)


def qlinear_matmul(g, rng, dtype):
    """QuantizeLinear, QLinearMatMul, DequantizeLinear."""
    matrix, zero = integer_matrix(g, rng)
    k, n = matrix.shape
    x, rank = random_input(g, rng, np.float32, k)
    # onnxruntime has no int8 times uint8.
    code_dtype = np.uint8 if matrix.dtype == np.uint8 or rng.random() < 0.5 else np.int8
    low, high = np.iinfo(code_dtype).min, np.iinfo(code_dtype).max
    xs, xz = np.float32(rng.uniform(0.01, 0.1)), code_dtype(rng.integers(low, high))
    ws = np.float32(rng.uniform(0.02, 0.2))
    ys, yz = np.float32(rng.uniform(0.01, 0.2)), code_dtype(rng.integers(low, high))
    codes = g.node("QuantizeLinear", x, xs, xz)
    y = g.node("QLinearMatMul", codes, xs, xz, matrix, ws, zero, ys, yz)
    g.output(g.node("DequantizeLinear", y, ys, yz), np.float32, rank)


def matmul_nbits(g, rng, dtype):
    bits = int(rng.choice([2, 4, 8], p=[0.6, 0.3, 0.1]))
    block = int(rng.choice([16, 32, 64, 128]))
    n, k = (int(v) for v in rng.choice([v for v in LENGTHS if v > 3], 2))
    trits = weights.random_trits(rng, n, k)
    x, rank = random_input(g, rng, np.float32, k)
    value = x
    if rng.random() < 0.6:
        value = activations.dequantize(g, activations.quantize(g, x, np.float32))
    operands = weights.nbits_operands(rng, trits, bits, block, np.float32)
    y = g.node("MatMulNBits", value, *operands, domain="com.microsoft",
               K=k, N=n, bits=bits, block_size=block)  # fmt: skip
    g.notes.append(f"nbits {bits} block {block} {n}x{k}")
    finish(g, rng, y, n, np.float32, rank)


KINDS = {  # how often, and in which types
    "on_floats": (on_floats, 1, True),
    "fake_quantized": (fake_quantized, 4, True),
    "on_codes": (on_codes, 4, True),
    "matmul_integer": (matmul_integer, 2, False),
    "qlinear_matmul": (qlinear_matmul, 1, False),
    "matmul_nbits": (matmul_nbits, 1.5, False),
}


def build(opset, seed, prefix):
    """A random layer, as a graph."""
    rng = np.random.default_rng([1, opset, seed])
    g = Graph(rng, opset, prefix)
    names = list(KINDS)
    odds = np.array([KINDS[name][1] for name in names])
    name = str(rng.choice(names, p=odds / odds.sum()))
    emit, _, any_dtype = KINDS[name]
    kinds = ["f32", "f16", "bf16"]
    kind = str(rng.choice(kinds, p=[0.7, 0.15, 0.15])) if any_dtype else "f32"
    g.notes += [name, kind]
    g.short = None if kind == "f32" else kind
    emit(g, rng, DTYPES[kind])
    if rng.random() < 0.08:
        wrap_in_function(g)
        g.notes.append("function")
    return g
