"""A compiled model, loaded into this process."""

from __future__ import annotations

import ctypes
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import abi
from .errors import Error

_CODES = {dtype: code for code, dtype in abi.DTYPES.items()}


@dataclass(frozen=True)
class TensorSpec:
    """What a model declares of one input or output."""

    name: str
    dtype: np.dtype
    shape: tuple[int | str | None, ...]  # a size, a symbol, or None if unnamed

    def check(self, array: np.ndarray) -> None:
        """Raises Error unless `array` has the dtype, rank and fixed sizes."""
        fits = array.dtype == self.dtype and array.ndim == len(self.shape)
        if fits and all(
            found == expected
            for found, expected in zip(array.shape, self.shape)
            if isinstance(expected, int)
        ):
            return
        raise Error(
            f"input '{self.name}': found {array.dtype} {list(array.shape)}; expected {self}"
        )

    def __str__(self) -> str:
        sizes = ("?" if size is None else str(size) for size in self.shape)
        return f"{self.dtype} [{', '.join(sizes)}]"


class Model:
    """A library that ternc wrote with --emit=lib.

    Holds one session, so one thread may use it at a time. Use it in a `with`
    statement, or call close, to give its memory back at a known time.
    """

    def __init__(self, path: str | os.PathLike, threads: int = 0):
        """Loads the library at `path`. `threads` = 0 means one for every core.

        Raises Error if it is no model library, is of another ABI version, or
        cannot be opened.
        """
        self._session = None
        path = Path(path).resolve()
        try:
            self._library = abi.load(str(path))
        except (OSError, AttributeError) as error:
            raise Error(f"{path}: error: not a model library: {error}") from error
        self._model = self._library.tern_get_model().contents
        if self._model.abi_version != abi.ABI_VERSION:
            raise Error(
                f"{path}: error: found ABI version {self._model.abi_version}; "
                f"expected {abi.ABI_VERSION}"
            )
        session = ctypes.c_void_p()
        self._check(self._library.tern_open(threads, ctypes.byref(session)))
        self._session = session
        self.inputs = _specs(self._model.inputs, self._model.num_inputs)
        self.outputs = _specs(self._model.outputs, self._model.num_outputs)

    @property
    def name(self) -> str:
        """Name of the ONNX graph."""
        return _text(self._model.name)

    @property
    def vocab(self) -> int | None:
        """Number of token ids; None unless this is a language model."""
        return self._language_model("vocab")

    @property
    def context(self) -> int | None:
        """Most positions of a sequence; None unless this is a language model."""
        return self._language_model("context")

    def _language_model(self, field: str) -> int | None:
        pointer = self._model.language_model
        return getattr(pointer.contents, field) if pointer else None

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs the graph: arrays by input name to arrays by output name.

        Nothing is converted: dtypes, ranks and fixed sizes must be the inputs'.
        bfloat16 is ml_dtypes.bfloat16.
        """
        self._check_names(inputs)
        arrays = [np.asarray(inputs[spec.name], order="C") for spec in self.inputs]
        for spec, array in zip(self.inputs, arrays):
            spec.check(array)
        tensors = (abi.TernTensor * len(arrays))(*map(_to_tensor, arrays))
        results = (abi.TernTensor * len(self.outputs))()
        self._check(self._library.tern_run(self._open_session(), tensors, results))
        try:
            return {
                spec.name: _to_array(tensor)
                for spec, tensor in zip(self.outputs, results)
            }
        finally:
            for tensor in results:
                self._library.tern_free(tensor.data)

    def generate(
        self,
        prompt: str,
        max_tokens: int = 128,
        *,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
        seed: int = 0,
        on_text: Callable[[str], object] | None = None,
    ) -> str:
        """Continues `prompt` by up to `max_tokens` tokens; returns the new text.

        Greedy by default. top_k = 0, top_p = 1 and repetition_penalty = 1 are
        off. `on_text` gets each piece of text as it is produced; an exception
        it raises ends the generation and passes through.
        """
        pieces: list[str] = []
        failures: list[BaseException] = []

        def emit(_context, data: int, size: int) -> int:
            try:
                pieces.append(ctypes.string_at(data, size).decode())
                if on_text is not None:
                    on_text(pieces[-1])
            except BaseException as failure:  # must not pass through C
                failures.append(failure)
            return bool(failures)

        sampling = abi.TernSampling(temperature, top_k, top_p, repetition_penalty, seed)
        text = prompt.encode()
        status = self._library.tern_generate(
            self._open_session(),
            text,
            len(text),
            max_tokens,
            ctypes.byref(sampling),
            abi.TernTextFn(emit),
            None,
        )
        if failures:
            raise failures[0]
        self._check(status)
        return "".join(pieces)

    def stream(self, prompt: str, max_tokens: int = 128, **sampling) -> Iterator[str]:
        """As generate, yielding each piece of text as it is produced.

        Leaving the loop early ends the generation.
        """
        pieces: queue.SimpleQueue = queue.SimpleQueue()
        abandoned = threading.Event()

        def on_text(piece: str) -> None:
            if abandoned.is_set():
                raise _Abandoned
            pieces.put(piece)

        def produce() -> None:
            try:
                self.generate(prompt, max_tokens, on_text=on_text, **sampling)
                pieces.put(None)
            except BaseException as failure:  # raised again by the consumer
                pieces.put(failure)

        worker = threading.Thread(target=produce)
        worker.start()
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            abandoned.set()
            worker.join()

    def close(self) -> None:
        """Gives the session's memory back. The model cannot run afterwards."""
        if self._session is not None:
            self._library.tern_close(self._session)
            self._session = None

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_exception) -> None:
        self.close()

    def __del__(self):
        self.close()

    def _open_session(self) -> ctypes.c_void_p:
        if self._session is None:
            raise Error("the model is closed")
        return self._session

    def _check(self, status: int) -> None:
        if status:
            raise Error(_text(self._library.tern_last_error()))

    def _check_names(self, inputs: Mapping[str, np.ndarray]) -> None:
        expected = {spec.name for spec in self.inputs}
        if inputs.keys() != expected:
            raise Error(f"found inputs {sorted(inputs)}; expected {sorted(expected)}")


class _Abandoned(Exception):
    """Ends a generation that nobody reads any more."""


def _specs(pointer, count: int) -> tuple[TensorSpec, ...]:
    specs = []
    for entry in pointer[:count]:
        sizes = zip(entry.dims[: entry.rank], entry.symbols[: entry.rank])
        shape = tuple(
            size if size >= 0 else symbol and _text(symbol) for size, symbol in sizes
        )
        specs.append(TensorSpec(_text(entry.name), abi.DTYPES[entry.dtype], shape))
    return tuple(specs)


def _text(data: bytes | None) -> str:
    return (data or b"").decode(errors="replace")


def _to_tensor(array: np.ndarray) -> abi.TernTensor:
    dims = (ctypes.c_int64 * abi.MAX_RANK)(*array.shape)
    return abi.TernTensor(array.ctypes.data, dims, array.ndim, _CODES[array.dtype])


def _to_array(tensor: abi.TernTensor) -> np.ndarray:
    """A copy of an output, so that the library may free its own."""
    dtype = abi.DTYPES[tensor.dtype]
    array = np.empty(tensor.dims[: tensor.rank], dtype)
    ctypes.memmove(array.ctypes.data, tensor.data, array.nbytes)
    return array
