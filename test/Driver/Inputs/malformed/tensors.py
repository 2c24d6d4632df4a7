"""Tensors whose data are not what they claim, in the model and outside of it."""

import numpy as np
from onnx import TensorProto

from .cases import CASES, case, save, tensor_of


def initializer(name, tensor, *expected, stage="import"):
    """A model that adds `tensor`, "w", to its input."""
    def make(path):
        save(path, tensor)
    CASES[name] = (make, expected, stage)


#--- Data ---------------------------------------------------------------------------------

initializer("short-raw", tensor_of(raw_data=bytes(7)), "tensor 'w'", "7 bytes", "expected 8",
            "FLOAT[2]")
initializer("long-raw", tensor_of(raw_data=bytes(9)), "tensor 'w'", "9 bytes", "expected 8")
initializer("no-data", tensor_of(), "tensor 'w'", "0 bytes", "expected 8")
initializer("short-typed", tensor_of(float_data=[1]), "tensor 'w'", "4 bytes", "expected 8")
initializer("other-typed", tensor_of(int64_data=[1, 2]), "tensor 'w'", "0 bytes", "expected 8")
initializer("raw-and-typed", tensor_of(raw_data=bytes(8), float_data=[1, 2]), "tensor 'w'",
            "typed field and in raw_data", "expected one place")
initializer("short-trits", tensor_of(TensorProto.INT2, [5], raw_data=b"\0"), "tensor 'w'",
            "1 bytes", "expected 2", "INT2[5]")
initializer("negative-dimension", tensor_of(dims=[-2], raw_data=bytes(8)), "tensor 'w'",
            "negative dimension", "FLOAT[-2]")
initializer("overflow", tensor_of(dims=[1 << 40, 1 << 40], raw_data=bytes(8)), "tensor 'w'",
            "more bytes than can be addressed")
initializer("terabytes", tensor_of(dims=[1 << 40], raw_data=bytes(8)), "tensor 'w'", "8 bytes",
            "expected 4398046511104")
initializer("overflow-to-zero", tensor_of(dims=[1 << 32, 1 << 32], raw_data=b""), "tensor 'w'",
            "more bytes than can be addressed")
initializer("strings", tensor_of(TensorProto.STRING, [1], string_data=[b"a"]), "tensor 'w'",
            "STRING")
initializer("undefined-type", tensor_of(0, [2], raw_data=bytes(8)), "tensor 'w'", "UNDEFINED")
initializer("unknown-type", tensor_of(99, [2], raw_data=bytes(8)), "tensor 'w'", "number 99")
initializer("wide-value", tensor_of(TensorProto.INT8, [2], int32_data=[1, 300]), "tensor 'w'",
            "int32_data[1] is 300", "expected a signed value of 8 bits")
initializer("boolean", tensor_of(TensorProto.BOOL, [2], raw_data=b"\1\2"), "tensor 'w'",
            "is 2", "expected 0 or 1")

#--- External data ------------------------------------------------------------------------


def external(name, *expected, size=1024, count=2, **entries):
    """Weights in SCRATCH/<name>/w.bin, described by `entries`."""
    tensor = tensor_of(dims=[count], data_location=TensorProto.EXTERNAL)
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))

    def make(path):
        (path.parent / "w.bin").write_bytes(bytes(size))
        (path.parent / "folder").mkdir()
        save(path, tensor)
    CASES[name] = (make, ("tensor 'w'",) + expected, "import")
    return tensor


external("external-short", "'w.bin' holds 4 bytes", "expected 8 bytes at offset 0", size=4,
         location="w.bin")
external("external-empty", "'w.bin' holds 0 bytes", "expected 8", size=0, location="w.bin")
external("external-offset", "holds 1024 bytes", "expected 8 bytes at offset 1020",
         location="w.bin", offset=1020)
external("external-overflow", "expected 8 bytes at offset 18446744073709551608",
         location="w.bin", offset=2**64 - 8)
external("external-length", "has 1000 bytes", "expected 8 for FLOAT[2]", location="w.bin",
         length=1000)
external("external-terabytes", "holds 1024 bytes", "expected 4398046511104",
         count=1 << 40, location="w.bin", length=1 << 42)
external("external-negative-offset", "offset '-4'", "expected a number", location="w.bin",
         offset=-4)
external("external-negative-length", "length '-8'", "expected a number", location="w.bin",
         length=-8)
external("external-nan", "offset 'abc'", "expected a number", location="w.bin", offset="abc")
external("external-fraction", "offset '1.5'", "expected a number", location="w.bin", offset=1.5)
external("external-wide", "offset '36893488147419103232'", "expected a number",
         location="w.bin", offset=2**65)


@case("node 'n' (Add, opset 25)", "constant 'w'", "holds NaN at [16777218]")
def external_nan_far(path):
    """Beyond the first piece of 64 MiB, in a file that is nothing but a hole before."""
    count = (64 << 20) // 4 + 3
    with open(path.parent / "w.bin", "wb") as file:
        file.seek(4 * (count - 1))
        file.write(np.float32(np.nan).tobytes())
    tensor = tensor_of(dims=[count], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="w.bin")
    save(path, tensor)


external("external-missing", "'nowhere.bin'", "No such file", location="nowhere.bin")
external("external-absolute", "absolute path", "expected one relative", location="/etc/hostname")
external("external-parent", "leaves the model's folder through '..'", location="../w.bin")
external("external-parent-inside", "leaves the model's folder through '..'",
         location="a/../w.bin")
external("external-folder", "not a regular file", location="folder")
external("external-dot", "leaves the model's folder", location=".")
external("external-unnamed", "expected a relative path", offset=0)
external("external-zero-byte", "'w.bin", location="w.bin\0.txt")


def linked(name, target, *expected):
    tensor = external(name, location="link.bin")

    def make(path):
        (path.parent / "link.bin").symlink_to(target)
        save(path, tensor)
    CASES[name] = (make, ("tensor 'w'",) + expected, "import")


linked("external-link", "/proc/self/cmdline", "symbolic link")
linked("external-link-up", "../secret.bin", "symbolic link", "secret.bin")
linked("external-link-cycle", "link.bin", "cannot be read")
