"""Measures onnxruntime's MatMulNBits on all projections of a shape and its head.

Request: {"path", "shape", "tests", "threads"}. The model, made once at `path`, holds
the products alone, chained in their order: no attention, no norms. What is measured is
thus the most that onnxruntime could reach with a whole model.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

_BLOCK = 128
_HEAD_BITS = 8


def main() -> None:
    request = json.load(sys.stdin)
    path, shape = Path(request["path"]), request["shape"]
    if not path.exists():
        write_model(path, shape)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = request["threads"]
    session = onnxruntime.InferenceSession(str(path), options)
    rates = {}
    for kind, tokens in request["tests"]:
        step = tokens if kind == "pp" else 1
        x = np.random.default_rng(0).standard_normal((step, shape["hidden"]), np.float32)
        session.run(None, {"x": x})
        start = time.perf_counter()
        for _ in range(0, tokens, step):
            session.run(None, {"x": x})
        rates[f"{kind}{tokens}"] = tokens / (time.perf_counter() - start)
    print(json.dumps(rates))


def write_model(path: Path, shape: dict) -> None:
    """x [tokens, hidden] through every projection; y is the last token's logits."""
    graph = _Graph()
    x = "x"
    width = shape["heads"] * shape["head_dim"]
    kv_width = shape["kv_heads"] * shape["head_dim"]
    for _ in range(shape["layers"]):
        q = graph.product(x, width, shape["hidden"])
        # Keys and values are used by nothing here, so they are results.
        graph.outputs.append(graph.product(x, kv_width, shape["hidden"]))
        graph.outputs.append(graph.product(x, kv_width, shape["hidden"]))
        x = graph.product(q, shape["hidden"], width)
        gate = graph.product(x, shape["inner"], shape["hidden"])
        up = graph.product(x, shape["inner"], shape["hidden"])
        graph.nodes.append(helper.make_node("Add", [gate, up], [f"{up}_sum"]))
        x = graph.product(f"{up}_sum", shape["hidden"], shape["inner"])
    graph.nodes.append(helper.make_node("Gather", [x, "last"], ["row"], axis=0))
    last = helper.make_tensor("last", TensorProto.INT64, [1], [-1])
    graph.tensors.append(last)
    logits = graph.product("row", shape["vocab"], shape["hidden"], _HEAD_BITS)
    outputs = [*graph.outputs, logits]
    proto = helper.make_graph(
        graph.nodes,
        "products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", shape["hidden"]])],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs],
        graph.tensors,
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(proto, ir_version=9, opset_imports=opsets)
    data = path.with_name(path.name + ".data")
    # onnx appends to a file that is there.
    data.unlink(missing_ok=True)
    onnx.save(
        model, path, save_as_external_data=True, location=data.name, size_threshold=1024
    )


class _Graph:
    def __init__(self):
        self.nodes, self.tensors, self.outputs = [], [], []
        self._random = np.random.default_rng(0)
        self._bytes = {}

    def product(self, x: str, rows: int, columns: int, bits: int = 2) -> str:
        """A MatMulNBits of random codes; 2 bits hold -1, 0 and 1 about a zero point
        of 1, and 0.05 as scale."""
        name = f"m{len(self.nodes)}"
        blocks = -(-columns // _BLOCK)
        packed = self._packed((rows, blocks, _BLOCK * bits // 8), bits)
        self._add(f"{name}_codes", packed)
        self._add(f"{name}_scales", np.full(rows * blocks, 0.05, np.float32))
        zero = 0b01010101 if bits == 2 else 128
        points = np.full((rows, -(-blocks * bits // 8)), zero, np.uint8)
        self._add(f"{name}_zeros", points)
        self.nodes.append(
            helper.make_node(
                "MatMulNBits",
                [x, f"{name}_codes", f"{name}_scales", f"{name}_zeros"],
                [name],
                domain="com.microsoft",
                K=columns,
                N=rows,
                bits=bits,
                block_size=_BLOCK,
                accuracy_level=4,
            )
        )
        return name

    def _packed(self, shape: tuple[int, ...], bits: int) -> np.ndarray:
        key = (shape, bits)
        if key not in self._bytes:
            if bits == 2:
                codes = self._random.integers(0, 3, (*shape, 4), np.uint8)
                values = codes @ np.array([1, 4, 16, 64], np.uint8)
            else:
                values = self._random.integers(0, 256, shape, np.uint8)
            self._bytes[key] = values.astype(np.uint8)
        return self._bytes[key]

    def _add(self, name: str, array: np.ndarray) -> None:
        self.tensors.append(onnx.numpy_helper.from_array(array, name))


if __name__ == "__main__":
    main()
