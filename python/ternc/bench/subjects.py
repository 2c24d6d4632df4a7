"""What can be measured: a compiled model, or another program for the same shape."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..errors import Error
from .build import Program
from .disturbance import Disturbance
from .process import Finished, run

_TEST = re.compile(r"(pp|tg)([1-9][0-9]*)")
_PROMPT = "Once upon a time there was a"


@dataclass(frozen=True)
class BenchTest:
    """pp512: a prompt of 512 tokens at once. tg128: 128 tokens one after another."""

    kind: str  # pp or tg
    tokens: int

    @property
    def name(self) -> str:
        return f"{self.kind}{self.tokens}"

    @property
    def mean_position(self) -> float:
        """Of its tokens, in a sequence that starts with them."""
        return (self.tokens - 1) / 2


def parse_test(text: str) -> BenchTest:
    """Raises ValueError."""
    match = _TEST.fullmatch(text)
    if match is None:
        raise ValueError(f"found '{text}'; expected ppN or tgN, such as pp512,tg128")
    return BenchTest(match[1], int(match[2]))


@dataclass(frozen=True)
class Sample:
    """One run of a subject."""

    rates: dict[str, float]  # tokens a second, by the test's name
    peak_rss: int  # bytes
    disturbance: Disturbance


class Subject(Protocol):
    """Something that is measured next to others."""

    @property
    def name(self) -> str: ...

    @property
    def file_bytes(self) -> int | None:
        """Of what it loads; None: not known."""

    def measure(self, tests: Sequence[BenchTest], threads: int) -> Sample:
        """Runs every test once, after a run to warm up. Raises ternc.Error."""

    def first_token(self, threads: int) -> float | None:
        """Seconds from the start of a process to its end, which produces one token
        after a prompt of a few words. None: it cannot do that."""


@dataclass(frozen=True)
class CompiledModel:
    """A program that ternc wrote."""

    name: str
    program: Program

    @property
    def file_bytes(self) -> int:
        return self.program.file_bytes

    def measure(self, tests: Sequence[BenchTest], threads: int) -> Sample:
        done = self._run(
            "--bench", ",".join(test.name for test in tests), "--runs", "1", "--json",
            "--threads", str(threads),
        )  # fmt: skip
        rates = {}
        for line in done.stdout.splitlines():
            result = json.loads(line)
            rates[result["name"]] = result["median"]
        return Sample(rates, done.peak_rss, done.disturbance)

    def first_token(self, threads: int) -> float:
        return self._run(
            _PROMPT, "-n", "1", "--temperature", "0", "--threads", str(threads)
        ).seconds

    def _run(self, *arguments: str) -> Finished:
        return run([str(self.program.path), *arguments])


@dataclass(frozen=True)
class PeerCommand:
    """A program that takes llama-bench's options and writes its JSON: llama.cpp's,
    ik_llama.cpp's and bitnet.cpp's do."""

    name: str
    command: tuple[str, ...]

    @staticmethod
    def parse(text: str) -> PeerCommand:
        """Reads NAME=CMD. Raises ValueError."""
        name, separator, command = text.partition("=")
        words = tuple(shlex.split(command))
        if not separator or not name.strip() or not words:
            raise ValueError(f"found '{text}'; expected NAME=CMD")
        return PeerCommand(name.strip(), words)

    @property
    def file_bytes(self) -> int | None:
        """Of the file that follows -m or --model."""
        for option, value in zip(self.command, self.command[1:]):
            if option in ("-m", "--model") and Path(value).is_file():
                return Path(value).stat().st_size
        return None

    def measure(self, tests: Sequence[BenchTest], threads: int) -> Sample:
        """llama-bench runs the product of its options: -p and -n each with a list
        is one run a test."""
        command = [*self.command, "-t", str(threads), "-r", "1", "-o", "json"]
        for option, kind in (("-p", "pp"), ("-n", "tg")):
            counts = [str(test.tokens) for test in tests if test.kind == kind]
            command += [option, ",".join(counts) or "0"]
        done = run(command)
        return Sample(
            parse_llama_bench(done.stdout, tests), done.peak_rss, done.disturbance
        )

    def first_token(self, threads: int) -> None:
        return None


def parse_llama_bench(text: str, tests: Sequence[BenchTest]) -> dict[str, float]:
    """Tokens a second by test, from llama-bench's JSON, which other lines may come
    before. Raises ternc.Error where a test is missing."""
    rates = {}
    try:
        for entry in json.loads(text[text.index("[\n") :]):
            kind = "tg" if entry["n_gen"] else "pp"
            rates[f"{kind}{entry['n_gen'] or entry['n_prompt']}"] = entry["avg_ts"]
    except (ValueError, KeyError, TypeError) as error:
        raise Error(
            "llama-bench: error: its output is not understood; expected JSON with "
            f"n_prompt, n_gen and avg_ts ({error})"
        ) from error
    missing = [test.name for test in tests if test.name not in rates]
    if missing:
        raise Error(f"llama-bench: error: its output lacks {', '.join(missing)}")
    return {test.name: rates[test.name] for test in tests}


@dataclass(frozen=True)
class Worker:
    """A script that runs in another Python environment: it reads a JSON object on
    stdin and writes one on the last line of stdout."""

    name: str
    python: Path
    script: Path
    request: dict = field(hash=False)
    model_file: Path | None = None

    @property
    def file_bytes(self) -> int | None:
        if self.model_file is None:
            return None
        data = self.model_file.with_name(self.model_file.name + ".data")
        files = [file for file in (self.model_file, data) if file.exists()]
        return sum(file.stat().st_size for file in files)

    def measure(self, tests: Sequence[BenchTest], threads: int) -> Sample:
        request = {
            **self.request,
            "tests": [[test.kind, test.tokens] for test in tests],
            "threads": threads,
        }
        done = run(
            [str(self.python), str(self.script)],
            {"OMP_NUM_THREADS": str(threads)},
            json.dumps(request),
        )
        rates = json.loads(done.stdout.splitlines()[-1])
        return Sample(rates, done.peak_rss, done.disturbance)

    def first_token(self, threads: int) -> None:
        return None
