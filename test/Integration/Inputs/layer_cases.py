"""Writes an MLIR module that runs `ternary.bit_linear` and compares bit for bit.

NumPy computes each expected result in f32, in the order that the operations'
descriptions give. The module's main prints the number of elements that differ:
"layers: <cases> cases, wrong elements <number>".
"""

import itertools
import sys

import numpy as np

from kernel_cases import hex_constant, pack_row_major

F32 = np.float32


def quantize(x, form, rounding, eps, qmin):
    """The codes and scales of rows of x, by ternary.quantization's table."""
    with np.errstate(all="ignore"):
        m = np.maximum(np.abs(x).max(axis=1, initial=F32(0)), F32(eps))
        scale = {"reciprocal": lambda: (F32(1) / m) * F32(127),
                 "quotient": lambda: F32(127) / m,
                 "step": lambda: m / F32(127)}[form]()
        v = x / scale[:, None] if form == "step" else x * scale[:, None]
        v = np.rint(v) if rounding == "half_even" else np.floor(v + F32(0.5))
        return np.nan_to_num(np.clip(v, F32(qmin), F32(127)), nan=0.0).astype(np.int8), scale


def rescale(acc, weight_scale, scales, form, divides):
    """acc of [M, N] or [M, G, N] as floats."""
    def scaled(part, by):
        part = part.astype(F32)
        return part / by if divides else part * by
    with np.errstate(all="ignore"):
        if acc.ndim == 2:
            y = scaled(acc, weight_scale)
        else:
            y = np.zeros((acc.shape[0], acc.shape[2]), F32)
            for g in range(acc.shape[1]):
                y = y + scaled(acc[:, g], weight_scale[:, g])
        return y * scales[:, None] if form == "step" else y / scales[:, None]


def make_activations(rng, m, k):
    """Rows of many magnitudes; of ties, zeros, a NaN and an infinity."""
    x = (rng.standard_normal((m, k)) * 10.0 ** rng.integers(-8, 8, (m, 1))).astype(F32)
    x[0] = np.resize(np.array([127, 0.5, -0.5, 1.5, 2.5, -2.5, -127, -126.5], F32), k)
    x[1] = 0
    x[2, 0] = np.nan
    x[3, -1] = np.inf
    return x


def write_case(out, index, x, trits, weight_scale, rule, divides):
    form, rounding, eps, qmin = rule
    (m, k), n = x.shape, trits.shape[0]
    codes, scales = quantize(x, *rule)
    if weight_scale.ndim == 2:
        groups = weight_scale.shape[1]
        acc = np.einsum("mgk,ngk->mgn", codes.reshape(m, groups, -1).astype(np.int32),
                        trits.reshape(n, groups, -1).astype(np.int32))
    else:
        acc = codes.astype(np.int32) @ trits.astype(np.int32).T
    expected = rescale(acc, weight_scale, scales, form, divides)
    scale_shape = "x".join(map(str, weight_scale.shape))
    unit = ", scale_divides" if divides else ""
    out.write(f"""
func.func @layer{index}(%x: tensor<?x{k}xf32>) -> tensor<?x{n}xf32> {{
  %w = ternary.constant {hex_constant(pack_row_major(trits))[0]} as !ternary.matrix<{n}x{k}>
  %s = arith.constant dense<"0x{weight_scale.tobytes().hex()}"> : tensor<{scale_shape}xf32>
  %y = ternary.bit_linear %x, %w, %s {{quantization = #ternary.quantization<{form}, {rounding}, eps = {eps:e}, qmin = {qmin}>{unit}}}
      : (tensor<?x{k}xf32>, !ternary.matrix<{n}x{k}>, tensor<{scale_shape}xf32>) -> tensor<?x{n}xf32>
  return %y : tensor<?x{n}xf32>
}}
func.func @case{index}() -> i64 {{
  %x = arith.constant dense<"0x{x.tobytes().hex()}"> : tensor<{m}x{k}xf32>
  %tokens = tensor.cast %x : tensor<{m}x{k}xf32> to tensor<?x{k}xf32>
  %y = call @layer{index}(%tokens) : (tensor<?x{k}xf32>) -> tensor<?x{n}xf32>
  %e = arith.constant dense<"0x{expected.astype(F32).tobytes().hex()}"> : tensor<{m}x{n}xf32>
  %found = tensor.cast %y : tensor<?x{n}xf32> to tensor<?x?xf32>
  %expected = tensor.cast %e : tensor<{m}x{n}xf32> to tensor<?x?xf32>
  %wrong = func.call @count_wrong(%found, %expected) : (tensor<?x?xf32>, tensor<?x?xf32>) -> i64
  return %wrong : i64
}}
""")


# Two NaNs are the same, whatever their bits.
COUNT_WRONG = """
func.func @count_wrong(%found: tensor<?x?xf32>, %expected: tensor<?x?xf32>) -> i64 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %none = arith.constant 0 : i64
  %rows = tensor.dim %expected, %c0 : tensor<?x?xf32>
  %cols = tensor.dim %expected, %c1 : tensor<?x?xf32>
  %wrong = scf.for %i = %c0 to %rows step %c1 iter_args(%a = %none) -> i64 {
    %row = scf.for %j = %c0 to %cols step %c1 iter_args(%b = %a) -> i64 {
      %f = tensor.extract %found[%i, %j] : tensor<?x?xf32>
      %e = tensor.extract %expected[%i, %j] : tensor<?x?xf32>
      %f_nan = arith.cmpf uno, %f, %f : f32
      %e_nan = arith.cmpf uno, %e, %e : f32
      %f_bits = arith.bitcast %f : f32 to i32
      %e_bits = arith.bitcast %e : f32 to i32
      %same_bits = arith.cmpi eq, %f_bits, %e_bits : i32
      %both_nan = arith.andi %f_nan, %e_nan : i1
      %same = arith.ori %same_bits, %both_nan : i1
      %true = arith.constant true
      %differs = arith.xori %same, %true : i1
      %one = arith.extui %differs : i1 to i64
      %sum = arith.addi %b, %one : i64
      scf.yield %sum : i64
    }
    scf.yield %row : i64
  }
  return %wrong : i64
}
"""


def main():
    rng = np.random.default_rng(158)
    out = sys.stdout
    rules = itertools.product(["reciprocal", "quotient", "step"], ["half_even", "half_up"],
                              [(1e-5, -128), (0.0, -127)])
    cases = 0
    for form, rounding, (eps, qmin) in rules:
        n, k = 19, 24
        shape = [(1,), (n,), (n, 3)][cases % 3]
        weight_scale = rng.uniform(0.01, 2, shape).astype(F32)
        trits = rng.integers(-1, 2, (n, k)).astype(np.int8)
        write_case(out, cases, make_activations(rng, 33, k), trits, weight_scale,
                   (form, rounding, eps, qmin), divides=cases % 2 == 1)
        cases += 1
    out.write(COUNT_WRONG)
    out.write("func.func @main() {\n  %t = arith.constant 0 : i64\n")
    total = "%t"
    for index in range(cases):
        out.write(f"  %w{index} = call @case{index}() : () -> i64\n")
        out.write(f"  %t{index} = arith.addi {total}, %w{index} : i64\n")
        total = f"%t{index}"
    out.write(f'  vector.print str "layers: {cases} cases, wrong elements "\n')
    out.write(f"  vector.print {total} : i64\n  return\n}}\n")


if __name__ == "__main__":
    main()
