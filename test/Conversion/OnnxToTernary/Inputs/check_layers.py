"""Raises every one-layer fixture and computes the raised layer with NumPy.

The attributes, scales and trits of `ternary.bit_linear` are read from the
printed IR and interpreted as the dialect defines them, in f64 after the codes;
the result must be the stored reference. So what is checked is that the layer
means what the graph meant, whatever form it had.
"""

import json
import pathlib
import re
import subprocess
import sys

import numpy as np

# These keep ONNX nodes around an exact product of codes.
ON_CODES = {"c_dql_matmulinteger_op13": "integer", "c_static_qlinearmatmul_op13": "qlinear"}


def raise_model(path):
    imported = subprocess.run(["tern-import-test", str(path)], stdout=subprocess.PIPE,
                              text=True, check=True).stdout
    return subprocess.run(["tern-opt", "--convert-onnx-to-ternary",
                           "--mlir-print-elementsattrs-with-hex-if-larger=0"],
                          input=imported, stdout=subprocess.PIPE, text=True,
                          check=True).stdout


def constant(ir, text, dtype):
    """The elements of `dense<"0x...">`, `dense<1.0>` or `dense_resource<name>`."""
    resource = re.search(r"dense_resource<(\w+)>", text)
    if resource:
        blob = re.search(rf'\b{resource.group(1)}: "0x([0-9A-F]+)"', ir).group(1)
        return np.frombuffer(bytes.fromhex(blob)[4:], dtype)  # after the alignment
    blob = re.search(r'"0x([0-9A-F]+)"', text)
    if blob:
        return np.frombuffer(bytes.fromhex(blob.group(1)), dtype)
    return np.array([float(re.search(r"dense<\[?([^\]>]+)", text).group(1))], dtype)


def quantize(x, form, rounding, eps, qmin):
    m = np.maximum(np.abs(x).max(-1, keepdims=True), np.float32(eps))
    one, qmax = np.float32(1), np.float32(127)
    s = {"reciprocal": one / m * qmax, "quotient": qmax / m, "step": m / qmax}[form]
    v = x / s if form == "step" else x * s
    v = np.floor(v + np.float32(0.5)) if rounding == "half_up" else np.rint(v)
    codes = np.clip(v, qmin, 127).astype(np.float64)
    return codes, (s if form == "step" else 1 / s.astype(np.float64))


def run_layer(ir, x):
    layer = re.search(r"ternary\.bit_linear %\w+, (%\w+), (%\w+) \{(.*?)\} : \(.*?"
                      r"matrix<(\d+)x(\d+)>, tensor<([\dx]+)xf32>\)", ir)
    matrix, scale, attrs, n, k, shape = layer.groups()
    n, k = int(n), int(k)
    definition = lambda name: re.search(rf"{re.escape(name)} = (.*)", ir).group(1)
    packed = constant(ir, definition(matrix), np.uint8).reshape(n, -1)
    trits = np.stack([packed >> 2 * j & 3 for j in range(4)], -1).reshape(n, -1)
    trits = trits[:, :k].astype(np.float64) - 1
    assert np.abs(trits).max() <= 1
    scales = constant(ir, definition(scale), np.float32).astype(np.float64)
    scales = np.broadcast_to(scales, int(np.prod([int(d) for d in shape.split("x")])))
    if "scale_divides" in attrs:
        scales = 1 / scales
    groups = int(shape.split("x")[1]) if "x" in shape else 1
    scales = np.broadcast_to(scales.reshape(-1, groups), (n, groups))
    weights = trits * np.repeat(scales, k // groups, axis=1)
    rule = re.search(r"quantization<(\w+), (\w+), eps = ([^,]+), qmin = (-\d+)>", attrs)
    if not rule:
        return x.astype(np.float64) @ weights.T
    codes, step = quantize(x, rule.group(1), rule.group(2), float(rule.group(3)),
                           int(rule.group(4)))
    return codes @ weights.T * step


def check(folder):
    """The greatest distance from the reference in units of the tolerance."""
    ir = raise_model(folder / "model.onnx")
    if folder.name in ON_CODES:
        assert f'{{form = "{ON_CODES[folder.name]}"}}' in ir, "no product on codes"
        assert not re.search(r'onnx\.node "(MatMulInteger|QLinearMatMul)"', ir)
        return 0.0
    assert ir.count("ternary.bit_linear") == 1, "not raised"
    assert not re.search(r'onnx\.node "(MatMul|Gemm|Round|Mul|Div)"', ir), "nodes left"
    meta = json.loads((folder / "meta.json").read_text())
    data = np.load(folder / "io.npz")
    worst = 0.0
    for case in sorted(key[:-2] for key in data.files if key.endswith("_x")):
        x, y = data[f"{case}_x"], data[f"ref{case[2:]}_y"]
        bound = meta["atol"] + meta["rtol"] * np.abs(y)
        worst = max(worst, float((np.abs(run_layer(ir, x) - y) / bound).max()))
    return worst


def main():
    failures = 0
    folders = sorted(pathlib.Path(sys.argv[1]).iterdir())
    for folder in folders:
        try:
            worst = check(folder)
            if worst > 1:
                raise AssertionError(f"{worst:.1f} times the tolerance away")
        except AssertionError as error:
            print(f"wrong: {folder.name}: {error}")
            failures += 1
    print(f"{len(folders) - failures} of {len(folders)} layers raised and right")


main()
