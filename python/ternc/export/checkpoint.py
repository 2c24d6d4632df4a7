"""The tensors of a checkpoint folder, read one at a time."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import ml_dtypes  # noqa: F401  (registers bfloat16, which safetensors asks NumPy for)
import numpy as np
from safetensors import SafetensorError, safe_open

from .errors import ExportError

# Elements of a matrix that are read at a time.
_PART_ELEMENTS = 2**22

FLOATS = ("F32", "BF16", "F16")


@dataclass(frozen=True)
class TensorInfo:
    """Where a tensor lies and what its header declares."""

    name: str
    file: Path
    dtype: str  # safetensors' name: "BF16", "U8", …
    shape: tuple[int, ...]


class Checkpoint:
    """The safetensors files of a folder, as one name space.

    Reads headers at once and data on demand, so memory holds one tensor at a
    time. A sharded checkpoint is found through `model.safetensors.index.json`.
    Raises ExportError for a missing, truncated or contradictory file.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._tensors: dict[str, TensorInfo] = {}
        self._used: set[str] = set()
        index = folder / "model.safetensors.index.json"
        expected = _read_index(index) if index.exists() else None
        files = (
            _single_files(folder)
            if expected is None
            else sorted(set(expected.values()))
        )
        for file in files:
            self._add_file(folder / file)
        for name, file in (expected or {}).items():
            if name not in self._tensors:
                raise ExportError(
                    f"{folder / file}: error: tensor '{name}' is missing\n"
                    f"  {index.name} expects it in this file"
                )

    def _add_file(self, path: Path) -> None:
        try:
            with safe_open(path, framework="numpy") as file:
                for name in file.keys():
                    entry = file.get_slice(name)
                    info = TensorInfo(
                        name, path, entry.get_dtype(), tuple(entry.get_shape())
                    )
                    if name in self._tensors:
                        raise ExportError(
                            f"{path}: error: tensor '{name}' is also in "
                            f"{self._tensors[name].file.name}"
                        )
                    self._tensors[name] = info
        except FileNotFoundError:
            raise ExportError(f"{path}: error: no such file") from None
        except (OSError, SafetensorError) as error:
            raise ExportError(
                f"{path}: error: not a safetensors file: {error}"
            ) from error

    def find(self, *names: str) -> TensorInfo | None:
        """The first of `names` that the checkpoint holds."""
        for name in names:
            if name in self._tensors:
                self._used.add(name)
                return self._tensors[name]
        return None

    def get(self, *names: str) -> TensorInfo:
        """As find, but a missing tensor is an error that lists `names`."""
        info = self.find(*names)
        if info is None:
            others = "".join(f" (or '{name}')" for name in names[1:])
            raise ExportError(
                f"{self.folder}: error: tensor '{names[0]}'{others} is missing"
            )
        return info

    def get_float(self, shape: tuple[int, ...], *names: str) -> TensorInfo:
        """As get, for a float tensor of `shape`."""
        info = self.get(*names)
        expect(info, (FLOATS, shape))
        return info

    def ignore(self, name: str) -> None:
        """Keeps a tensor that the model does not need out of `unused`."""
        self._used.add(name)

    def read(self, info: TensorInfo) -> np.ndarray:
        """The data of a tensor, in its own dtype (bfloat16 by ml_dtypes)."""
        with _reading(info) as file:
            return file.get_tensor(info.name)

    def read_parts(self, info: TensorInfo) -> Iterator[np.ndarray]:
        """As read for a matrix, in blocks of rows that memory hardly notices."""
        rows, columns = info.shape
        step = max(1, _PART_ELEMENTS // columns)
        with _reading(info) as file:
            matrix = file.get_slice(info.name)
            for row in range(0, rows, step):
                yield matrix[row : min(row + step, rows)]

    def read_f32(self, info: TensorInfo) -> np.ndarray:
        """The data of a float tensor as float32, which holds all it can say."""
        values = self.read(info).astype(np.float32)
        if not np.isfinite(values).all():
            raise ExportError(
                f"{info.file}: error: tensor '{info.name}'\n"
                "  found an infinity or a NaN; expected finite numbers"
            )
        return values

    def unused(self) -> list[str]:
        """Names of the tensors that nothing has asked for, sorted."""
        return sorted(self._tensors.keys() - self._used)


@contextlib.contextmanager
def _reading(info: TensorInfo) -> Iterator[safe_open]:
    try:
        with safe_open(info.file, framework="numpy") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise ExportError(
            f"{info.file}: error: tensor '{info.name}' cannot be read: {error}"
        ) from error


def expect(info: TensorInfo, *forms: tuple[tuple[str, ...], tuple[int, ...]]) -> None:
    """Raises ExportError unless the tensor has the shape and one of the dtypes
    of one of `forms`."""
    if any(info.dtype in dtypes and info.shape == shape for dtypes, shape in forms):
        return
    expected = (f"{' or '.join(dtypes)} {list(shape)}" for dtypes, shape in forms)
    raise ExportError(
        f"{info.file}: error: tensor '{info.name}'\n"
        f"  found {info.dtype} {list(info.shape)}; expected {', or '.join(expected)}"
    )


def _read_index(path: Path) -> dict[str, str]:
    try:
        weight_map = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        files = dict(weight_map)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(
            f"{path}: error: not an index of shards: {error!r}"
        ) from error
    for name, file in files.items():
        # The index must not lead out of the checkpoint's folder.
        if not isinstance(file, str) or Path(file).name != file:
            raise ExportError(
                f"{path}: error: tensor '{name}'\n"
                f"  found file {file!r}; expected the name of a file in the same folder"
            )
    return files


def _single_files(folder: Path) -> list[str]:
    if (folder / "model.safetensors").exists():
        return ["model.safetensors"]
    files = sorted(path.name for path in folder.glob("*.safetensors"))
    if not files:
        raise ExportError(f"{folder}: error: found no *.safetensors file")
    return files
