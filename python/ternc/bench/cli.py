"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..errors import Error
from .models import MODELS, Variant
from .peers import PEERS
from .plots import draw, require_matplotlib
from .report import format_results
from .session import Plan, run_plan
from .subjects import PeerCommand, BenchTest, parse_test

EXIT_INPUT = 1
EXIT_INTERRUPTED = 130
_MAX_THREADS = 256


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark: 0 done, 1 something failed, 130 interrupted. A faulty
    command line exits with 2, by argparse."""
    parser = _parser()
    options = parser.parse_args(arguments)
    plan = _plan(parser, options)
    try:
        if options.plots:
            require_matplotlib()
        if options.json:
            _require_writable(options.json)
        results = _read(options.read) if options.read else _run(plan, options.json)
        if options.json:
            _write(options.json, results)
        print(format_results(results))
        if options.plots:
            for file in draw(results, options.plots):
                _note(f"wrote {file}")
    except Error as error:
        print(error, file=sys.stderr)
        return EXIT_INPUT
    except KeyboardInterrupt:
        _note("interrupted")
        return EXIT_INTERRUPTED
    return 0


def _run(plan: Plan, file: Path | None) -> dict:
    """Measures. What is known goes into `file` whenever there is more of it, and is
    printed where the rest fails: a run takes hours."""
    kept: dict = {}

    def keep(results: dict) -> None:
        kept.update(results)
        if file:
            _write(file, results)

    try:
        return run_plan(plan, _note, keep)
    except (Error, KeyboardInterrupt):
        if kept:
            print(format_results(kept), flush=True)
        raise


def _note(message: str) -> None:
    print(f"ternc.bench: {message}", file=sys.stderr)


def _plan(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Plan:
    if options.peer_command and len(options.models) != 1:
        parser.error(
            "--peer-command runs one model: "
            f"found {len(options.models)} --models; expected one"
        )
    models = [MODELS[name] for name in options.models]
    if options.layers:
        for model in models:
            if model.shape.layers < options.layers[1]:
                parser.error(
                    f"--layers: found {options.layers[1]}; {model.name} has "
                    f"{model.shape.layers}"
                )
        models = [replace(model, measured_layers=options.layers) for model in models]
    longest = max(test.tokens for test in options.tests)
    for name in options.models:
        if MODELS[name].context < longest:
            parser.error(
                f"--tests: found {longest} tokens; {name} has a context of "
                f"{MODELS[name].context}"
            )
    return Plan(
        models=tuple(models),
        variants=tuple(Variant(name) for name in options.variants),
        tests=tuple(options.tests),
        threads=tuple(options.threads),
        rounds=options.rounds,
        cache=options.cache,
        rebuild=options.rebuild,
        peers=tuple(options.peers),
        peer_commands=tuple(options.peer_command),
    )


def _read(path: Path) -> dict:
    try:
        results = json.loads(path.read_text())
    except OSError as error:
        raise Error(f"{path}: error: {error.strerror}") from error
    except ValueError as error:
        raise Error(f"{path}: error: not JSON: {error}") from error
    if not isinstance(results, dict) or results.get("format") != 1:
        raise Error(f"{path}: error: not a result of this benchmark")
    return results


def _write(path: Path, results: dict) -> None:
    """Writes all or nothing: a fault leaves what was measured before."""
    text = json.dumps(results, indent=1) + "\n"
    try:
        if _is_device(path):
            path.write_text(text)
        else:
            with _replacement_of(path) as new:
                new.write_text(text)
    except OSError as error:
        raise Error(f"{path}: error: {error.strerror}") from error


def _require_writable(path: Path) -> None:
    """Fails before the hours of measuring, not after them."""
    try:
        if path.exists():
            path.open("ab").close()
        if not _is_device(path):
            _beside(path).open("wb").close()
            _beside(path).unlink()
    except OSError as error:
        raise Error(f"{path}: error: cannot be written: {error.strerror}") from error


def _is_device(path: Path) -> bool:
    """Whether it is a pipe, say, which no file may take the place of."""
    return path.exists() and not path.is_file()


def _beside(path: Path) -> Path:
    """A name in the folder of what `path` is or links to."""
    target = path.resolve()
    return target.with_name(f".{target.name}.{os.getpid()}")


@contextmanager
def _replacement_of(path: Path) -> Iterator[Path]:
    """A file that takes the place of `path` in the end."""
    new = _beside(path)
    try:
        yield new
        if path.exists():
            shutil.copymode(path, new)
        new.replace(path.resolve())
    finally:
        new.unlink(missing_ok=True)


def _list_of(choices):
    """A parser of names separated by commas, each at most once."""

    def parse(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        for name in names:
            if name not in choices:
                raise argparse.ArgumentTypeError(
                    f"found '{name}'; expected some of {', '.join(choices)}"
                )
        if not names or len(set(names)) < len(names):
            raise argparse.ArgumentTypeError(
                f"found '{text}'; expected names, each once"
            )
        return names

    return parse


def _tests(text: str) -> list[BenchTest]:
    try:
        return list(dict.fromkeys(map(parse_test, text.split(","))))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _threads(text: str) -> list[int]:
    try:
        counts = list(dict.fromkeys(map(int, text.split(","))))
    except ValueError:
        counts = [0]
    if not all(1 <= count <= _MAX_THREADS for count in counts):
        raise argparse.ArgumentTypeError(
            f"found '{text}'; expected numbers from 1 to {_MAX_THREADS}, such as 1,2"
        )
    return counts


def _layers(text: str) -> tuple[int, int]:
    try:
        few, many = map(int, text.split(","))
    except ValueError:
        few = many = 0
    if not 1 <= few < many:
        raise argparse.ArgumentTypeError(
            f"found '{text}'; expected two numbers of layers, the lower first, such "
            "as 1,4"
        )
    return few, many


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _peer_command(text: str) -> PeerCommand:
    try:
        return PeerCommand.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tern-bench"


class _Quick(argparse.Action):
    """Sets other options to what takes a minute or two."""

    def __call__(self, parser, namespace, values, option=None):
        namespace.models = ["700m"]
        namespace.tests = [BenchTest("pp", 64), BenchTest("tg", 16)]
        namespace.rounds = 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench",
        description="Measure compiled models of published shapes with random weights, "
        "ternary and not, next to each other; say what the machine could do at most.",
        epilog="models: " + ", ".join(MODELS) + "; those extrapolated from fewer "
        "layers are marked with an asterisk. docs/Performance.md says what "
        "the columns mean.",
    )
    add = parser.add_argument
    add(
        "--models",
        type=_list_of(MODELS),
        default=["700m", "2b4t"],
        metavar="LIST",
        help="shapes, separated by commas; see the end (default: 700m,2b4t)",
    )
    add(
        "--variants",
        type=_list_of([variant.value for variant in Variant]),
        default=[Variant.TERNARY.value, Variant.INT8.value, Variant.FP16.value],
        metavar="LIST",
        help="forms: ternary, int8, fp16, bf16 (default: all but bf16)",
    )
    add(
        "--tests",
        type=_tests,
        default=[BenchTest("pp", 512), BenchTest("tg", 128)],
        metavar="LIST",
        help="ppN: a prompt of N tokens; tgN: N tokens one after another (default: "
        "pp512,tg128)",
    )
    add(
        "--threads",
        type=_threads,
        default=_default_threads(),
        metavar="LIST",
        help="numbers of threads, each measured (default: 1 and the number of CPUs)",
    )
    add(
        "--layers",
        type=_layers,
        metavar="A,B",
        help="make models of A and of B layers only, and extrapolate to the rest: "
        "sooner done, and less exact (default: only for the largest two models)",
    )
    add(
        "--rounds",
        type=_positive,
        default=5,
        metavar="N",
        help="runs of each form, in turn with the others (default: %(default)s)",
    )
    add(
        "--quick",
        action=_Quick,
        nargs=0,
        help="as --models 700m --tests pp64,tg16 --rounds 3",
    )
    add(
        "--peers",
        type=_list_of(PEERS),
        default=[],
        metavar="LIST",
        help="install these into environments of their own and measure them too: "
        + ", ".join(PEERS),
    )
    add(
        "--peer-command",
        type=_peer_command,
        action="append",
        default=[],
        metavar="NAME=CMD",
        help="measure CMD too: a llama-bench, such as 'ik=./llama-bench -m model.gguf'",
    )
    add(
        "--cache",
        type=Path,
        default=_default_cache(),
        metavar="DIR",
        help="where models and environments are kept (default: %(default)s)",
    )
    add("--rebuild", action="store_true", help="make all models anew")
    add("--json", type=Path, metavar="FILE", help="write the results to FILE")
    add("--plots", type=Path, metavar="DIR", help="draw the results into DIR")
    add(
        "--read",
        type=Path,
        metavar="FILE",
        help="print and draw what --json wrote, without measuring",
    )
    return parser


def _default_threads() -> list[int]:
    return list(dict.fromkeys([1, os.cpu_count() or 1]))
