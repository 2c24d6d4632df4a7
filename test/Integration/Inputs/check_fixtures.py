"""Compiles fixtures, runs every case, and compares with the recorded results.

check_fixtures.py FIXTURES OUTPUT_FOLDER [--lowerings]

An array matches within the fixture's tolerances, apart from the few elements
that a code rounded the other way moves. With --lowerings a fixture is compiled
once more with --lowering=portable, and every variant that this CPU can run must
give the very same arrays.
"""

import argparse
import concurrent.futures
import json
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from compiled import Failed, compile_model, run_arrays, variants

# One activation's code may flip at a tie. It moves one row of the outputs, by
# one step of its quantisation.
FLIPPED_PART, FLIPPED_SIZE = 1e-3, 0.05


def read_layer_cases(archive):
    """Pairs of inputs and outputs of a bitlinear fixture."""
    names = sorted(name for name in archive if name.startswith("in"))
    for name in names:
        number = name[2:].split("_")[0]
        yield {"x": archive[name]}, {"y": archive[f"ref{number}_y"]}


def read_model_cases(archive):
    """Pairs of inputs and outputs of a model fixture."""
    for case in sorted({name.split("/")[0] for name in archive}):
        parts = {"in": {}, "out": {}, "ort": {}}
        for name in archive:
            owner, kind, array = name.split("/", 2)
            if owner == case:
                parts[kind][array] = archive[name]
        yield parts["in"], parts["out"] or parts["ort"]


def find_difference(name, found, expected, meta):
    """Says how `found` differs from `expected`, or returns None."""
    if found.shape != expected.shape:
        return f"{name}: found shape {found.shape}, expected {expected.shape}"
    if not expected.size:
        return None
    found, expected = as_floats(found), as_floats(expected)
    error = np.abs(found - expected)
    wrong = ~(error <= meta["atol"] + meta["rtol"] * np.abs(expected))
    small = error[wrong] <= FLIPPED_SIZE * np.abs(expected).max()
    if wrong.mean() <= FLIPPED_PART and small.all():
        return None
    return f"{name}: {wrong.sum()} of {wrong.size} differ, by up to {error.max():.3g}"


def agrees(found, first, meta):
    """Whether two variants agree: to the bit, unless floats are summed.

    Layers with a scale for each block sum floats, which CPUs with fused
    multiply-add round once and others twice.
    """
    if meta.get("variant", {}).get("per") != "block":
        return np.array_equal(found, first, equal_nan=found.dtype.kind == "f")
    return np.allclose(found, first, rtol=0, atol=1e-6 * np.abs(first).max())


def typed_inputs(model, inputs):
    """The arrays as the model takes them; bf16 is recorded as float32."""
    graph = onnx.load(model, load_external_data=False).graph
    types = {i.name: i.type.tensor_type.elem_type for i in graph.input}
    return {
        name: array.astype(ml_dtypes.bfloat16).view("V2")
        if types[name] == onnx.TensorProto.BFLOAT16
        else array
        for name, array in inputs.items()
    }


def as_floats(array):
    """In f64; .npz files hold bf16 as two raw bytes."""
    if array.dtype.kind == "V":
        array = array.view(ml_dtypes.bfloat16)
    return array.astype(np.float64)


def check_case(runs, inputs, expected, meta):
    """Yields what is wrong with the outputs of `runs` for one case."""
    first = None
    for run in runs:
        executable, variant, threads = run
        label = f"{executable.suffix or executable.name}, {variant}, {threads} threads"
        found = run_arrays(executable, inputs, variant, threads)
        first = first or found
        for name, array in expected.items():
            if difference := find_difference(name, found[name], array, meta):
                yield f"{label}: {difference}"
            if not agrees(found[name], first[name], meta):
                yield f"{label}: {name}: other bits than the first run's"


def compile_fixture(model, path, lowerings):
    """Returns the executable, variant and number of threads of each run."""
    if not lowerings:
        return [(compile_model(model, path, "--cpu=native"), None, 2)]
    levels = compile_model(model, path, "--cpu=all")
    portable = compile_model(
        model, f"{path}.portable", "--cpu=native", "--lowering=portable"
    )
    return [
        *((levels, variant, 2) for variant in variants(levels)),
        (levels, None, 1),
        (portable, None, 2),
    ]


def check_fixture(folder, output, lowerings):
    """Returns what is wrong with a fixture, a list of messages."""
    meta = json.loads((folder / "meta.json").read_text())
    with np.load(folder / "io.npz") as archive:
        arrays = dict(archive)
    read = read_layer_cases if "in0_x" in arrays else read_model_cases
    wrong = []
    try:
        runs = compile_fixture(folder / "model.onnx", output / folder.name, lowerings)
        for number, (inputs, expected) in enumerate(read(arrays)):
            given = typed_inputs(folder / "model.onnx", inputs)
            wrong += (
                f"case {number}, {message}"
                for message in check_case(runs, given, expected, meta)
            )
    except Failed as failure:
        wrong.append(str(failure))
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fixtures", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--lowerings", action="store_true")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    folders = sorted(path.parent for path in arguments.fixtures.glob("*/model.onnx"))
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = pool.map(
            lambda folder: check_fixture(folder, arguments.output, arguments.lowerings),
            folders,
        )
        failed = 0
        for folder, wrong in zip(folders, results):
            failed += bool(wrong)
            for message in wrong:
                print(f"{folder.name}: {message}")
    print(f"{len(folders)} fixtures, {failed} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
