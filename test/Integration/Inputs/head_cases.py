"""Compares the logits of a screened head with those of NumPy, bit for bit.

The models have no layers: a token's hidden state is its row of the embedding,
so a test chooses it freely. What is expected is summed in the order that
`ternary.head` documents. Prints one line a suite and variant: "<suite> <variant>:
<states> states, 0 wrong, screened", the last word where the screen left out most
rows of ordinary states.
"""

import argparse
import ctypes
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from compiled import compile_model
from onnx import TensorProto, helper, numpy_helper

from ternc import abi

_BODY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_PARALLEL = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_int64, _BODY, ctypes.c_void_p
)
_FAIL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
_FETCH = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64
)
_ALLOCATE = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
_TRIM = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_ANNOUNCE = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64
)
_RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
_STEP = ctypes.CFUNCTYPE(
    None,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.c_void_p,
)


class Host(ctypes.Structure):
    _fields_ = [
        ("self", ctypes.c_void_p),
        ("parallel_for", _PARALLEL),
        ("fail", _FAIL),
        ("fetch", _FETCH),
        ("allocate", _ALLOCATE),
        ("release", _RELEASE),
        ("trim", _TRIM),
        ("announce", _ANNOUNCE),
    ]


class Variant(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("features", ctypes.c_uint64),
        ("run", ctypes.c_void_p),
        ("step", _STEP),
        ("kernels", ctypes.c_void_p),
    ]


@_PARALLEL
def _run_in_parts(_, count, body, context):
    """Three ranges, the last one first."""
    cuts = [0, count // 3, count // 2, count]
    for begin, end in reversed(list(zip(cuts, cuts[1:]))):
        if begin < end:
            body(context, begin, end)


@_FAIL
def _fail(_, message):
    # There is nowhere to return to.
    print("the model failed:", message.decode(), flush=True)
    ctypes.CDLL(None)._exit(1)


@_FETCH
def _fetch(_, constant, target, size):
    ctypes.memmove(target, constant, size)


_LIBC = ctypes.CDLL(None)
_LIBC.aligned_alloc.restype = ctypes.c_void_p
_LIBC.aligned_alloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
_LIBC.free.argtypes = [ctypes.c_void_p]


@_ALLOCATE
def _allocate(_, size):
    return _LIBC.aligned_alloc(64, (size // 64 + 1) * 64)


@_RELEASE
def _release(_, address, size):
    _LIBC.free(address)


_trims = []


@_TRIM
def _trim(_):
    _trims.append(1)


_announced = []


@_ANNOUNCE
def _announce(_, constant, size, streams):
    # All of it is there.
    _announced.append((len(ctypes.string_at(constant, size)), streams))


_HOST = Host(
    None, _run_in_parts, _fail, _fetch, _allocate, _release, _trim, _announce
)


# --- Models ---------------------------------------------------------------------------


def write_model(path, states, rows, rounds):
    """Token ids to logits: states[id] by the rows; in bf16 if it `rounds`.

    Constants have to be finite: what is not comes of a division by zero.
    """
    # A language model's table has a row for each logit.
    states = np.pad(states, ((0, len(rows) - len(states)), (0, 0)))
    finite = np.isfinite(states)
    one = states.dtype.type(1)
    signs = np.where(np.isnan(states), 0 * one, np.copysign(one, states))
    dividends = np.where(finite, states, signs)
    divisors = finite.astype(states.dtype)
    kind = TensorProto.BFLOAT16 if rounds else TensorProto.FLOAT
    head = ["rows"]
    nodes = []
    if rows.dtype != np.float32 and not rounds:
        nodes.append(helper.make_node("Cast", head, ["wide"], to=TensorProto.FLOAT))
        head = ["wide"]
    nodes += [
        helper.make_node("Gather", ["dividends", "input_ids"], ["dividend"]),
        helper.make_node("Gather", ["divisors", "input_ids"], ["divisor"]),
        helper.make_node("Div", ["dividend", "divisor"], ["hidden"]),
        helper.make_node("Transpose", head, ["columns"], perm=[1, 0]),
        helper.make_node("MatMul", ["hidden", "columns"], ["logits"]),
    ]
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["b", "s"])
    logits = helper.make_tensor_value_info("logits", kind, ["b", "s", len(rows)])
    graph = helper.make_graph(
        nodes,
        "head",
        [ids],
        [logits],
        [
            numpy_helper.from_array(dividends.astype(states.dtype), "dividends"),
            numpy_helper.from_array(divisors, "divisors"),
            numpy_helper.from_array(rows, "rows"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    onnx.save(model, path)


class Library:
    """The variants of a compiled model that this CPU runs."""

    def __init__(self, path, vocab):
        self.library = abi.load(str(path))
        self.vocab = vocab
        self.model = self.library.tern_get_model().contents
        array = ctypes.cast(self.model.variants, ctypes.POINTER(Variant))
        self.variants = [array[i] for i in range(self.model.num_variants)]

    def step(self, variant, token, best, count=1):
        """The logits after `count` times the token."""
        ids = (ctypes.c_int64 * count)(*[token] * count)
        logits = np.full(self.vocab, np.nan, np.float32)
        _trims.clear()
        _announced.clear()
        variant.step(
            ctypes.addressof(_HOST), ctypes.addressof(ids), count, 0, None, 1, best,
            logits.ctypes.data,
        )  # fmt: skip
        # One token's memory is needed again.
        if len(_trims) != (count > 1):
            raise SystemExit(f"found {len(_trims)} trims before the head for {count} tokens")
        # These models have no other constant that is read in streams.
        streams = 2 if variant.name.startswith((b"avx512", b"amx", b"zen4")) else 1
        if [parts for _, parts in _announced] != [streams]:
            raise SystemExit(
                f"found announcements {_announced}; expected one, of the screen in "
                f"{streams} streams"
            )
        return logits


# --- What is expected -----------------------------------------------------------------


def compute_logits(state, rows):
    """In the order of ternary.head: products, 64 sums, pairs, the rest."""
    products = rows * state
    whole = products.shape[1] // 64 * 64
    sums = np.zeros((len(rows), 64), np.float32)
    for first in range(0, whole, 64):
        sums += products[:, first : first + 64]
    quarters = [sums[:, first : first + 16] for first in range(0, 64, 16)]
    sums = (quarters[0] + quarters[1]) + (quarters[2] + quarters[3])
    while sums.shape[1] > 1:
        half = sums.shape[1] // 2
        sums = sums[:, :half] + sums[:, half:]
    result = sums[:, 0]
    for column in range(whole, products.shape[1]):
        result = result + products[:, column]
    return result


def are_same(found, expected):
    """Element by element; all NaN are one."""
    both = np.isnan(found) & np.isnan(expected)
    return both | (found.view(np.uint32) == expected.view(np.uint32))


def count_wrong(found, expected, best):
    """Logits that are neither the expected nor left out by right."""
    if best == 0 or best >= len(expected) or np.isnan(expected).any():
        return np.count_nonzero(~are_same(found, expected))
    least = np.sort(expected)[-best]
    is_left_out = np.isneginf(found) & (expected < least)
    return np.count_nonzero(~(are_same(found, expected) | is_left_out))


# --- Suites ---------------------------------------------------------------------------


def make_rows(rng, count, size):
    """Rows that are alike, far apart in length, zero, or next to each other."""
    rows = rng.standard_normal((count, size)).astype(np.float32)
    rows[10:40] = rows[9]  # equal
    for row in range(40, 70):  # near ties: one weight is an ulp or some away
        rows[row] = rows[9]
        column = row % size
        rows[row, column] = np.nextafter(rows[row, column], np.float32(row % 2 * 99))
    rows[70:75] = 0
    rows[75:80] *= np.float32(1e-30)
    rows[80:85] *= np.float32(1e-41)
    rows[85:90] *= np.float32(1e3)
    rows[90:95] *= np.float32(1e-3)
    rows[95] = 0
    rows[95, 0] = 1  # all codes but one are zero
    return rows


def make_states(rng, count, rows):
    """Ordinary states first, then hostile ones; returns how many are ordinary."""
    size = rows.shape[1]
    ordinary = rng.standard_normal((count, size)).astype(np.float32)
    # Most states of a model speak for a token.
    chosen = rng.integers(100, len(rows), count // 2)
    ordinary[: count // 2] = ordinary[: count // 2] * 0.5 + rows[chosen]
    hostile = [rows[9], -rows[9], rows[9] * 1e-3, rows[70], rows[95], -rows[95]]
    for scale in (1e-45, 1e-38, 1e-25, 1e-19, 1e-17, 1e10, 1e17, 1e19, 1e30, 1e38):
        hostile.append(rows[100] * scale)
    for value in (np.nan, np.inf, -np.inf, 1e20, 3e38):
        hostile.append(rows[101].copy())
        hostile[-1][3] = value
    spike = rows[102] * 1e-6
    spike[5] = 100
    hostile.append(spike)
    with np.errstate(all="ignore"):
        return np.concatenate([ordinary, np.asarray(hostile, np.float32)]), count


def narrow(array, dtype):
    with np.errstate(all="ignore"):
        return array.astype(dtype)


def synthetic(seed, rows, size, states, dtype):
    rng = np.random.default_rng(seed)
    matrix = make_rows(rng, rows, size)
    hidden, ordinary = make_states(rng, states, matrix)
    return hidden, narrow(matrix, dtype), ordinary


def story(folder):
    """The hidden states that the story model has in its reference texts, and its head."""
    import json

    from safetensors.numpy import load_file

    tensors = load_file(folder / "model.safetensors")
    rows = tensors["model.embed_tokens.weight"]
    texts = json.loads((folder / "reference.json").read_text())["generations"]
    states = collect_states(folder, [one["output_ids"] for one in texts.values()])
    return states, rows.astype(ml_dtypes.bfloat16), len(states)


def collect_states(folder, sequences):
    """What enters the head, by onnxruntime."""
    import onnxruntime

    from ternc.export import export

    path = Path("story-states.onnx")
    export(folder, path)
    model = onnx.load(path)
    head = next(node for node in model.graph.node if "logits" in node.output)
    model.graph.output.append(
        helper.make_tensor_value_info(head.input[0], TensorProto.FLOAT, None)
    )
    onnx.save(model, path)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    )
    session = onnxruntime.InferenceSession(str(path), options)
    found = []
    for ids in sequences:
        feeds = {
            "input_ids": np.asarray([ids], np.int64),
            "attention_mask": np.ones((1, len(ids)), np.int64),
            "position_ids": np.arange(len(ids), dtype=np.int64)[None],
        }
        for value in session.get_inputs():
            if value.name.startswith("past"):
                _, heads, _, width = value.shape
                feeds[value.name] = np.zeros((1, heads, 0, width), np.float32)
        found.append(session.run([head.input[0]], feeds)[0][0])
    return np.concatenate(found)


def run_suite(name, suite, rounds, options):
    states, rows, ordinary = suite
    if rounds:
        states = narrow(states, ml_dtypes.bfloat16)
    write_model(f"{name}.onnx", states, rows, rounds)
    compile_model(f"{name}.onnx", f"{name}.so", "--emit=lib", "--head=screened", *options)
    library = Library(Path(f"{name}.so").resolve(), len(rows))
    features = run_features()
    wide_rows = rows.astype(np.float32)
    expected = []
    for state in states.astype(np.float32):
        with np.errstate(all="ignore"):
            logits = compute_logits(state, wide_rows)
            if rounds:
                logits = logits.astype(ml_dtypes.bfloat16).astype(np.float32)
        expected.append(logits)
    for variant in library.variants:
        if variant.name.decode() not in features:
            continue
        wrong, kept = 0, []
        for token, logits in enumerate(expected):
            for best in (0, 1, 5, 40, len(rows)):
                found = library.step(variant, token, best)
                wrong += count_wrong(found, logits, best)
                if best == 1 and token < ordinary:
                    kept.append(np.count_nonzero(np.isfinite(found)))
        wrong += count_wrong(library.step(variant, 0, 1, count=2), expected[0], 1)
        is_screened = kept and np.mean(kept) < len(rows) / 8
        print(
            f"{name} {variant.name.decode()}: {len(states)} states, {wrong} wrong,"
            f" {'screened' if is_screened else 'all rows'}"
        )


def run_features():
    """The variants that this CPU runs."""
    flags = next(
        line.split() for line in open("/proc/cpuinfo") if line.startswith("flags")
    )
    avx2 = {"avx2", "fma", "f16c", "bmi1", "bmi2"} <= set(flags)
    avx512 = avx2 and {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= set(flags)
    names = {
        "generic": True,
        "portable": True,
        "avx2": avx2,
        "avxvnni": avx2 and "avx_vnni" in flags,
        "avx512vnni": avx512 and "avx512_vnni" in flags,
        "avx512vbmi": avx512 and {"avx512_vnni", "avx512vbmi"} <= set(flags),
        "amx": avx512 and {"avx512_vnni", "gfni", "amx_int8", "amx_tile"} <= set(flags),
    }
    return [name for name, runs in names.items() if runs]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="+")
    parser.add_argument("--story", type=Path)
    parser.add_argument("--portable", action="store_true")
    args = parser.parse_args()
    options = ["--lowering=portable", "--cpu=native"] if args.portable else []
    bf16 = ml_dtypes.bfloat16
    suites = {
        # More than 1 MiB each: a smaller matrix is transposed when it is compiled.
        # Sizes that are no multiples of anything, and columns behind the last 64.
        "odd": lambda: (synthetic(1, 2603, 109, 1000, np.float32), False),
        "halves": lambda: (synthetic(2, 4224, 64, 200, np.float16), False),
        "rounded": lambda: (synthetic(3, 3312, 160, 300, bf16), True),
        "story": lambda: (story(args.story), False),
    }
    for name in args.suites:
        suite, rounds = suites[name]()
        run_suite(name, suite, rounds, options)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
