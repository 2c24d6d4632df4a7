"""Writes small models for the tests of this folder: FOLDER."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INFO = helper.make_tensor_value_info


def save(folder, name, nodes, inputs, outputs, constants=(), metadata=None):
    graph = helper.make_graph(nodes, name, inputs, outputs,
                              [numpy_helper.from_array(value, key) for key, value in constants])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, metadata or {})
    onnx.checker.check_model(model)
    onnx.save(model, f"{folder}/{name}.onnx")


def main():
    folder = sys.argv[1]
    node, f32, i64 = helper.make_node, TensorProto.FLOAT, TensorProto.INT64
    save(folder, "empty", [node("Neg", ["x"], ["y"])],
         [INFO("x", f32, ["n", 4])], [INFO("y", f32, ["n", 4])])
    types = [("flag", TensorProto.BOOL), ("small", TensorProto.INT8), ("byte", TensorProto.UINT8),
             ("half", TensorProto.FLOAT16), ("double", TensorProto.DOUBLE)]
    save(folder, "types", [node("Identity", [key], [key + "_out"]) for key, _ in types],
         [INFO(key, kind, []) for key, kind in types],
         [INFO(key + "_out", kind, []) for key, kind in types])
    # Of 400, 65 * 4 and 1200 bytes; the first again; the last a splat, and bools.
    save(folder, "weights",
         [node("Add", ["x", "a"], ["p"]), node("Mul", ["p", "a2"], ["y"]),
          node("Neg", ["b"], ["z"]), node("Identity", ["s"], ["w"]),
          node("Where", ["m", "b300", "x300"], ["v"])],
         [INFO("x", f32, [100]), INFO("x300", f32, [300])],
         [INFO("y", f32, [100]), INFO("z", f32, [65]), INFO("w", f32, [300]),
          INFO("v", f32, [300])],
         [("a", np.arange(100, dtype=np.float32)), ("a2", np.arange(100, dtype=np.float32)),
          ("b", np.arange(65, dtype=np.float32)), ("s", np.full(300, 2.5, np.float32)),
          ("m", np.arange(300) % 3 == 0), ("b300", np.arange(300, dtype=np.float32))])
    cache = ["batch", 2, "past", 4]
    save(folder, "lm",
         [node("Gather", ["table", "input_ids"], ["e"]),
          node("Reshape", ["e", "heads"], ["h"]),
          node("Transpose", ["h"], ["new"], perm=[0, 2, 1, 3]),
          node("Concat", ["past", "new"], ["present"], axis=2),
          node("ReduceSum", ["present"], ["total"], keepdims=0),
          node("Add", ["e", "total"], ["g"]), node("MatMul", ["g", "head"], ["logits"])],
         [INFO("past", f32, cache), INFO("attention_mask", i64, ["batch", "total"]),
          INFO("input_ids", i64, ["batch", "sequence"])],
         [INFO("present", f32, ["batch", 2, "total", 4]),
          INFO("logits", f32, ["batch", "sequence", 16])],
         [("table", np.ones((16, 8), np.float32)), ("heads", np.array([0, -1, 2, 4])),
          ("head", np.ones((8, 16), np.float32))],
         {"tern.context": "24", "tern.bos_token_id": "3", "tern.eos_token_ids": "1, 2"})
    with open(f"{folder}/tokens.json", "w", encoding="utf-8") as tokens:
        tokens.write('{"model": {}}')


if __name__ == "__main__":
    main()
