"""Builds an ONNX graph whose large tensors are produced while it is written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass(frozen=True)
class LazyTensor:
    """An initializer whose bytes are made when the file is written."""

    name: str
    data_type: int  # TensorProto.DataType
    dims: tuple[int, ...]
    num_bytes: int
    produce: Callable[[], Iterable[np.ndarray]]  # num_bytes in all, in order


class Graph:
    """Nodes in topological order, with unique names and shared constants.

    Values are named after the scope and the operator that makes them, so a
    message about `model.layers.3.mlp.down_proj/MatMul` points into the
    checkpoint.
    """

    def __init__(self, opset: int):
        self.opset = opset
        self.lazy_tensors: dict[str, LazyTensor] = {}
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._constants: dict[tuple, str] = {}
        self._uses: dict[str, int] = {}
        self._scope = ""

    @contextlib.contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Names what is built inside after the module `name`."""
        outer = self._scope
        self._scope = name
        try:
            yield
        finally:
            self._scope = outer

    def input(self, name: str, data_type: int, shape: list[int | str]) -> str:
        self._inputs.append(helper.make_tensor_value_info(name, data_type, shape))
        return name

    def output(self, name: str, data_type: int, shape: list[int | str]) -> None:
        self._outputs.append(helper.make_tensor_value_info(name, data_type, shape))

    def node(
        self, op: str, *inputs: str, result: str | None = None, **attributes
    ) -> str:
        """Appends a node with one result and returns the result's name."""
        name = self._unique(f"{self._scope}/{op}" if self._scope else op)
        result = result or name
        self._nodes.append(helper.make_node(op, inputs, [result], name, **attributes))
        return result

    def constant(self, value, dtype=np.float32) -> str:
        """A small initializer; equal ones are one."""
        array = np.asarray(value, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            kind = "x".join([array.dtype.name, *map(str, array.shape)])
            self._constants[key] = self.tensor(self._unique(f"constant/{kind}"), array)
        return self._constants[key]

    def ints(self, *values: int) -> str:
        """A constant vector of int64, for axes and shapes."""
        return self.constant(values, np.int64)

    def tensor(self, name: str, array: np.ndarray) -> str:
        """An initializer of a given name that is at hand, such as a norm's weight."""
        self._tensors.append(numpy_helper.from_array(array, name))
        return name

    def lazy_tensor(self, tensor: LazyTensor) -> str:
        """An initializer that is read when the file is written."""
        self.lazy_tensors[tensor.name] = tensor
        return tensor.name

    def to_proto(self, name: str) -> onnx.GraphProto:
        """The graph with all but the lazy tensors."""
        return helper.make_graph(
            self._nodes, name, self._inputs, self._outputs, self._tensors
        )

    def _unique(self, name: str) -> str:
        count = self._uses.get(name, 0)
        self._uses[name] = count + 1
        return f"{name}_{count}" if count else name


FLOAT = TensorProto.FLOAT
INT64 = TensorProto.INT64
