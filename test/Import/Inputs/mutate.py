"""Imports damaged copies of models: truncated ones, and ones with flipped bits.

Each must either import or fail with exit code 1 and an error; nothing may crash,
hang, or allocate what the file merely claims. Deterministic.

Usage: mutate.py SCRATCH MUTANTS MODEL...
"""

import pathlib
import random
import resource
import subprocess
import sys


def mutants(data, count):
    """Yields `count` damaged copies of `data`, a third of them truncated."""
    generator = random.Random(len(data))
    for number in range(count):
        if number % 3 == 0:
            yield data[: generator.randrange(len(data))]
            continue
        copy = bytearray(data)
        for _ in range(generator.randint(1, 4)):
            copy[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
        yield bytes(copy)


def main(scratch, count, *models):
    path = pathlib.Path(scratch) / "mutant.onnx"
    rejected = 0
    for model in models:
        for number, mutant in enumerate(mutants(pathlib.Path(model).read_bytes(), int(count))):
            path.write_bytes(mutant)
            run = subprocess.run(["tern-import-test", path], capture_output=True, timeout=60,
                                 errors="replace")
            rejected += run.returncode
            if run.returncode not in (0, 1) or (run.returncode and "error: " not in run.stderr):
                sys.exit(f"mutant {number} of {model}: exit code {run.returncode}\n{run.stderr}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    if peak > 1024:
        sys.exit(f"importing took {peak} MiB; expected at most 1024")
    print("some mutants were rejected" if rejected else "no mutant was rejected")


main(*sys.argv[1:])
