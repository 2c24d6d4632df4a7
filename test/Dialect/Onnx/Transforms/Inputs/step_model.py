"""make FOLDER: writes lm_f32.onnx and lm_f16.onnx. check MODEL: compares the
logits of run_step.c on standard input with onnxruntime's."""

import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

# As run_step.c is called: each number is a token, each list a call.
CALLS = [[3, 1, 4], [1], [5, 9, 2, 6]]


def build(name, dtype):
    """Every token sees what its keys and those before it in the cache sum to."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    rng = np.random.default_rng(7)
    constants = {"table": rng.uniform(-1, 1, (16, 8)).astype(dtype),
                 "places": rng.uniform(-1, 1, (32, 8)).astype(dtype),
                 "head": rng.uniform(-1, 1, (8, 16)).astype(dtype),
                 "scale": np.array(0.5, dtype), "heads": np.array([0, -1, 2, 4])}
    node, info = helper.make_node, helper.make_tensor_value_info
    nodes = [
        node("Gather", ["table", "input_ids"], ["tokens"]),
        node("Gather", ["places", "position_ids"], ["positions"]),
        node("Add", ["tokens", "positions"], ["e"]),
        node("Reshape", ["e", "heads"], ["h"]),
        node("Transpose", ["h"], ["new"], perm=[0, 2, 1, 3]),
        node("Concat", ["past", "new"], ["present"], axis=2),
        node("ReduceSum", ["present"], ["total"], keepdims=0),
        node("Cast", ["attention_mask"], ["ones"], to=kind),
        node("ReduceSum", ["ones"], ["length"], keepdims=0),
        node("Div", ["total", "length"], ["mean"]), node("Add", ["e", "mean"], ["g"]),
        node("MatMul", ["g", "head"], ["raw"]), node("Mul", ["raw", "scale"], ["logits"])]
    sequence = ["batch", "sequence"]
    graph = helper.make_graph(
        nodes, name,
        [info("input_ids", TensorProto.INT64, sequence),
         info("position_ids", TensorProto.INT64, sequence),
         info("attention_mask", TensorProto.INT64, ["batch", "total_length"]),
         info("past", kind, ["batch", 2, "past", 4])],
        [info("logits", kind, sequence + [16]), info("present", kind, ["batch", 2, "total", 4])],
        [numpy_helper.from_array(value, key) for key, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def check(path):
    session = onnxruntime.InferenceSession(path)
    dtype = np.float16 if "f16" in path else np.float32
    past, expected = np.zeros((1, 2, 0, 4), dtype), []
    for call in CALLS:
        length = past.shape[2]
        logits, past = session.run(["logits", "present"], {
            "input_ids": np.array([call]),
            "position_ids": np.arange(length, length + len(call))[None],
            "attention_mask": np.ones((1, length + len(call)), np.int64), "past": past})
        expected.append(logits[0, -2:])
    found = np.loadtxt(sys.stdin, ndmin=2)
    expected = np.concatenate(expected).astype(np.float64)
    tolerance = 1e-5 if dtype == np.float32 else 2e-2
    wrong = found.shape != expected.shape or np.abs(found - expected).max() > tolerance
    print(f"step: {len(expected)} rows of logits, {'wrong' if wrong else 'right'}")


def main():
    if sys.argv[1] == "check":
        check(sys.argv[2])
        return
    for name, dtype in (("lm_f32", np.float32), ("lm_f16", np.float16)):
        onnx.save(build(name, dtype), f"{sys.argv[2]}/{name}.onnx")


if __name__ == "__main__":
    main()
