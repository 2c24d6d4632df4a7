"""Building ONNX graphs whose names, order and spelling are random."""

import ml_dtypes
import numpy as np
import onnx
from onnx import helper, numpy_helper

# The first IR version that each operator set may come with.
IR_VERSIONS = {13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10,
               23: 11, 24: 12, 25: 13, 26: 13, 27: 13, 28: 14}  # fmt: skip
OPSETS = range(13, 26)
ALL_OPSETS = range(13, 29)
DTYPES = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}


def element_type(dtype):
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


class Graph:
    """A graph in the making: nodes and constants under random names.

    `feeds` are its inputs' arrays, one dictionary a run. What is random about
    how a graph is written (not about what it computes) is drawn from `rng` too.
    """

    def __init__(self, rng, opset, prefix):
        self.rng = rng
        self.opset = opset
        self.prefix = prefix
        self.nodes, self.initializers, self.functions = [], [], []
        self.inputs, self.outputs = [], []
        self.feeds = []
        self.notes = []
        self.short = None  # "f16" or "bf16" where values of that type are met
        self.may_flip = False  # see runner.compare
        self._count = 0

    def name(self, hint="v"):
        self._count += 1
        stem = str(self.rng.choice([hint, "/m/" + hint, "a.b", "123", "é", "x y"]))
        return f"{self.prefix}{stem}_{self._count}"

    def node(self, op, *inputs, outputs=1, domain="", **attrs):
        """Adds a node; returns its output's name, or a list of several."""
        names = [self.name(op.lower()) for _ in range(outputs)]
        inputs = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        self.nodes.append(
            helper.make_node(op, inputs, names, domain=domain, name=self.name("n"), **attrs)
        )
        return names[0] if outputs == 1 else names

    def constant(self, value):
        """An initializer, or a Constant node."""
        tensor = numpy_helper.from_array(np.asarray(value), self.name("c"))
        if self.rng.random() < 0.7:
            self.initializers.append(tensor)
        else:
            self.nodes.append(helper.make_node("Constant", [], [tensor.name], value=tensor))
        return tensor.name

    def input(self, dtype, shape, hint="x"):
        """A graph input; strings and None in `shape` are dynamic sizes."""
        name = self.name(hint)
        self.inputs.append(helper.make_tensor_value_info(name, element_type(dtype), shape))
        return name

    def output(self, value, dtype, rank=None):
        name = self.name("y")
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        shape = None if rank is None else [None] * rank
        self.outputs.append(helper.make_tensor_value_info(name, element_type(dtype), shape))
        return name

    def rename(self, old, new):
        """Calls the value `old` `new` wherever it was met; returns `new`."""
        for node in self.nodes:
            node.input[:] = [new if n == old else n for n in node.input]
            node.output[:] = [new if n == old else n for n in node.output]
        return new

    # What is spelled differently from version to version, or at will.

    def reduce(self, op, x, axes, keepdims=1):
        first_with_input = 13 if op == "ReduceSum" else 18
        if self.opset >= first_with_input:
            return self.node(op, x, np.array(axes, np.int64), keepdims=keepdims)
        return self.node(op, x, axes=list(axes), keepdims=keepdims)

    def swap(self, op, a, b, **attrs):
        """A node that commutes, its operands in either order."""
        if self.rng.random() < 0.5:
            a, b = b, a
        return self.node(op, a, b, **attrs)

    def cast(self, x, dtype):
        return self.node("Cast", x, to=element_type(dtype))

    def scalar(self, value, dtype):
        shape = [(), (1,)][int(self.rng.integers(2))]
        return np.full(shape, value, dtype)

    def noise(self, x, dtype):
        """`x`, sometimes behind a node that leaves it as it is."""
        kind = self.rng.random()
        if kind < 0.05:
            return self.node("Identity", x)
        if kind < 0.1:
            return self.cast(x, dtype)
        if kind < 0.15:
            return self.swap("Mul", x, np.ones((), dtype))
        return x


def in_random_order(nodes, rng):
    """A random topological order of `nodes`."""
    producer = {name: i for i, node in enumerate(nodes) for name in node.output if name}
    users = {i: [] for i in range(len(nodes))}
    missing = [0] * len(nodes)
    for i, node in enumerate(nodes):
        for source in {producer[name] for name in node.input if name in producer}:
            users[source].append(i)
            missing[i] += 1
    ready = [i for i, count in enumerate(missing) if count == 0]
    order = []
    while ready:
        i = ready.pop(int(rng.integers(len(ready))))
        order.append(nodes[i])
        for user in users[i]:
            missing[user] -= 1
            if missing[user] == 0:
                ready.append(user)
    return order


def wrap_in_function(graph, domain="difftest.local"):
    """Moves the nodes of `graph` into a local function that one node calls.

    The function cannot hold initializers, so it takes them as inputs.
    """
    inputs = [i.name for i in graph.inputs] + [t.name for t in graph.initializers]
    outputs = [o.name for o in graph.outputs]
    name = graph.prefix + "Body"
    opsets = [helper.make_opsetid("", graph.opset)]
    if any(node.domain == "com.microsoft" for node in graph.nodes):
        opsets.append(helper.make_opsetid("com.microsoft", 1))
    formals = [f"f{i}" for i in range(len(inputs))]
    results = [f"r{i}" for i in range(len(outputs))]
    rename = dict(zip(inputs + outputs, formals + results))
    for node in graph.nodes:
        node.input[:] = [rename.get(n, n) for n in node.input]
        node.output[:] = [rename.get(n, n) for n in node.output]
    graph.functions.append(
        helper.make_function(domain, name, formals, results, graph.nodes, opsets)
    )
    graph.nodes = [helper.make_node(name, inputs, outputs, domain=domain)]


def make_model(graphs, rng):
    """One model of several independent graphs of the same operator set."""
    opset = graphs[0].opset
    functions = [f for graph in graphs for f in graph.functions]
    nodes = [node for graph in graphs for node in graph.nodes]
    domains = {node.domain for node in nodes} | {
        opset.domain for function in functions for opset in function.opset_import
    }
    graph = helper.make_graph(
        in_random_order(nodes, rng),
        "difftest",
        [i for g in graphs for i in g.inputs],
        [o for g in graphs for o in g.outputs],
        [t for g in graphs for t in g.initializers],
    )
    imports = [helper.make_opsetid(d, 1 if d else opset) for d in sorted(domains | {""})]
    return helper.make_model(graph, opset_imports=imports, functions=functions,
                             ir_version=max(IR_VERSIONS[opset], 8 if functions else 0))  # fmt: skip


def save(model, path, external):
    """Writes `model`, its tensors into a file beside it where `external`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if external:
        onnx.save(model, path, save_as_external_data=True, size_threshold=0,
                  location=path.name + ".data")  # fmt: skip
        onnx.load_external_data_for_model(model, str(path.parent))
    else:
        onnx.save(model, path)
