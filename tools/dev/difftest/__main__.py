"""Compiles random graphs with ternc and compares them with onnxruntime.

Every graph has a name, such as layer-18-123456, that `--case` reproduces.
Exits with 1 where a graph is refused, crashes the compiler or computes
something else.
"""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

import numpy as np

from .compiler import Compiler
from .graph import make_model
from .judge import Judge
from .reduce import reduce, write
from .runner import FAMILIES, Case, Runner, draw_batches


def parse_arguments():
    parser = argparse.ArgumentParser(prog="python -m difftest", description=__doc__)
    parser.add_argument("--seed", type=int, help="of all that is random [default: the clock]")
    parser.add_argument("--count", type=int, default=100, help="graphs of each family")
    parser.add_argument("--family", action="append", choices=list(FAMILIES),
                        help="only this one; may be repeated")  # fmt: skip
    parser.add_argument("--case", action="append", type=Case.parse, metavar="NAME",
                        help="only the graph of this name; may be repeated")  # fmt: skip
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR",
                        help="leave the failing graphs here")  # fmt: skip
    parser.add_argument("--reduce", action="store_true", help="shrink what is kept")
    parser.add_argument("--ternc", default=shutil.which("ternc"), help="[default: on the PATH]")
    parser.add_argument("--options", default="--cpu=native", help="of ternc [%(default)s]")
    options = parser.parse_args()
    if options.reduce and not options.keep:
        parser.error("--reduce needs --keep DIR")
    if not options.ternc:
        parser.error("there is no ternc on the PATH; expected --ternc PROGRAM")
    return options


def batches_of(options, seed):
    if options.case:
        return [[case] for case in options.case]
    families = options.family or list(FAMILIES)
    return [b for family in families for b in draw_batches(family, seed, options.count)]


def report(failure, options, folder):
    print(f"{failure.kind}: {failure.case}: {failure.message}")
    print(f"  {', '.join(failure.notes)}")
    print(f"  reproduce: python -m difftest --case {failure.case} --keep DIR", flush=True)
    if options.keep:
        keep(failure.case, options, folder)


def keep(case, options, folder):
    """Leaves the model and its inputs in a folder, and what it shrinks to."""
    graph = case.build()
    model = make_model([graph], np.random.default_rng(case.seed))
    judge = Judge(Compiler(options.ternc, folder, options.options.split()))
    write(model, graph.feeds[0], options.keep / str(case))
    for feeds in graph.feeds:
        verdict = judge(model, feeds)
        if verdict:
            write(model, feeds, options.keep / str(case))
            if options.reduce:
                smallest = reduce(model, feeds, lambda m, f: verdict.is_like(judge(m, f)))
                write(*smallest, options.keep / f"{case}-reduced")
            return


def main():
    options = parse_arguments()
    seed = time.time_ns() % 1_000_000 if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    total, failed = 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        compiler = Compiler(options.ternc, folder, options.options.split())
        runner = Runner(compiler, folder)
        for batch in batches_of(options, seed):
            failures = runner.check(batch)
            total += len(batch)
            failed += len(failures)
            for failure in failures:
                report(failure, options, folder)
    cpu = sum(os.times()[:4])
    print(f"{total - failed} of {total} graphs agree ({runner.compiled} compilations, "
          f"{cpu:.0f} s of CPU)")  # fmt: skip
    sys.exit(failed != 0)


main()
