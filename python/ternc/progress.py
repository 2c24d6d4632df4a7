"""Shows how far a long piece of work is."""

from __future__ import annotations

import sys
import time
from typing import TextIO

# Seconds between two updates, on a terminal and in a log.
_TERMINAL_INTERVAL = 0.2
_LOG_INTERVAL = 10.0


class Progress:
    """A line on `stream`, or stderr, that says what share of `total` bytes is done.

    On a terminal the line is rewritten in place; in a log a new one appears now
    and then, so that work of a few seconds leaves none. Use as a context manager:
    the terminal's line is ended even if the work fails.
    """

    def __init__(self, label: str, total: int, stream: TextIO | None = None):
        self._label = label
        self._total = total
        self._stream = stream or sys.stderr
        self._done = 0
        self._on_terminal = self._stream.isatty()
        self._interval = _TERMINAL_INTERVAL if self._on_terminal else _LOG_INTERVAL
        self._start = self._shown = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error) -> None:
        if self._on_terminal:
            self._show()
            print(file=self._stream)

    def advance(self, num_bytes: int) -> None:
        """Counts `num_bytes` more as done."""
        self._done += num_bytes
        now = time.monotonic()
        if now - self._shown >= self._interval:
            self._shown = now
            self._show()

    def _show(self) -> None:
        seconds = time.monotonic() - self._start
        share = self._done / self._total if self._total else 1.0
        text = (
            f"{self._label}: {share:4.0%} of {self._total / 1e6:.1f} MB, {seconds:.0f} s"
        )
        end = "" if self._on_terminal else "\n"
        start = "\r" if self._on_terminal else ""
        print(start + text, end=end, file=self._stream, flush=True)
