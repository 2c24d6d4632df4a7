"""Writes safetensors files a block at a time, in shards as Hugging Face does.

The format: eight bytes with the header's length, the header as JSON, padded with
spaces to a multiple of eight, then the tensors' bytes without gaps.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..export.writer import replacing
from .tensors import Tensor

# The default of transformers' save_pretrained.
MAX_SHARD_BYTES = 5 * 10**9


def write_shards(
    folder: Path,
    tensors: list[Tensor],
    seed: int,
    advance: Callable[[int], None],
    max_shard_bytes: int = MAX_SHARD_BYTES,
) -> list[str]:
    """Writes `model.safetensors`, or shards and their index if it would be larger
    than `max_shard_bytes`. Returns the names of the files that hold tensors.

    `advance` is called with the number of bytes after each block. Raises
    ternc.Error if a file cannot be written.
    """
    shards = _split(tensors, max_shard_bytes)
    names = _names(len(shards))
    for name, shard in zip(names, shards):
        _write_file(folder / name, shard, seed, advance)
    if len(shards) > 1:
        index = {
            "metadata": {"total_size": sum(tensor.num_bytes for tensor in tensors)},
            "weight_map": {
                tensor.name: name
                for name, shard in zip(names, shards)
                for tensor in shard
            },
        }
        with replacing(folder / "model.safetensors.index.json") as file:
            file.write(json.dumps(index, indent=2, sort_keys=True).encode() + b"\n")
    return names


def _names(count: int) -> list[str]:
    if count == 1:
        return ["model.safetensors"]
    return [f"model-{i + 1:05}-of-{count:05}.safetensors" for i in range(count)]


def _split(tensors: list[Tensor], limit: int) -> list[list[Tensor]]:
    """Fills one shard after the other; a tensor larger than `limit` has its own."""
    shards: list[list[Tensor]] = [[]]
    size = 0
    for tensor in tensors:
        if shards[-1] and size + tensor.num_bytes > limit:
            shards.append([])
            size = 0
        shards[-1].append(tensor)
        size += tensor.num_bytes
    return shards


def _write_file(
    path: Path, tensors: list[Tensor], seed: int, advance: Callable[[int], None]
) -> None:
    # Wide elements first, as safetensors itself orders them: all are aligned.
    ordered = sorted(tensors, key=lambda tensor: (-tensor.item_size, tensor.name))
    with replacing(path) as file:
        file.write(_header(ordered))
        for tensor in ordered:
            written = 0
            for part in tensor.generate(seed):
                data = np.ascontiguousarray(part).reshape(-1).view(np.uint8)
                file.write(memoryview(data))
                written += data.nbytes
                advance(data.nbytes)
            # The length is already in the header: a mismatch would corrupt it.
            if written != tensor.num_bytes:
                raise ValueError(
                    f"{tensor.name}: {written} bytes, not {tensor.num_bytes}"
                )


def _header(tensors: list[Tensor]) -> bytes:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in tensors:
        end = offset + tensor.num_bytes
        header[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": tensor.shape,
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
