"""make FOLDER: writes one model for each form of KV cache, FORM.onnx. check
MODEL [TYPE]: compares the logits of run_step.c on standard input with
onnxruntime's, which reads the whole sequence at once, and whose keys and values
are rounded, by nodes, to what a cache of TYPE holds: f16 or i8."""

import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

# As run_step.c is called: each number is a token, each list a call.
# The last one has blocks of queries side by side, and more keys than a tile.
MANY = [(7 * i + 3) % 16 for i in range(70)]
CALLS = [[3, 1, 4], [1], [5, 9, 2, 6], [5], [3, 5], MANY]
VOCAB, HIDDEN, HEADS, KV_HEADS, SIZE, CONTEXT = 16, 64, 4, 2, 16, 96
I32, I64, F32 = TensorProto.INT32, TensorProto.INT64, TensorProto.FLOAT
CACHE = ["batch", KV_HEADS, "past", SIZE]
BUFFER = ["batch", KV_HEADS, CONTEXT, SIZE]


class Builder:
    """One layer of attention between an embedding and a head."""

    def __init__(self):
        self.nodes, self.inputs, self.outputs, self.constants = [], [], [], []
        self.random = np.random.default_rng(11)
        self.input("tokens", I64, ["batch", "sequence"])
        self.weight("table", [VOCAB, HIDDEN])
        self.node("Gather", ["table", "tokens"], ["x"])

    def input(self, name, kind, shape):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))

    def cache(self, name, shape):
        self.input(f"past_{name}", F32, shape)
        self.outputs.append(helper.make_tensor_value_info(
            f"present_{name}", F32, shape[:2] + ["total"] + shape[3:]))

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(value, name))

    def weight(self, name, shape):
        # Multiples of 2^-7 make sums of products exact in f32, in any order, so
        # that keys and values have one rounding.
        value = self.random.normal(0, 0.3, shape)
        self.constant(name, (np.round(value * 128) / 128).astype(np.float32))

    def node(self, kind, inputs, outputs, domain="", **attributes):
        self.nodes.append(helper.make_node(kind, inputs, outputs, domain=domain, **attributes))

    def project(self, name, columns):
        self.weight(f"w_{name}", [HIDDEN, columns])
        self.node("MatMul", ["x", f"w_{name}"], [name])

    def angles(self):
        angles = np.outer(np.arange(4096), 1 / 10000 ** (np.arange(SIZE // 2) / (SIZE // 2)))
        # Multiples of 2^-5 keep rotated keys exact too.
        for name, table in (("cos", np.cos(angles)), ("sin", np.sin(angles))):
            self.constant(name, (np.round(table * 32) / 32).astype(np.float32))

    def split_heads(self, name, heads):
        """[batch, sequence, heads * SIZE] with its heads first."""
        self.constant(f"shape_{name}", np.array([0, 0, heads, SIZE]))
        self.node("Reshape", [name, f"shape_{name}"], [f"{name}_split"])
        self.node("Transpose", [f"{name}_split"], [f"{name}_heads"], perm=[0, 2, 1, 3])

    def save(self, path, opset):
        self.weight("head", [HIDDEN, VOCAB])
        self.node("Add", ["x", "y"], ["h"])
        self.node("MatMul", ["h", "head"], ["logits"])
        self.outputs.append(
            helper.make_tensor_value_info("logits", F32, ["batch", "sequence", VOCAB]))
        graph = helper.make_graph(self.nodes, "form", self.inputs, self.outputs, self.constants)
        onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[
            helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]), path)


def lengths(b, from_mask):
    """The lengths that GroupQueryAttention takes: arguments, or computed."""
    if not from_mask:
        b.input("last", I32, ["batch"])
        b.input("all", I32, [])
        return
    b.input("attention_mask", I64, ["batch", "sequence"])
    b.constant("axis", np.array([1]))
    b.constant("one", np.array(1))
    b.node("ReduceSum", ["attention_mask", "axis"], ["sum"], keepdims=0)
    b.node("Sub", ["sum", "one"], ["less"])
    b.node("Cast", ["less"], ["last"], to=I32)
    b.node("Shape", ["attention_mask"], ["shape"], start=1, end=2)
    b.node("Squeeze", ["shape"], ["length"])
    b.node("Cast", ["length"], ["all"], to=I32)


def group_query(packed, cached=True, sinks=False, from_mask=False, **attributes):
    """GroupQueryAttention, with a past or without, which then is derived."""
    b = Builder()
    lengths(b, from_mask)
    b.angles()
    if packed:
        b.project("q", HIDDEN + 2 * KV_HEADS * SIZE)
    else:
        for name, heads in (("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS)):
            b.project(name, heads * SIZE)
    past, present = ["", ""], []
    if cached:
        past, present = ["past_key", "past_value"], ["present_key", "present_value"]
        for name in ("key", "value"):
            b.cache(name, CACHE)
    inputs = ["q"] + ([""] * 2 if packed else ["k", "v"]) + past + ["last", "all", "cos", "sin"]
    if sinks:
        b.constant("sinks", np.array([2, -1, 3, 0.5], np.float32))
        inputs += ["", "", "sinks"]
    b.node("GroupQueryAttention", inputs, ["y"] + present, "com.microsoft", num_heads=HEADS,
           kv_num_heads=KV_HEADS, do_rotary=1, **attributes)
    return b, 21


def attention(mask, cached=True):
    """Attention with a past, which hides the future by itself or by a mask, or
    without, which then is derived. The values enter before the keys."""
    b = Builder()
    for name, heads in (("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS)):
        b.project(name, heads * SIZE)
    if mask:
        b.input("cache_position", I64, ["sequence"])
        b.input("attention_mask", I64, ["batch", "total"])
        b.node("Shape", ["attention_mask"], ["length"], start=1, end=2)
        b.constant("zero", np.array(0))
        b.constant("one", np.array(1))
        b.constant("last", np.array([1]))
        b.node("Squeeze", ["length"], ["stop"])
        b.node("Range", ["zero", "stop", "one"], ["keys"])
        b.node("Unsqueeze", ["cache_position", "last"], ["queries"])
        b.node("LessOrEqual", ["keys", "queries"], ["mask"])
    inputs, outputs = ["q", "k", "v", "mask" if mask else ""], ["y"]
    if cached:
        for name in ("value", "key"):
            b.cache(name, CACHE)
        inputs += ["past_key", "past_value"]
        outputs += ["present_key", "present_value"]
    b.node("Attention", inputs, outputs, q_num_heads=HEADS, kv_num_heads=KV_HEADS,
           is_causal=0 if mask else 1)
    return b, 23


def scatter(fixed):
    """TensorScatter into a cache of a fixed or an open length."""
    b = Builder()
    b.input("write_indices", I64, ["batch"])
    b.input("valid", I64, ["batch"])
    for name, heads in (("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS)):
        b.project(name, heads * SIZE)
        b.split_heads(name, heads)
    shape = BUFFER if fixed else ["batch", KV_HEADS, "room", SIZE]
    for name, source in (("key", "k_heads"), ("value", "v_heads")):
        b.cache(name, shape)
        b.node("TensorScatter", [f"past_{name}", source, "write_indices"],
               [f"present_{name}"], axis=2)
    b.node("Attention", ["q_heads", "present_key", "present_value", "", "", "", "valid"],
           ["y_heads"], is_causal=1)
    b.node("Transpose", ["y_heads"], ["y_split"], perm=[0, 2, 1, 3])
    b.constant("joined", np.array([0, 0, HIDDEN]))
    b.node("Reshape", ["y_split", "joined"], ["y"])
    return b, 24


FORMS = {
    "gqa_packed": lambda: group_query(True, local_window_size=3),
    "gqa_apart": lambda: group_query(False, softcap=2.0, scale=0.5, rotary_interleaved=1),
    "gqa_sinks": lambda: group_query(False, sinks=True),
    "gqa_smooth": lambda: group_query(True, smooth_softmax=1),
    "gqa_derived_packed": lambda: group_query(True, cached=False),
    "gqa_derived_apart": lambda: group_query(
        False, cached=False, sinks=True, from_mask=True, local_window_size=3),
    "attention_causal": lambda: attention(False),
    "attention_masked": lambda: attention(True),
    "attention_derived": lambda: attention(False, cached=False),
    "scatter_fixed": lambda: scatter(True),
    "scatter_open": lambda: scatter(False),
}


def feed(value, tokens):
    """What the whole sequence, in one call, needs for an input."""
    count = len(tokens)
    lengths = {"last": np.array([count - 1], np.int32), "all": np.array(count, np.int32),
               "cache_position": np.arange(count),
               "attention_mask": np.ones((1, count), np.int64),
               "tokens": np.array([tokens]), "write_indices": np.array([0]),
               "valid": np.array([count])}
    if value.name in lengths:
        return lengths[value.name]
    room = CONTEXT if value.shape[2] in (CONTEXT, "room") else 0
    return np.zeros([1, KV_HEADS, room, SIZE], np.float32)


def round_to(kind, b, name):
    """Adds nodes that round the tensor `name`, [batch, sequence, KV_HEADS * SIZE],
    to what a cache of this kind holds; returns the result's name."""
    if kind == "f16":
        b.node("Cast", [name], [f"{name}_short"], to=TensorProto.FLOAT16)
        b.node("Cast", [f"{name}_short"], [f"{name}_rounded"], to=F32)
        return f"{name}_rounded"
    b.constant(f"{name}_split", np.array([0, 0, KV_HEADS, SIZE]))
    b.constant(f"{name}_joined", np.array([0, 0, KV_HEADS * SIZE]))
    b.constant(f"{name}_axis", np.array([3]))
    # Steps have 8 bits, as bf16 has, rounded up: a multiple of 2^-7 of the power of
    # two below them.
    for constant, value in (("most", 127), ("ln2", np.log(2)), ("bits", 7), ("two", 2)):
        b.constant(f"{name}_{constant}", np.array(value, np.float32))
    for kind, inputs, output in (
        ("Reshape", ["", "split"], "rows"), ("Abs", ["rows"], "sizes"),
        ("ReduceMax", ["sizes", "axis"], "absmax"), ("Div", ["absmax", "most"], "least"),
        ("Log", ["least"], "log"), ("Div", ["log", "ln2"], "log2"), ("Floor", ["log2"], "power"),
        ("Sub", ["power", "bits"], "lowest"), ("Pow", ["two", "lowest"], "unit"),
        ("Div", ["least", "unit"], "units"), ("Ceil", ["units"], "whole"),
        ("Mul", ["whole", "unit"], "step"),
        ("Div", ["rows", "step"], "steps"), ("Round", ["steps"], "codes"),
        ("Mul", ["codes", "step"], "coded"), ("Reshape", ["coded", "joined"], "rounded"),
    ):
        b.node(kind, [f"{name}_{i}" if i else name for i in inputs], [f"{name}_{output}"])
    return f"{name}_rounded"


def rotate_before(b, node):
    """Adds nodes that split and rotate what a GroupQueryAttention, which then does
    neither, reads: a cache holds keys that are rotated."""
    options = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if not node.input[1]:
        widths = [HEADS * SIZE, KV_HEADS * SIZE, KV_HEADS * SIZE]
        b.constant("widths", np.array(widths))
        b.node("Split", [node.input[0], "widths"], ["own_q", "own_k", "own_v"], axis=2)
        node.input[0], node.input[1], node.input[2] = "own_q", "own_k", "own_v"
    tables = list(node.input[7:9])
    b.constant("start", np.array([0]))
    for index, heads in enumerate((HEADS, KV_HEADS)):
        rotated = f"{node.input[index]}_rotated"
        b.node("RotaryEmbedding", [node.input[index], "start", *tables], [rotated],
               "com.microsoft", num_heads=heads, interleaved=options.get("rotary_interleaved", 0))
        node.input[index], node.input[7 + index] = rotated, ""
    del node.attribute[:]
    node.attribute.extend(helper.make_attribute(name, value)
                          for name, value in {**options, "do_rotary": 0}.items())


def round_cache(model, kind):
    """Rounds the keys and values that attention reads."""
    b = Builder()
    b.nodes, b.constants = [], []
    for node in model.graph.node:
        if node.op_type == "GroupQueryAttention":
            rotate_before(b, node)
        if node.op_type in ("Attention", "GroupQueryAttention"):
            for index in (1, 2):
                node.input[index] = round_to(kind, b, node.input[index])
        b.nodes.append(node)
    nodes = list(b.nodes)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(b.constants)


def check(path, kind=None):
    model = onnx.load(path)
    if kind:
        round_cache(model, kind)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    expected, tokens = [], []
    for call in CALLS:
        tokens += call
        feeds = {value.name: feed(value, tokens) for value in session.get_inputs()}
        expected.append(session.run(["logits"], feeds)[0][0, -min(2, len(call)):])
    expected = np.concatenate(expected)
    found = np.loadtxt(sys.stdin, ndmin=2)
    right = found.shape == expected.shape and np.abs(found - expected).max() < 1e-5
    print(f"step: {len(expected)} rows of logits, {'right' if right else 'wrong'}")


def main():
    if sys.argv[1] == "check":
        check(*sys.argv[2:])
        return
    for name, make in FORMS.items():
        builder, opset = make()
        builder.save(f"{sys.argv[2]}/{name}.onnx", opset)


if __name__ == "__main__":
    main()
