"""Runs ONNX graphs through the conversion to linalg and compares the results.

A case is a small ONNX graph with one or more feeds. It is written as text of
the onnx dialect twice: with the static sizes of its first feed, and with every
size dynamic. Both are lowered with upstream passes, compiled by clang and
called through ctypes; the expected values come from onnx's reference
evaluator, from onnxruntime without graph optimisation, or are given.
"""

import ctypes
import os
import subprocess
import sys
import tempfile

import ml_dtypes
import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

PIPELINE = (
    "builtin.module(canonicalize,cse,"
    "one-shot-bufferize{bufferize-function-boundaries=1 "
    "function-boundary-type-conversion=identity-layout-map},"
    "func.func(convert-linalg-to-loops),expand-strided-metadata,lower-affine,"
    "func.func(arith-expand),convert-scf-to-cf,convert-math-to-llvm,"
    "convert-math-to-libm,func.func(llvm-request-c-wrappers),convert-to-llvm,"
    "reconcile-unrealized-casts)"
)

ELEMENT_TYPES = {
    "float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16",
    "bool": "i1", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "ui8", "uint16": "ui16", "uint32": "ui32", "uint64": "ui64",
}


def node(op, inputs, outputs, domain="", **attrs):
    """An ONNX node; an empty name is an omitted input or output."""
    return helper.make_node(op, inputs, outputs, domain=domain, **attrs)


class Case:
    """A graph, its constants and what it is fed.

    `feeds` is a list of {name: array}, all of the same ranks and types.
    `oracle` is "reference", "onnxruntime", or a function from a feed to the
    list of expected arrays. `fails` is part of the message with which the
    program is expected to end.
    """

    def __init__(self, name, nodes, feeds, outputs=("y",), constants=None,
                 opset=20, oracle="reference", rtol=1e-5, atol=1e-6,
                 dims=None, fails=None):
        self.name = name
        self.nodes = nodes if isinstance(nodes, list) else [nodes]
        self.feeds = feeds if isinstance(feeds, list) else [feeds]
        self.outputs = list(outputs)
        self.constants = constants or {}
        self.opset = opset
        self.oracle = oracle
        self.rtol, self.atol = rtol, atol
        self.dims = dims or {}
        self.fails = fails

    def model(self, extra_outputs=()):
        types = {name: helper.np_dtype_to_tensor_dtype(array.dtype)
                 for name, array in self.feeds[0].items()}
        inputs = [helper.make_tensor_value_info(name, types[name],
                                                [None] * array.ndim)
                  for name, array in self.feeds[0].items()]
        outputs = [onnx.ValueInfoProto(name=name)
                   for name in [*self.outputs, *extra_outputs]]
        initializers = [onnx.numpy_helper.from_array(array, name)
                        for name, array in self.constants.items()]
        graph = helper.make_graph(self.nodes, self.name, inputs, outputs,
                                  initializers)
        return helper.make_model(graph, ir_version=11, opset_imports=[
            helper.make_opsetid("", self.opset),
            helper.make_opsetid("com.microsoft", 1)])

    def intermediates(self):
        return [name for n in self.nodes for name in n.output
                if name and name not in self.outputs]

    def expected(self, feed, names=None):
        """Arrays of the outputs, or of `names`."""
        if callable(self.oracle):
            return self.oracle(feed)
        if self.oracle == "onnxruntime":
            return run_onnxruntime(self.model(), feed)
        evaluator = ReferenceEvaluator(
            self.model(self.intermediates() if names else ()))
        results = evaluator.run(None, feed)
        return results[:len(self.outputs)] if names is None else results


def run_onnxruntime(model, feed):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    options.log_severity_level = 4
    for output in model.graph.output:
        output.type.tensor_type.elem_type = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, feed)


# -- the onnx dialect as text --------------------------------------------------


def tensor_type(array, dynamic):
    sizes = ["?" if dynamic else str(size) for size in array.shape]
    return "tensor<" + "x".join(sizes + [ELEMENT_TYPES[array.dtype.name]]) + ">"


def dense(array):
    def element(value):
        if array.dtype == bool:
            return "true" if value else "false"
        if array.dtype.kind in "iu":
            return str(int(value))
        width = array.dtype.itemsize
        return "0x%0*X" % (2 * width, int(
            np.asarray(value).view("u%d" % width)))

    def nested(part):
        if part.ndim == 0:
            return element(part)
        return "[" + ", ".join(nested(p) for p in part) + "]"

    body = "" if array.size == 0 else nested(array)
    return "dense<%s> : %s" % (body, tensor_type(array, False))


def attribute(attr):
    value = helper.get_attribute_value(attr)
    kind = onnx.AttributeProto.AttributeType.Name(attr.type)
    if kind == "INT":
        return "%d : i64" % value
    if kind == "FLOAT":
        return "0x%08X : f32" % int(np.float32(value).view(np.uint32))
    if kind == "STRING":
        return '"%s"' % value.decode()
    if kind == "INTS":
        body = ", ".join(str(v) for v in value)
        return "array<i64: %s>" % body if value else "array<i64>"
    if kind == "TENSOR":
        return dense(onnx.numpy_helper.to_array(value))
    raise ValueError("attribute %s is %s" % (attr.name, kind))


def function_text(case, symbol, dynamic):
    """`case` as a function whose sizes are dynamic, or the first feed's."""
    feed = case.feeds[0]
    values = dict(feed)
    values.update(case.constants)
    results = list(case.expected(feed))
    names = list(case.outputs)
    if len(case.nodes) > 1:
        names += case.intermediates()
        results = case.expected(feed, names)
    values.update(zip(names, (np.asarray(r) for r in results)))

    def argument(name, array):
        dims = case.dims.get(name)
        text = "%%%s: %s" % (name, tensor_type(array, dynamic))
        if dims:
            text += " {onnx.dims = [%s]}" % ", ".join('"%s"' % d for d in dims)
        return text

    arguments = ", ".join(argument(n, a) for n, a in feed.items())
    types = [tensor_type(values[name], True) for name in case.outputs]
    lines = ["func.func @%s(%s) -> (%s) {" % (symbol, arguments,
                                              ", ".join(types)),
             "  %none = onnx.none"]
    for name, array in case.constants.items():
        lines.append("  %%%s = onnx.constant %s" % (name, dense(array)))
    for index, n in enumerate(case.nodes):
        kind = n.domain + "::" + n.op_type if n.domain else n.op_type
        operands = [("%" + name) if name else "%none" for name in n.input]
        types_in = [tensor_type(values[name], dynamic and name in feed
                                or name not in feed
                                and name not in case.constants)
                    if name else "none" for name in n.input]
        types_out = [tensor_type(values[name], True) if name else "none"
                     for name in n.output]
        outputs = ["%" + name if name else "%%unused%d_%d" % (index, i)
                   for i, name in enumerate(n.output)]
        attrs = ", ".join("%s = %s" % (a.name, attribute(a))
                          for a in n.attribute)
        lines.append('  %s = onnx.node "%s"(%s) {%s} : (%s) -> (%s)' % (
            ", ".join(outputs), kind, ", ".join(operands), attrs,
            ", ".join(types_in), ", ".join(types_out)))
    lines.append("  return %s : %s" % (
        ", ".join("%" + name for name in case.outputs), ", ".join(types)))
    lines.append("}")
    return "\n".join(lines)


# -- compiling and calling -----------------------------------------------------


def run_tool(command, text):
    done = subprocess.run(command, input=text, text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit("%s failed:\n%s\n%s" % (command[0], done.stderr[:4000],
                                         text[:4000]))
    return done.stdout


def compile_functions(functions, opset, folder):
    """A shared library of functions in the text of the onnx dialect."""
    module = ("module attributes {onnx.opsets = {ai.onnx = %d : i64, "
              "com.microsoft = 1 : i64}} {\n%s\n}\n" % (
                  opset, "\n".join(functions)))
    lowered = run_tool(["tern-opt", "--convert-onnx-to-linalg"], module)
    lowered = run_tool(["mlir-opt", "--pass-pipeline=" + PIPELINE], lowered)
    source = os.path.join(folder, "cases%d.ll" % opset)
    library = os.path.join(folder, "cases%d.so" % opset)
    with open(source, "w") as file:
        file.write(run_tool(["mlir-translate", "--mlir-to-llvmir"], lowered))
    subprocess.run(["clang-22", "-O1", "-shared", "-fPIC", "-w", source, "-o",
                    library, "-lm"], check=True)
    return ctypes.CDLL(library)


def descriptor_type(rank):
    class Descriptor(ctypes.Structure):
        _fields_ = [("allocated", ctypes.c_void_p),
                    ("aligned", ctypes.c_void_p), ("offset", ctypes.c_int64),
                    ("sizes", ctypes.c_int64 * rank),
                    ("strides", ctypes.c_int64 * rank)]
    return Descriptor


def to_descriptor(array):
    element = array.itemsize
    address = array.ctypes.data
    return descriptor_type(array.ndim)(
        address, address, 0, tuple(array.shape),
        tuple(stride // element for stride in array.strides))


def from_descriptor(descriptor, dtype):
    shape = tuple(descriptor.sizes)
    if 0 in shape:
        return np.empty(shape, dtype)
    base = descriptor.aligned + descriptor.offset * dtype.itemsize
    strides = tuple(s * dtype.itemsize for s in descriptor.strides)
    extent = 1 + sum((n - 1) * s for n, s in zip(shape, descriptor.strides))
    raw = (ctypes.c_char * (extent * dtype.itemsize)).from_address(base)
    flat = np.frombuffer(raw, dtype)
    return np.lib.stride_tricks.as_strided(flat, shape, strides).copy()


def call(library, symbol, arrays, likes):
    """The results of a function; `likes` have their ranks and types."""
    class Results(ctypes.Structure):
        _fields_ = [("r%d" % i, descriptor_type(like.ndim))
                    for i, like in enumerate(likes)]
    results = Results()
    # The callee may write to what it is given.
    copies = [np.array(array, order="C", copy=True) for array in arrays]
    pointers = [ctypes.byref(to_descriptor(copy)) for copy in copies]
    getattr(library, "_mlir_ciface_" + symbol)(ctypes.byref(results), *pointers)
    return [from_descriptor(getattr(results, "r%d" % i), like.dtype)
            for i, like in enumerate(likes)]


# -- comparing -----------------------------------------------------------------


def difference(found, expected, case):
    """What is wrong with `found`, or None."""
    if found.shape != expected.shape:
        return "shape %s, expected %s" % (found.shape, expected.shape)
    if found.dtype.kind in "iub":
        same = np.array_equal(found, expected)
    else:
        same = np.allclose(found.astype(np.float64),
                           expected.astype(np.float64), rtol=case.rtol,
                           atol=case.atol, equal_nan=True)
    return None if same else "found\n%s\nexpected\n%s" % (found, expected)


def check_failure(case, library, symbol, feed):
    """The message of a program that ends, from a process of its own."""
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        os.dup2(write, 1)
        os.dup2(write, 2)
        call(library, symbol, feed.values(), [np.zeros(1)])
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        output = pipe.read()
    status = os.waitpid(process, 0)[1]
    if not os.WIFSIGNALED(status) or case.fails not in output:
        return "status %d, output %r; expected the message %r" % (
            status, output, case.fails)
    return None


def check_case(case, library, symbol, feeds):
    for index, feed in enumerate(feeds):
        if case.fails:
            problem = check_failure(case, library, symbol, feed)
            if problem:
                return "feed %d: %s" % (index, problem)
            continue
        expected = [np.asarray(e) for e in case.expected(feed)]
        found = call(library, symbol, feed.values(), expected)
        for name, f, e in zip(case.outputs, found, expected):
            problem = difference(f, e, case)
            if problem:
                return "feed %d, output %s: %s" % (index, name, problem)
    return None


def variants(case):
    """(symbol, whether sizes are dynamic, feeds) for the ways to compile it."""
    if not case.fails:
        yield case.name + "_static", False, case.feeds[:1]
    yield case.name + "_dynamic", True, case.feeds


def main(cases):
    """Runs all cases; prints `N cases agree` or what differs."""
    only = sys.argv[1:]
    cases = [c for c in cases if not only or c.name in only]
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        for opset in sorted({case.opset for case in cases}):
            chosen = [case for case in cases if case.opset == opset]
            functions = [function_text(case, symbol, dynamic)
                         for case in chosen
                         for symbol, dynamic, _ in variants(case)]
            library = compile_functions(functions, opset, folder)
            for case in chosen:
                for symbol, _, feeds in variants(case):
                    problem = check_case(case, library, symbol, feeds)
                    if problem:
                        problems.append("%s: %s" % (symbol, problem))
    if problems:
        sys.exit("\n".join(problems))
    print("%d cases agree" % len(cases))
