"""Makes malformed models of every kind and checks how ternc refuses them.

Each must fail with exit code 1 within the time limit, in an address space that is
far smaller than what the files claim to hold, and with an error that names the file
and says what the case lists: node, operator, what was found, what was expected.

Usage: refusals.py SCRATCH [NAME...]
NAMEs select cases, which also prints their messages. The cases are in malformed/.
"""

import pathlib
import resource
import subprocess
import sys

from malformed import files, graphs, nodes, tensors, values  # noqa: F401, they fill CASES
from malformed.cases import CASES

SECONDS = 60
ADDRESS_SPACE = 6 << 30  # the shared libraries alone reserve more than 1 GB


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def check(folder, maker, expected, stage, verbose):
    """Returns what is wrong, or nothing."""
    folder.mkdir()
    path = folder / "model.onnx"
    maker(path)
    try:
        run = subprocess.run(["ternc", path, "-o", "-", f"--stop-after={stage}"],
                             capture_output=True, errors="replace", timeout=SECONDS,
                             preexec_fn=limit_memory)
    except subprocess.TimeoutExpired:
        return f"still running after {SECONDS} s"
    if verbose:
        print(run.stderr)
    found = f"found exit code {run.returncode} and\n{run.stderr[:2000]}"
    if run.returncode != 1 or run.stdout:
        return f"expected exit code 1 and no output, {found}"
    missing = [part for part in (f"{path}: error: ",) + expected if part not in run.stderr]
    return f"expected {missing} in the message, {found}" if missing else ""


def main(scratch, *names):
    scratch = pathlib.Path(scratch)
    scratch.mkdir(parents=True)
    (scratch / "secret.bin").write_bytes(bytes(1024))
    refused = 0
    for name in names or CASES:
        problem = check(scratch / name, *CASES[name], verbose=bool(names))
        refused += not problem
        if problem:
            print(f"{name}: {problem}")
    print(f"{refused} of {len(names or CASES)} malformed models refused")
    return refused != len(names or CASES)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
