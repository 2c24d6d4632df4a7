"""Runs the ternc command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .errors import Error
from .model import Model

# build/bin of the source tree that this package lies in.
_BUILT = Path(__file__).resolve().parents[2] / "build" / "bin" / "ternc"


class CompileError(Error):
    """ternc refused; the message is what it wrote."""

    def __init__(self, message: str, exit_code: int):
        """`exit_code`: 1 the model is at fault, 2 the options, 3 a bug of ternc."""
        super().__init__(message)
        self.exit_code = exit_code


def find_compiler() -> str:
    """The ternc command: $TERNC, or on the PATH, or in the source tree's build."""
    candidates = (os.environ.get("TERNC"), "ternc", _BUILT)
    for candidate in filter(None, candidates):
        if found := shutil.which(candidate):
            return found
        if candidate is candidates[0]:
            raise Error(
                f"TERNC: found '{candidate}'; expected the path of the ternc command"
            )
    raise Error(f"ternc is neither on the PATH nor at {_BUILT}; set TERNC to its path")


def compile(
    model: str | os.PathLike,
    output: str | os.PathLike | None = None,
    *,
    emit: str = "lib",
    threads: int = 0,
    **options: str | int | bool | None,
) -> Model | Path:
    """Compiles an ONNX file and loads the result.

    Writes `output` (the model's path without its suffix, if None) with the
    suffix that ternc adds. Options are ternc's, with `_` for `-`: `cpu="native"`
    becomes `--cpu=native`, `report=True` becomes `--report`; None and False
    leave one out. Returns a Model of `threads` threads, or for another `emit`
    than "lib" the path that was passed as `-o`. Raises CompileError.
    """
    output = Path(model).with_suffix("") if output is None else Path(output)
    if emit == "lib" and output.suffix == ".so":
        output = output.with_suffix("")
    command = [
        find_compiler(),
        os.fspath(model),
        "-o",
        os.fspath(output),
        f"--emit={emit}",
    ]
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            command.append(flag)
        elif value is not None and value is not False:
            command.append(f"{flag}={value}")
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise CompileError(
            done.stderr.strip() or f"{command[0]} failed", done.returncode
        )
    # Warnings, and what report and verbose asked for.
    sys.stderr.write(done.stderr)
    return Model(f"{output}.so", threads) if emit == "lib" else output
