"""Writes an MLIR module that multiplies and compares, case by case.

Each case is a `ternary.matmul` on constant weights, or several on parts of them, and
what NumPy computes for it by multiplying. The module's main prints one line for each case that differs
and, last, how many were compared: "kernels: <cases> cases, wrong elements" and a number.
"""

import argparse
import functools
import itertools
import string
import sys

import numpy as np


def parse_sizes(text):
    return [int(size) for size in text.split(",")]


def hex_constant(array):
    """The attribute of an array, and its type."""
    kind = {"uint8": "ui8", "int8": "i8", "int32": "i32", "float32": "f32"}[array.dtype.name]
    shape = "".join(f"{size}x" for size in array.shape)
    if array.size == 0:
        return f"dense<> : tensor<{shape}{kind}>", f"tensor<{shape}{kind}>"
    return f'dense<"0x{array.tobytes().hex()}"> : tensor<{shape}{kind}>', f"tensor<{shape}{kind}>"


def pack_row_major(trits):
    """Two bits a trit, four trits a byte, each row in whole bytes."""
    rows, cols = trits.shape
    codes = np.ones((rows, (cols + 3) // 4 * 4), np.uint8)
    codes[:, :cols] = trits + 1
    codes = codes.reshape(rows, (cols + 3) // 4, 4)
    return (codes << np.array([0, 2, 4, 6], np.uint8)).sum(axis=2).astype(np.uint8).ravel()


def all_fives(n, k):
    """Trits [n, k] such that each five that share a byte of tiles, columns of
    20 s + 4 j + i for j below 5, are in turn all that there are."""
    row, column = np.ogrid[:n, :k]
    step, plane, i = column // 20, column // 4 % 5, column % 4
    number = (4 * row + i + 61 * step) % 243
    return number // 3**plane % 3 - 1


def make_operands(rng, kind, tokens, n, k):
    """Activations [m, k] for each m of `tokens`, and trits [n, k]."""
    if kind in ("random", "all-fives"):
        xs = [rng.integers(-128, 128, (m, k)).astype(np.int8) for m in tokens]
        trits = all_fives(n, k) if kind == "all-fives" else rng.integers(-1, 2, (n, k))
        return xs, trits.astype(np.int8)
    x_value, trit = {"low-minus": (-128, -1), "low-plus": (-128, 1), "high-plus": (127, 1)}[kind]
    return [np.full((m, k), x_value, np.int8) for m in tokens], np.full((n, k), trit, np.int8)


def write_product(out, name, trits, cuts, types=("i8", "i32")):
    """A function that multiplies by `trits`, by a product for each of the parts
    into which `cuts`, numbers of rows, divide them; `types` are those of an
    activation and of a sum."""
    n, k = trits.shape
    given, made = (f"tensor<?x{size}x{kind}>" for size, kind in zip((k, n), types))
    parts = np.split(trits, [cut for cut in cuts if cut < n])
    out.write(f"""
func.func @{name}(%x: {given}) -> {made} {{
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : {given}
  %y0 = tensor.empty(%m) : {made}
""")
    begin = 0
    for i, part in enumerate(parts):
        rows = len(part)
        weights, _ = hex_constant(pack_row_major(part))
        kind = f"tensor<?x{rows}x{types[1]}>"
        out.write(f"""  %w{i} = ternary.constant {weights} as !ternary.matrix<{rows}x{k}>
  %p{i} = ternary.matmul %x, %w{i} : ({given}, !ternary.matrix<{rows}x{k}>) -> {kind}
""")
        if rows == n:
            out.write(f"  return %p{i} : {kind}\n}}\n")
            return
        out.write(f"  %y{i + 1} = tensor.insert_slice %p{i} into %y{i}[0, {begin}] [%m, {rows}]"
                  f" [1, 1] : {kind} into {made}\n")
        begin += rows
    out.write(f"  return %y{len(parts)} : {made}\n}}\n")


def write_case(out, index, product, x, expected):
    """A function that counts the elements that `product` gives for `x` and that
    are not, bit for bit, those that are expected."""
    x_attr, x_type = hex_constant(x)
    y_attr, y_type = hex_constant(expected)
    given, made, any_size = (
        f"tensor<?x{size}x{kind[kind.rindex('x') + 1:]}"
        for size, kind in ((x.shape[1], x_type), (expected.shape[1], y_type), ("?", y_type)))
    out.write(f"""
func.func @case{index}() -> i64 {{
  %x = arith.constant {x_attr}
  %tokens = tensor.cast %x : {x_type} to {given}
  %y = call @{product}(%tokens) : ({given}) -> {made}
  %found = tensor.cast %y : {made} to {any_size}
  %e = arith.constant {y_attr}
  %expected = tensor.cast %e : {y_type} to {any_size}
  %wrong = func.call @count_wrong(%found, %expected) : ({any_size}, {any_size}) -> i64
  return %wrong : i64
}}
""")


COUNT_WRONG = string.Template("""
func.func @count_wrong(%found: tensor<?x?x$sum>, %expected: tensor<?x?x$sum>) -> i64 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %none = arith.constant 0 : i64
  %rows = tensor.dim %found, %c0 : tensor<?x?x$sum>
  %expected_rows = tensor.dim %expected, %c0 : tensor<?x?x$sum>
  %cols = tensor.dim %expected, %c1 : tensor<?x?x$sum>
  %same = arith.cmpi eq, %rows, %expected_rows : index
  cf.assert %same, "the number of tokens differs"
  %wrong = scf.for %i = %c0 to %rows step %c1 iter_args(%a = %none) -> i64 {
    %row = scf.for %j = %c0 to %cols step %c1 iter_args(%b = %a) -> i64 {
      %found_sum = tensor.extract %found[%i, %j] : tensor<?x?x$sum>
      %expected_sum = tensor.extract %expected[%i, %j] : tensor<?x?x$sum>
      %f = arith.bitcast %found_sum : $sum to i32
      %e = arith.bitcast %expected_sum : $sum to i32
      %differs = arith.cmpi ne, %f, %e : i32
      %one = arith.extui %differs : i1 to i64
      %sum = arith.addi %b, %one : i64
      scf.yield %sum : i64
    }
    scf.yield %row : i64
  }
  return %wrong : i64
}
""")


# Linux lets a process use the tiles of AMX after arch_prctl(ARCH_REQ_XCOMP_PERM, 18).
REQUEST_TILES = """
  %arch_prctl = arith.constant 158 : i64
  %request = arith.constant 0x1023 : i64
  %tile_data = arith.constant 18 : i64
  %refused = call @syscall(%arch_prctl, %request, %tile_data) : (i64, i64, i64) -> i64
  %granted = arith.cmpi eq, %refused, %none : i64
  cf.assert %granted, "the system refuses the use of tiles"
"""


def write_main(out, shapes, request_tiles):
    if request_tiles:
        out.write("func.func private @syscall(i64, i64, i64) -> i64\n")
    out.write("func.func @main() {\n  %none = arith.constant 0 : i64\n")
    if request_tiles:
        out.write(REQUEST_TILES)
    total = "%none"
    for index, (kind, m, n, k) in enumerate(shapes):
        out.write(f"  %w{index} = call @case{index}() : () -> i64\n")
        out.write(f"  %bad{index} = arith.cmpi ne, %w{index}, %none : i64\n")
        out.write(f"  scf.if %bad{index} {{\n")
        out.write(f'    vector.print str "differs: {kind} M={m} N={n} K={k}, elements "\n')
        out.write(f"    vector.print %w{index} : i64\n  }}\n")
        out.write(f"  %t{index} = arith.addi {total}, %w{index} : i64\n")
        total = f"%t{index}"
    out.write(f'  vector.print str "kernels: {len(shapes)} cases, wrong elements "\n')
    out.write(f"  vector.print {total} : i64\n  return\n}}\n")


def make_parser(description):
    """The options that say which cases to write."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--tokens", type=parse_sizes, required=True, metavar="M,...")
    parser.add_argument("--rows", type=parse_sizes, required=True, metavar="N,...")
    parser.add_argument("--cols", type=parse_sizes, required=True, metavar="K,...")
    parser.add_argument("--cuts", type=parse_sizes, default=[], metavar="N,...",
                        help="rows at which a matrix is cut, each part a product of its own")
    return parser


def write_module(out, args, make, multiply, types=("i8", "i32"), request_tiles=False):
    """All cases of `args`: make(kind, tokens, n, k) gives activations for each of the
    tokens, and trits; multiply(x, trits) what is expected. `types` are those of
    activations and sums."""
    shapes = []
    matrices = itertools.product(args.kinds.split(","), args.rows, args.cols)
    for number, (kind, n, k) in enumerate(matrices):
        xs, trits = make(kind, args.tokens, n, k)
        write_product(out, f"product{number}", trits, args.cuts, types)
        for x in xs:
            write_case(out, len(shapes), f"product{number}", x, multiply(x, trits))
            shapes.append((kind, len(x), n, k))
    out.write(COUNT_WRONG.substitute(sum=types[1]))
    write_main(out, shapes, request_tiles)


def multiply_integers(x, trits):
    return x.astype(np.int32) @ trits.astype(np.int32).T


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--kinds", default="random", metavar="KIND,...",
                        help="random, all-fives, low-minus, low-plus, high-plus")
    parser.add_argument("--request-tiles", action="store_true",
                        help="ask Linux for the use of AMX first")
    args = parser.parse_args()
    make = functools.partial(make_operands, np.random.default_rng(158))
    write_module(sys.stdout, args, make, multiply_integers, request_tiles=args.request_tiles)


if __name__ == "__main__":
    main()
