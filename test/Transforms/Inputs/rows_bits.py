"""run PACKED: adds to the model of rows.py, at the pack stage, a main that calls
it on arrays of several sizes and prints the bits of all results. compare A B: two
such outputs."""

import re
import sys
from pathlib import Path

import numpy as np

HEADS, WIDTH = 3, 7
COLUMNS = HEADS * WIDTH
# Batches and tokens: one row, an odd number, more than vectors have lanes, none.
SIZES = [(1, 1), (1, 5), (3, 1), (2, 19), (1, 0), (0, 2)]
# Squares that overflow, or are denormal or zero; zeros of both signs. No infinity, as
# the sign of a NaN is open.
EXTREMES = np.float32([1.5e38, 1e19, 1.0, 1e-20, 1e-30, 1e-44, 0.0])
# The ranks and the last sizes of results.
RESULTS = ["?x?x21", "?x?x21", "?x?x1", "?x21x?"]


def values(random, *shape):
    plain = random.normal(size=shape).astype(np.float32)
    extreme = random.choice(EXTREMES, shape) * random.choice(np.float32([-1, 1]), shape)
    # Whole rows of either, and mixed ones.
    which = random.integers(0, 3, shape[:-1] + (1,))
    mixed = random.integers(0, 2, shape)
    return np.where((which + mixed * (which == 1)) > 1, extreme, plain)


def constant(name, array, general):
    kind = "".join(f"{size}x" for size in array.shape) + "f32"
    data = f'"0x{array.tobytes().hex()}"' if array.size else ""
    return f"""  %{name}c = arith.constant dense<{data}> : tensor<{kind}>
  %{name} = tensor.cast %{name}c : tensor<{kind}> to tensor<{general}xf32>
"""


def print_bits(i, shape):
    return f"""  %bits{i} = arith.bitcast %y#{i} : tensor<{shape}xf32> to tensor<{shape}xi32>
  %any{i} = tensor.cast %bits{i} : tensor<{shape}xi32> to tensor<*xi32>
  call @printMemrefI32(%any{i}) : (tensor<*xi32>) -> ()
"""


def print_sizes(i, shape):
    """printMemrefI32 reads elements where there are none."""
    text = ""
    for dim in range(3):
        text += f"""  %c{i}{dim} = arith.constant {dim} : index
  %size{i}{dim} = tensor.dim %y#{i}, %c{i}{dim} : tensor<{shape}xf32>
  vector.print %size{i}{dim} : index
"""
    return text


def write_case(index, batch, tokens):
    random = np.random.default_rng(index)
    types = ", ".join(f"tensor<{shape}xf32>" for shape in RESULTS)
    text = f"func.func @case{index}() {{\n"
    text += constant("x", values(random, batch, tokens, COLUMNS), f"?x?x{COLUMNS}")
    text += constant("heads", values(random, batch, HEADS, tokens, WIDTH), f"?x{HEADS}x?x{WIDTH}")
    text += constant("weight", values(random, COLUMNS), f"{COLUMNS}")
    text += f"""  %y:4 = call @graph(%x, %heads, %weight)
      : (tensor<?x?x{COLUMNS}xf32>, tensor<?x{HEADS}x?x{WIDTH}xf32>, tensor<{COLUMNS}xf32>) -> ({types})
"""
    for i, shape in enumerate(RESULTS):
        text += print_sizes(i, shape) if batch * tokens == 0 else print_bits(i, shape)
    return text + "  return\n}\n"


def run(packed):
    text = Path(packed).read_text().replace("@main(", "@graph(")
    text = text[: text.rindex("}")]
    text += "func.func private @printMemrefI32(tensor<*xi32>) attributes {llvm.emit_c_interface}\n"
    for index, size in enumerate(SIZES):
        text += write_case(index, *size)
    calls = "".join(f"  call @case{index}() : () -> ()\n" for index in range(len(SIZES)))
    print(f"{text}func.func @main() {{\n{calls}  return\n}}\n}}")


def compare(one, other):
    outputs = [re.sub("base@ = [^ ]*", "", Path(path).read_text()) for path in (one, other)]
    count = outputs[0].count("Memref") + len(re.findall(r"^\d+$", outputs[0], re.M)) // 3
    print(f"{count} results, {'equal' if outputs[0] == outputs[1] else 'different'}")


{"run": run, "compare": compare}[sys.argv[1]](*sys.argv[2:])
