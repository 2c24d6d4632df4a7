"""Writes a model file tensor by tensor, all or nothing.

protobuf would want every initializer in memory, and a copy of it to serialise.
Here onnx serialises everything but the bytes of the lazy tensors; this module
frames those in the one GraphProto, in the two length-delimited fields below.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnx
from onnx import ModelProto, TensorProto

from .errors import ExportError
from .graph import LazyTensor

# A protobuf message is at most 2 GiB; leave room for the framing.
MAX_INLINE_BYTES = 2**31 - 2**24

# Offsets of external tensors, so that each can be mapped by itself.
_PAGE = 4096

# A doc_string of so many bytes, its tag and length included, reaches any alignment
# of elements; an empty one takes two.
_MAX_PADDING = 8

_GRAPH = ModelProto.DESCRIPTOR.fields_by_name["graph"].number
_INITIALIZER = onnx.GraphProto.DESCRIPTOR.fields_by_name["initializer"].number
_RAW_DATA = TensorProto.DESCRIPTOR.fields_by_name["raw_data"].number


def write_model(
    path: Path,
    model: ModelProto,
    tensors: list[LazyTensor],
    external: bool | None,
    advance: Callable[[int], None] = lambda num_bytes: None,
) -> None:
    """Writes `model` with `tensors` added to its initializers.

    With `external`, or if it is None and the file would pass protobuf's 2 GiB,
    the tensors' bytes go to `<path>.data`. `advance` is called with the number of
    bytes after each block of them. Raises ExportError if something
    cannot be written or produced; `path` is then as it was before.
    """
    size = model.ByteSize() + sum(tensor.num_bytes for tensor in tensors)
    if external is False and size > MAX_INLINE_BYTES:
        raise ExportError(
            f"{path}: error: the model takes {size} bytes; "
            f"a file without external data holds at most {MAX_INLINE_BYTES}"
        )
    if external or size > MAX_INLINE_BYTES:
        _write_external(path, model, tensors, advance)
    else:
        _write_inline(path, model, tensors, advance)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Opens a file that takes the place of `path` when the block succeeds."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise ExportError(
            f"{path}: error: cannot be written: {error.strerror}"
        ) from error
    try:
        with open(descriptor, "wb") as file:
            yield file
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except OSError as error:
        raise ExportError(
            f"{path}: error: cannot be written: {error.strerror}"
        ) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_inline(
    path: Path,
    model: ModelProto,
    tensors: list[LazyTensor],
    advance: Callable[[int], None],
) -> None:
    graph = model.graph.SerializeToString()
    rest = ModelProto()
    rest.CopyFrom(model)
    rest.ClearField("graph")
    start = rest.SerializeToString()
    headers, size = _inline_headers(len(start), graph, tensors)
    with replacing(path) as file:
        file.write(start)
        file.write(_length_delimited(_GRAPH, size))
        file.write(graph)
        for header, tensor in zip(headers, tensors):
            file.write(header)
            _write_data(file, tensor, advance)


def _inline_headers(
    start: int, graph: bytes, tensors: list[LazyTensor]
) -> tuple[list[bytes], int]:
    """What precedes the data of each tensor, and the size of the whole GraphProto,
    which follows `start` bytes and begins with `graph`."""
    # The size of the graph's length shifts the tensors, whose padding is a part of
    # that length: try sizes until one agrees with itself.
    for length_size in range(1, 6):
        first = start + 1 + length_size
        offset = first + len(graph)
        headers = []
        for tensor in tensors:
            headers.append(_inline_header(tensor, offset))
            offset += len(headers[-1]) + tensor.num_bytes
        if len(_varint(offset - first)) == length_size:
            break
    return headers, offset - first


def _inline_header(tensor: LazyTensor, offset: int) -> bytes:
    """The field of an initializer up to the bytes of its raw data, which are
    aligned to their elements, so that a reader can map them."""
    proto = _declare(tensor)
    for padding in range(_MAX_PADDING + 1):
        if padding:
            proto.doc_string = " " * (padding - 1)
        body = proto.SerializeToString() + _length_delimited(
            _RAW_DATA, tensor.num_bytes
        )
        prefix = _length_delimited(_INITIALIZER, len(body) + tensor.num_bytes)
        if (offset + len(prefix) + len(body)) % _alignment(tensor) == 0:
            break
    return prefix + body


def _alignment(tensor: LazyTensor) -> int:
    return max(1, tensor.num_bytes // max(1, math.prod(tensor.dims)))


def _write_external(
    path: Path,
    model: ModelProto,
    tensors: list[LazyTensor],
    advance: Callable[[int], None],
) -> None:
    data = path.with_name(path.name + ".data")
    # Both files are complete before either takes its place.
    with replacing(path) as file, replacing(data) as data_file:
        for tensor in tensors:
            data_file.write(bytes(-data_file.tell() % _PAGE))
            proto = _declare(tensor)
            proto.data_location = TensorProto.EXTERNAL
            for key, value in (
                ("location", data.name),
                ("offset", data_file.tell()),
                ("length", tensor.num_bytes),
            ):
                proto.external_data.add(key=key, value=str(value))
            model.graph.initializer.append(proto)
            _write_data(data_file, tensor, advance)
        file.write(model.SerializeToString())
        file.flush()


def _declare(tensor: LazyTensor) -> TensorProto:
    return TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)


def _write_data(
    file: BinaryIO, tensor: LazyTensor, advance: Callable[[int], None]
) -> None:
    written = 0
    for part in tensor.produce():
        data = np.ascontiguousarray(part).reshape(-1).view(np.uint8)
        file.write(memoryview(data))
        written += data.nbytes
        advance(data.nbytes)
    # The length is already in the file: a mismatch would corrupt it.
    if written != tensor.num_bytes:
        raise ValueError(f"{tensor.name}: {written} bytes, not {tensor.num_bytes}")


def _length_delimited(field: int, length: int) -> bytes:
    """The tag and length that open a length-delimited protobuf field."""
    return _varint(field << 3 | 2) + _varint(length)


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
