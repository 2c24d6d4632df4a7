"""Compiling a model with ternc, and running what comes out."""

import subprocess

import ml_dtypes
import numpy as np


class Compiler:
    """`program` is ternc; `folder` is where files may be written."""

    def __init__(self, program, folder, options=("--cpu=native",), timeout=600):
        self.program = program
        self.folder = folder
        self.options = list(options)
        self.timeout = timeout

    def compile(self, model, output):
        """The exit status and messages of `ternc MODEL -o OUTPUT`."""
        command = [self.program, str(model), "-o", str(output), *self.options]
        return run(command, self.timeout)

    def execute(self, program, feeds):
        """The outputs by name, or a message."""
        arrays = {name: storable(array) for name, array in feeds.items()}
        np.savez(self.folder / "in.npz", **arrays)
        outputs = self.folder / "out.npz"
        outputs.unlink(missing_ok=True)
        status, text = run([str(program), "--inputs", str(self.folder / "in.npz"),
                            "--outputs", str(outputs)], self.timeout)  # fmt: skip
        if status:
            return None, f"the program exits with {status}: {text}"
        with np.load(outputs) as data:
            return {name: data[name] for name in data.files}, ""


def run(command, timeout):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return -1, f"no end within {timeout} s"
    return done.returncode, done.stderr.strip()


def storable(array):
    """As .npz holds it: bfloat16 has no descriptor there, so its bits go."""
    if array.dtype == ml_dtypes.bfloat16:
        return array.view("V2")
    return array
