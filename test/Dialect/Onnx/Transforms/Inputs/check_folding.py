"""Folds graphs of one ONNX node and compares with onnx's reference evaluator.

Every case is a function of one node on constants; the module goes through
onnx-fold-constants once, and the constants that come out are parsed and
compared: exactly for integers and for what IEEE rounds correctly, to one unit
in the last place for sines, powers and means.
"""

import re
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

MLIR_TYPES = {
    TensorProto.FLOAT: "f32", TensorProto.DOUBLE: "f64",
    TensorProto.FLOAT16: "f16", TensorProto.BFLOAT16: "bf16",
    TensorProto.INT8: "i8", TensorProto.UINT8: "ui8",
    TensorProto.INT16: "i16", TensorProto.UINT16: "ui16",
    TensorProto.INT32: "i32", TensorProto.INT64: "i64",
    TensorProto.BOOL: "i1", TensorProto.INT4: "i4",
    TensorProto.UINT4: "ui4", TensorProto.INT2: "i2", TensorProto.UINT2: "ui2",
}  # yapf: disable


def mlir_type(array):
    kind = MLIR_TYPES[helper.np_dtype_to_tensor_dtype(array.dtype)]
    return "tensor<" + "".join(f"{d}x" for d in array.shape) + kind + ">"


def dense(array):
    """A dense attribute; floats as bits, so that nothing is lost."""
    if array.size == 0:
        return f"dense<> : {mlir_type(array)}"
    code = helper.np_dtype_to_tensor_dtype(array.dtype)
    if array.dtype == np.bool_:
        text = [str(bool(v)).lower() for v in array.ravel()]
    elif MLIR_TYPES[code][-2:] in ("16", "32", "64") and "f" in MLIR_TYPES[code]:
        width = array.dtype.itemsize
        bits = array.ravel().view(f"u{width}")
        text = [f"0x{int(v):0{2 * width}X}" for v in bits]
    else:
        text = [str(int(v)) for v in array.ravel()]
    nested = nest(text, list(array.shape))
    return f"dense<{nested}> : {mlir_type(array)}"


def nest(items, shape):
    if not shape:
        return items[0]
    step = len(items) // shape[0]
    parts = [nest(items[i * step:(i + 1) * step], shape[1:])
             for i in range(shape[0])]
    return "[" + ", ".join(parts) + "]"


def attribute(value):
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, np.ndarray):
        return dense(value)
    if isinstance(value, list):
        kind = "f32" if any(isinstance(v, float) for v in value) else "i64"
        return f"array<{kind}: {', '.join(map(str, value))}>"
    return f"{value:e} : f32" if isinstance(value, float) else f"{value} : i64"


class Case:

    def __init__(self, op, inputs, opset=23, ulps=0, **attrs):
        self.op, self.inputs, self.opset = op, inputs, opset
        self.ulps, self.attrs = ulps, attrs

    def expected(self):
        names = [f"x{i}" if v is not None else "" for i, v in enumerate(self.inputs)]
        attrs = {k: numpy_helper.from_array(v) if isinstance(v, np.ndarray) else v
                 for k, v in self.attrs.items()}
        node = helper.make_node(self.op, names, ["y"], **attrs)
        infos = [helper.make_tensor_value_info(
            n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
                 for n, v in zip(names, self.inputs) if v is not None]
        graph = helper.make_graph([node], "g", infos,
                                  [onnx.ValueInfoProto(name="y")])
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)])
        feeds = {n: v for n, v in zip(names, self.inputs) if v is not None}
        return np.asarray(ReferenceEvaluator(model).run(None, feeds)[0])

    def function(self, index, result):
        lines, operands, types = [], [], []
        for i, value in enumerate(self.inputs):
            if value is None:
                lines.append(f"  %x{i} = onnx.none")
                types.append("none")
            else:
                lines.append(f"  %x{i} = onnx.constant {dense(value)}")
                types.append(mlir_type(value))
            operands.append(f"%x{i}")
        attrs = ", ".join(f"{k} = {attribute(v)}" for k, v in self.attrs.items())
        out = mlir_type(result)
        lines.append(f'  %y = onnx.node "{self.op}"({", ".join(operands)}) '
                     f'{{{attrs}}} : ({", ".join(types)}) -> {out}')
        body = "\n".join(lines)
        return f"func.func @case{index}() -> {out} {{\n{body}\n  return %y : {out}\n}}\n"


def parse(text, like):
    """The elements of a printed dense attribute."""
    code = MLIR_TYPES[helper.np_dtype_to_tensor_dtype(like.dtype)]
    values = re.findall(r"[^\[\],\s]+", text)

    def number(token):
        if token in ("true", "false"):
            return token == "true"
        if token.startswith("0x"):
            width = like.dtype.itemsize
            raw = np.array(int(token, 16), dtype=f"u{width}")
            return raw.view(like.dtype).astype(np.float64)[()]
        return float(token) if "f" in code else int(token)

    numbers = [number(v) for v in values]
    if len(numbers) == 1:
        numbers = numbers * like.size
    wide = np.array(numbers, dtype=np.float64 if "f" in code else np.int64)
    return wide.astype(like.dtype).reshape(like.shape)


def close(actual, expected, ulps):
    if MLIR_TYPES[helper.np_dtype_to_tensor_dtype(expected.dtype)][0] not in "fb":
        return np.array_equal(actual, expected)
    a, e = actual.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(e)
    if not np.array_equal(a[~finite], e[~finite], equal_nan=True):
        return False
    eps = {"f32": 2.0**-23, "f64": 2.0**-52, "f16": 2.0**-10,
           "bf16": 2.0**-7}[MLIR_TYPES[helper.np_dtype_to_tensor_dtype(expected.dtype)]]
    return bool(np.all(np.abs(a - e)[finite] <= ulps * eps * np.abs(e[finite])))


def fold(opset, functions):
    """The bodies of `functions` once folded, by the numbers of their cases."""
    module = f"module attributes {{onnx.opsets = {{ai.onnx = {opset} : i64}}}} {{\n{functions}}}\n"
    folded = subprocess.run(
        ["tern-opt", "--onnx-fold-constants=max-dense-elements=100000",
         "--canonicalize", "--mlir-print-elementsattrs-with-hex-if-larger=-1"],
        input=module, stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(re.findall(
        r"func\.func @case(\d+)\(\)(.*?)(?=func\.func|\Z)", folded, re.S))


def main():
    sys.path.insert(0, sys.argv[1])
    from folding_cases import make_cases
    cases = make_cases(Case)
    results = [case.expected() for case in cases]
    functions = {}
    for opset in sorted({case.opset for case in cases}):
        functions |= fold(opset, "".join(
            c.function(i, r) for i, (c, r) in enumerate(zip(cases, results))
            if c.opset == opset))
    failures = 0
    for i, (case, expected) in enumerate(zip(cases, results)):
        body = functions[str(i)]
        label = f"{case.op} {case.attrs} on {[None if x is None else x.dtype.name for x in case.inputs]}"
        found = re.search(r"onnx\.constant dense<(.*?)> : (tensor<[^>]*>)", body, re.S)
        if "onnx.node" in body or not found:
            print(f"not folded: {label}")
            failures += 1
            continue
        actual = parse(found.group(1), expected)
        if found.group(2) != mlir_type(expected) or not close(actual, expected, case.ulps):
            print(f"wrong: {label}\n  found    {actual.ravel()[:8]}\n"
                  f"  expected {expected.ravel()[:8]}")
            failures += 1
    print(f"{len(cases) - failures} of {len(cases)} cases agree")
    return failures != 0


sys.exit(main())
