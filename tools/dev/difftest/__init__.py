"""Differential testing of ternc: random ONNX graphs, compared with onnxruntime.

`python -m difftest --help` says how to run it, `reduce.py` how a failure shrinks.
"""
