"""Writes a graph that adds up a constant of 4 bytes more than may be computed."""

import sys

import onnx
import onnx.parser

COUNT = (256 << 20) // 4 + 64 * 8 // 4 + 1

onnx.save(onnx.parser.parse_model(f"""<ir_version: 10, opset_import: ["" : 20]>
g (float[N] x) => (float[N] y) <int64[1] size = {{{COUNT}}}> {{
  [big] ones = ConstantOfShape <value = float[1] {{1}}> (size)
  [sum] s = ReduceSum <keepdims = 0> (ones)
  [add] y = Add (x, s)
}}"""), sys.argv[1])  # fmt: skip
