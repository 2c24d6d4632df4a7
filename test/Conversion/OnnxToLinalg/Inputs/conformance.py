"""Compiles one-node ONNX models, runs them, and compares with a reference.

A suite is a module with a function `cases()` that yields `Case`s. All of its
cases become the functions of one MLIR module, so that a suite compiles once
(see run_suite.py).

The truth is onnx's reference evaluator, onnxruntime, or NumPy where a case
brings its own expectation.
"""

import ctypes
import os
import pathlib
import shutil
import subprocess
import sys
from dataclasses import dataclass, field

import ml_dtypes
import numpy as np
import onnx
import onnx.reference
from onnx import helper

ELEMENT_TYPES = {
    "float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16",
    "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "ui8", "uint16": "ui16", "uint32": "ui32", "uint64": "ui64",
    "int2": "i2", "uint2": "ui2", "int4": "i4", "uint4": "ui4", "bool": "i1",
}  # fmt: skip

# What the lowered program must not need is left out: no pass here knows ONNX.
PASSES = [
    "convert-onnx-to-linalg",
    "func.func(llvm-request-c-wrappers)",
    "canonicalize",
    "cse",
    "func.func(linalg-fuse-elementwise-ops)",
    "canonicalize",
    "cse",
    "one-shot-bufferize{bufferize-function-boundaries"
    " function-boundary-type-conversion=identity-layout-map}",
    "func.func(convert-linalg-to-loops)",
    "convert-scf-to-cf",
    "expand-strided-metadata",
    "lower-affine",
    "math-expand-ops{ops=roundeven}",
    "func.func(math-extend-to-supported-types{extra-types=f16})",
    "func.func(arith-emulate-unsupported-floats{source-types=bf16 target-type=f32})",
    "tern-keep-rounding",
    "tern-convert-through-f32",
    "func.func(arith-expand{include-bf16=true})",
    "convert-math-to-llvm",
    "convert-math-to-libm",
    "convert-arith-to-llvm",
    "convert-cf-to-llvm",
    "finalize-memref-to-llvm",
    "convert-func-to-llvm",
    "convert-cf-to-llvm",
    "convert-ub-to-llvm",
    "reconcile-unrealized-casts",
]


@dataclass
class Case:
    """One node and its inputs.

    Inputs are arrays, `Const` where the compiler sees the value, or None where
    omitted. With `dynamic`, no size of an array is known to the compiler; as a
    mapping, it says which sizes of which inputs are not.
    `expected` stands in for onnx's reference evaluator; so does `by_ort`.
    `fails` is a part of the message with which the program must stop.
    """

    op: str
    inputs: list
    attrs: dict = field(default_factory=dict)
    opset: int = 20
    outputs: int = 1
    unused: tuple = ()
    dynamic: bool | dict = True
    expected: list | None = None
    by_ort: bool = False
    rtol: float = 1e-6
    atol: float = 1e-6
    fails: str | None = None
    output_types: list | None = None

    @property
    def domain(self):
        return self.op.rpartition("::")[0]

    def arrays(self):
        return [i for i in self.inputs if isinstance(i, np.ndarray)]


class Const:
    def __init__(self, value, dtype=None):
        self.value = np.asarray(value, dtype)


def onnx_type(dtype):
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def model_of(case):
    """The case as an ONNX model whose inputs are all graph inputs."""
    names = [f"x{i}" if v is not None else "" for i, v in enumerate(case.inputs)]
    while names and not names[-1]:
        names.pop()
    outputs = ["" if i in case.unused else f"y{i}" for i in range(case.outputs)]
    node = helper.make_node(
        case.op.rpartition("::")[2], names, outputs, domain=case.domain, **case.attrs
    )
    values = [value_of(v) for v in case.inputs if v is not None]
    graph_inputs = [
        helper.make_tensor_value_info(name, onnx_type(v.dtype), v.shape)
        for name, v in zip([n for n in names if n], values)
    ]
    types = case.output_types or [None] * case.outputs
    graph_outputs = [
        helper.make_tensor_value_info(name, onnx_type(t), None)
        if t
        else onnx.ValueInfoProto(name=name)
        for name, t in zip(outputs, types)
        if name
    ]
    opsets = [helper.make_opsetid("", case.opset)]
    if case.domain:
        opsets.append(helper.make_opsetid(case.domain, 1))
    graph = helper.make_graph([node], "g", graph_inputs, graph_outputs)
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    feeds = {info.name: value for info, value in zip(graph_inputs, values)}
    return model, feeds


def value_of(item):
    return item.value if isinstance(item, Const) else item


def reference(case):
    if case.expected is not None:
        return [np.asarray(e) for e in case.expected]
    model, feeds = model_of(case)
    if case.by_ort:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = (
            onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        )
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        return session.run(None, feeds)
    with np.errstate(all="ignore"):
        return onnx.reference.ReferenceEvaluator(model).run(None, feeds)


def element_type(dtype):
    return ELEMENT_TYPES[np.dtype(dtype).name]


def type_text(array, dynamic):
    """Of `dynamic` sizes: all, none, or those whose dimensions it names."""
    if isinstance(dynamic, bool):
        dynamic = range(array.ndim) if dynamic else ()
    dims = "".join(
        "?x" if dim in dynamic else f"{size}x" for dim, size in enumerate(array.shape)
    )
    return f"tensor<{dims}{element_type(array.dtype)}>"


def constant_text(array):
    if array.dtype == bool or element_type(array.dtype) in ("i2", "i4", "ui2", "ui4"):
        integers = array.astype(np.int32)
        text = str(integers.tolist())
        if array.dtype == bool:
            text = text.replace("1", "true").replace("0", "false")
    elif array.size == 0:
        text = ""
    else:
        text = '"0x' + np.ascontiguousarray(array).tobytes().hex().upper() + '"'
    return f"onnx.constant dense<{text}> : {type_text(array, False)}"


def attr_text(value):
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, int):
        return f"{value} : i64"
    if isinstance(value, float):
        bits = np.float32(value).view(np.uint32)
        return f"0x{bits:08X} : f32"
    if isinstance(value, np.ndarray):
        return constant_text(value).removeprefix("onnx.constant ")
    if all(isinstance(v, int) for v in value):
        return f"array<i64: {', '.join(map(str, value))}>" if value else "array<i64>"
    return f"array<f32: {', '.join(f'{v:e}' for v in value)}>"


def function_text(name, case, expected):
    """The case as a function over its array inputs."""
    args, lines, operands, types = [], [], [], []
    for index, item in enumerate(case.inputs):
        operands.append(f"%x{index}")
        if item is None:
            lines.append(f"  %x{index} = onnx.none")
            types.append("none")
        elif isinstance(item, Const):
            lines.append(f"  %x{index} = {constant_text(item.value)}")
            types.append(type_text(item.value, False))
        else:
            dynamic = case.dynamic
            if isinstance(dynamic, dict):
                dynamic = dynamic.get(index, ())
            types.append(type_text(item, dynamic))
            args.append(f"%x{index}: {types[-1]}")
    kept = [i for i in range(case.outputs) if i not in case.unused]
    results = dict(zip(kept, (type_text(e, True) for e in expected)))
    attrs = ", ".join(f"{k} = {attr_text(v)}" for k, v in case.attrs.items())
    output_types = ", ".join(results.get(i, "none") for i in range(case.outputs))
    lines.append(
        f'  %y:{case.outputs} = onnx.node "{case.op}"({", ".join(operands)})'
        f" {{{attrs}}} : ({', '.join(types)}) -> ({output_types})"
        f' loc("{name}")'
    )
    values = ", ".join(f"%y#{i}" for i in kept)
    return "\n".join(
        [f"func.func @{name}({', '.join(args)}) -> ({', '.join(results.values())}) {{"]
        + lines
        + [f"  return {values} : {', '.join(results.values())}", "}"]
    )


def run_tool(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed ({done.returncode})\n{done.stderr[:6000]}")


def compile_cases(named, folder):
    """A shared library with one function for each case.

    Operator sets belong to modules, so cases are grouped by theirs.
    """
    objects = []
    for opset in sorted({case.opset for _, case, _ in named}):
        group = [entry for entry in named if entry[1].opset == opset]
        stem = str(folder / f"opset{opset}")
        attributes = f"onnx.opsets = {{ai.onnx = {opset} : i64, com.microsoft = 1 : i64}}"
        functions = "\n".join(function_text(*entry) for entry in group)
        pathlib.Path(stem + ".mlir").write_text(
            f"module attributes {{{attributes}}} {{\n{functions}\n}}\n"
        )
        pipeline = f"builtin.module({','.join(PASSES)})"
        run_tool("tern-opt", stem + ".mlir", f"--pass-pipeline={pipeline}",
                 "-o", stem + ".llvm.mlir")  # fmt: skip
        run_tool("mlir-translate", "--mlir-to-llvmir", stem + ".llvm.mlir",
                 "-o", stem + ".ll")  # fmt: skip
        run_tool("llc", "-O1", "-relocation-model=pic", "-filetype=obj",
                 stem + ".ll", "-o", stem + ".o")  # fmt: skip
        objects.append(stem + ".o")
    library = str(folder / "cases.so")
    # Strided copies are calls to MLIR's runtime.
    runtime = pathlib.Path(shutil.which("mlir-opt")).resolve().parent.parent / "lib"
    run_tool("cc", "-shared", *objects, "-lm", f"-L{runtime}", f"-Wl,-rpath,{runtime}",
             "-lmlir_c_runner_utils", "-o", library)  # fmt: skip
    return ctypes.CDLL(library)


def descriptor_of(array):
    """A memref descriptor: two pointers, an offset, sizes and strides."""
    strides = [stride // max(array.itemsize, 1) for stride in array.strides]
    words = [array.ctypes.data, array.ctypes.data, 0, *array.shape, *strides]
    return (ctypes.c_int64 * len(words))(*words)


def stored(array):
    """`array` as the program holds it: elements below a byte take one."""
    if element_type(array.dtype) in ("i2", "i4"):
        array = array.astype(np.int8)
    elif element_type(array.dtype) in ("ui2", "ui4"):
        array = array.astype(np.uint8)
    return np.array(array, order="C", copy=True)


def call(library, name, case, expected):
    inputs = [stored(array) for array in case.arrays()]
    descriptors = [descriptor_of(array) for array in inputs]
    words = [3 + 2 * e.ndim for e in expected]
    results = (ctypes.c_int64 * sum(words))()
    getattr(library, "_mlir_ciface_" + name)(
        ctypes.byref(results), *map(ctypes.byref, descriptors)
    )
    outputs, start = [], 0
    for array, count in zip(expected, words):
        descriptor = results[start : start + count]
        start += count
        dtype = stored(np.zeros((), array.dtype)).dtype
        shape = tuple(descriptor[3 : 3 + array.ndim])
        strides = [s * dtype.itemsize for s in descriptor[3 + array.ndim :]]
        # A result may be a strided view of something larger.
        reach = sum((n - 1) * stride for n, stride in zip(shape, strides))
        size = reach + dtype.itemsize if np.prod(shape) else 0
        offset = descriptor[1] + descriptor[2] * dtype.itemsize
        buffer = (ctypes.c_char * max(size, 1)).from_address(offset) if size else b""
        outputs.append(
            np.array(np.ndarray(shape, dtype, buffer, 0, strides if size else None))
        )
    return outputs


def difference(case, found, expected):
    """Why the outputs differ, or None."""
    for index, (mine, truth) in enumerate(zip(found, expected)):
        if mine.shape != truth.shape:
            return f"output {index} has shape {mine.shape}; expected {truth.shape}"
        if mine.dtype.kind in "iub" and mine.dtype.name != "bfloat16":
            same = mine == truth.astype(mine.dtype)
        else:
            wide_mine, wide_truth = mine.astype(np.float64), truth.astype(np.float64)
            with np.errstate(invalid="ignore"):
                same = np.isclose(wide_mine, wide_truth, case.rtol, case.atol, True)
        if not np.all(same):
            where = tuple(np.argwhere(~np.atleast_1d(same))[0])
            return (
                f"output {index} differs at {where}: "
                f"{np.atleast_1d(mine)[where]}; expected {np.atleast_1d(truth)[where]}"
            )
    return None


def runs(library, name, case, expected):
    """Why the case fails, or None. A case that must stop runs on its own."""
    if case.fails is None:
        return difference(case, call(library, name, case, expected), expected)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(write, 1)
        os.dup2(write, 2)
        call(library, name, case, expected)
        os._exit(0)
    os.close(write)
    _, status = os.waitpid(child, 0)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    if not os.WIFSIGNALED(status):
        return "the program does not stop"
    if text and case.fails not in text:
        return f"the program says {text!r}; expected {case.fails!r}"
    return None
