"""Runs a suite of conformance cases: python run_suite.py elementwise [--keep DIR]."""

import argparse
import importlib
import pathlib
import sys
import tempfile

import conformance


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite")
    parser.add_argument("--keep", help="leave the intermediate files here")
    options = parser.parse_args()
    suite = importlib.import_module(options.suite + "_cases")
    named = []
    for index, case in enumerate(suite.cases()):
        name = f"{case.op.rpartition('::')[2]}_{index}"
        named.append((name, case, conformance.reference(case)))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(options.keep or temporary)
        folder.mkdir(exist_ok=True)
        library = conformance.compile_cases(named, folder)
        failures = 0
        for name, case, expected in named:
            problem = conformance.runs(library, name, case, expected)
            if problem:
                failures += 1
                print(f"{name}: {problem}")
    print(f"{len(named) - failures} passed, {failures} failed")
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
