"""Compiles models with ternc and runs what it made."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np

# A model that takes longer than this hangs.
_COMPILE_SECONDS, _RUN_SECONDS = 600, 300


class Failed(Exception):
    """A program failed; the message is what it wrote to standard error."""


def _run(command, seconds, **environment):
    done = subprocess.run(
        [os.fspath(part) for part in command],
        capture_output=True,
        timeout=seconds,
        env={**os.environ, **environment},
    )
    if done.returncode:
        errors = done.stderr.decode(errors="replace").strip()
        raise Failed(f"{command[0]}: exit code {done.returncode}: {errors[:2000]}")
    return done.stdout.decode()


def compile_model(model, output, *options):
    """Compiles the ONNX file `model` to an executable; returns its path."""
    _run(["ternc", model, "-o", output, *options], _COMPILE_SECONDS)
    return Path(output)


def variants(executable):
    """The variants that this CPU can run, best first."""
    names = json.loads(_run([executable, "--info", "--json"], _RUN_SECONDS))["variants"]
    found = []
    for name in names:
        try:
            _run([executable, "--info"], _RUN_SECONDS, TERN_VARIANT=name)
            found.append(name)
        except Failed:
            pass
    return found


def run_arrays(executable, inputs, variant=None, threads=2):
    """Runs the graph on arrays by name; returns its outputs by name."""
    given, made = (Path(f"{executable}.{kind}.npz") for kind in ("in", "out"))
    np.savez(given, **inputs)
    environment = {"TERN_VARIANT": variant} if variant else {}
    _run(
        [executable, "--inputs", given, "--outputs", made, "--threads", str(threads)],
        _RUN_SECONDS,
        **environment,
    )
    with np.load(made) as archive:
        return dict(archive)


def run_text(executable, *arguments, variant=None):
    """What the executable writes to standard output."""
    environment = {"TERN_VARIANT": variant} if variant else {}
    return _run([executable, *arguments], _RUN_SECONDS, **environment)
