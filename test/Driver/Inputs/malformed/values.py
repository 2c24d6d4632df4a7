"""Weights that are no numbers, and codes that are no trits."""

import ml_dtypes
import numpy as np
import onnx
import onnx.parser
from onnx import numpy_helper

from .cases import CASES, HEADER, fixture


def weights_of(model):
    """The largest initializer but the zeros that packed weights are scattered into."""
    return max((tensor for tensor in model.graph.initializer if tensor.name != "zeros"),
               key=lambda tensor: np.prod(tensor.dims))


def poisoned(name, fixture_name, value, *expected, pick=weights_of):
    """A fixture with one element of its weights replaced by `value`."""
    def make(path):
        model = fixture(fixture_name)
        tensor = pick(model)
        array = numpy_helper.to_array(tensor).copy()
        array.reshape(-1)[array.size // 2] = value
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
        onnx.save(model, path)
    CASES[name] = (make, expected, "raise")


def recoded(name, fixture_name, byte, *expected):
    """A fixture with one byte of its packed weights replaced."""
    def make(path):
        model = fixture(fixture_name)
        tensor = weights_of(model)
        raw = bytearray(tensor.raw_data or numpy_helper.to_array(tensor).tobytes())
        raw[len(raw) // 2] = byte
        for field in "int32_data", "raw_data":
            tensor.ClearField(field)
        tensor.raw_data = bytes(raw)
        onnx.save(model, path)
    CASES[name] = (make, expected, "raise")


NAN, INF = float("nan"), float("inf")


def tainted(name, operator, array, *expected, order="xw", declared="float[2, 2]"):
    """A product of an input with weights of any type."""
    def make(path):
        model = onnx.parser.parse_model(
            f"{HEADER}g ({declared} x) => ({declared} y) {{ [n] y = {operator} "
            f"({', '.join(order)}) }}")
        model.graph.initializer.append(numpy_helper.from_array(array, "w"))
        onnx.save(model, path)
    CASES[name] = (make, (f"node 'n' ({operator}, opset 20)", "constant 'w'") + expected, "import")


for kind, dtype in (("float16", np.float16), ("bfloat16", ml_dtypes.bfloat16),
                    ("double", np.float64)):
    # The last of the elements, and the sign bit is no part of a number's size.
    for value in NAN, -NAN:
        array = np.array([[-1, 0], [0, value]], dtype)
        tainted(f"{'-' if np.signbit(value) else ''}nan-{kind}", "Add", array, "holds NaN at [1, 1]",
                "expected finite", declared=f"{kind}[2, 2]")
for operator, orders in {"MatMul": ("xw", "wx"), "Gemm": ("xw", "wx"), "Transpose": ("w",),
                         "QuantizeLinear": ("xw",), "LayerNormalization": ("xw",),
                         "SimplifiedLayerNormalization": ("xw",)}.items():
    for order in orders:
        tainted(f"inf-{operator}-{order}", operator, np.array([[1, 0], [-INF, 0]], np.float32),
                "holds inf at [1, 0]", "expected finite", order=order)
FLOATS, QAT = "bitlinear/a_fakeq_baked_op17", "bitlinear/b_fakeq_qat_op18"
poisoned("nan-weight", FLOATS, NAN, "(MatMul, opset 17)", "'weight_t'", "NaN", "[32, 0]",
         "expected finite")
poisoned("inf-weight", FLOATS, INF, "(MatMul, opset 17)", "'weight_t'", "inf", "expected finite")
poisoned("nan-master-weight", QAT, NAN, "'weight'", "NaN", "expected finite")


def scale_of(model):
    return next(tensor for tensor in model.graph.initializer if "scale" in tensor.name)


for name, value in ("nan", NAN), ("inf", INF):
    poisoned(f"{name}-int2-scale", "bitlinear/d_dq_int2_channel_op25", value,
             "(DequantizeLinear, opset 25)", "'wscale'", "expected finite", pick=scale_of)
    poisoned(f"{name}-nbits-scale", "bitlinear/e_matmulnbits2_zp1_b32", value,
             "(com.microsoft::MatMulNBits", "'scales'", "expected finite", pick=scale_of)
poisoned("nan-packed-scale", "bitlinear/f_packed_bitwise_scatternd_op20", NAN, "'weight_scale'",
         "NaN", "expected finite", pick=scale_of)

# The byte's codes, lowest first. INT2: 0, 1, -1, -2; packed with offset 1: 0, 1, 2, 3.
STRAY = 0b10110100
for form in "tensor", "channel", "block32":
    recoded(f"stray-int2-{form}", f"bitlinear/d_dq_int2_{form}_op25", STRAY, "MatMul",
            "no trits", "-2 times", "expected -1, 0 or 1")
for name in ("d_dq_uint2_zp_op25", "f_packed_bitwise_scatternd_op20",
             "f_packed_bitwise_concat_op18", "e_matmulnbits2_zp1_b32",
             "e_matmulnbits2_floatzp_b32"):
    recoded(f"stray-{name}", f"bitlinear/{name}", 0b11100100, "MatMul", "no trits", "2 times",
            "expected -1, 0 or 1")
recoded("stray-nbits-default", "bitlinear/e_matmulnbits2_default_b32_act", STRAY, "MatMulNBits",
        "no trits", "-2 times", "expected -1, 0 or 1")
