"""Writes graphs that are, or only resemble, language models: FOLDER."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F32, I64 = TensorProto.FLOAT, TensorProto.INT64


def save(folder, name, nodes, inputs, outputs, metadata=None):
    constants = [numpy_helper.from_array(np.ones((16, 8), np.float32), "table"),
                 numpy_helper.from_array(np.ones((32, 8), np.float32), "places"),
                 numpy_helper.from_array(np.ones((8, 16), np.float32), "head")]
    info = helper.make_tensor_value_info
    graph = helper.make_graph([helper.make_node(*node[:3], **node[3]) for node in nodes], name,
                              [info(*value) for value in inputs],
                              [info(*value) for value in outputs], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, metadata or {})
    onnx.checker.check_model(model)
    onnx.save(model, f"{folder}/{name}.onnx")


def main():
    folder = sys.argv[1]
    sequence = ["batch", "sequence"]
    logits = ("logits", F32, sequence + [16])
    embed = ("Gather", ["table", "ids"], ["e"], {})
    head = ("MatMul", ["e", "head"], ["logits"], {})
    ids = ("ids", I64, sequence)
    # Learned positions are looked up too, here first.
    save(folder, "learned",
         [("Gather", ["places", "position_ids"], ["p"], {}), embed,
          ("Add", ["e", "p"], ["s"], {}), ("MatMul", ["s", "head"], ["logits"], {})],
         [("position_ids", I64, sequence), ids], [logits], {"tern.context": "32"})
    # The number of heads is not known, so the cache has no size.
    cache = ["batch", "heads", "past", 4]
    save(folder, "returned",
         [embed, head, ("Identity", ["past"], ["new"], {}),
          ("Concat", ["past", "new"], ["present"], {"axis": -2})],
         [ids, ("past", F32, cache)], [("present", F32, ["batch", "heads", "total", 4]), logits])
    # What token types are, nobody can say.
    save(folder, "types",
         [("Constant", [], ["last"], {"value_ints": [2]}), embed,
          ("Cast", ["token_type_ids"], ["t"], {"to": F32}),
          ("Unsqueeze", ["t", "last"], ["u"], {}), ("Add", ["e", "u"], ["s"], {}),
          ("MatMul", ["s", "head"], ["logits"], {})],
         [ids, ("token_type_ids", I64, sequence)], [logits])


if __name__ == "__main__":
    main()
