"""Compares what --profile says of the story model with arithmetic on its shapes.

check_profile.py EXECUTABLE [--screened]
"""

import json
import subprocess
import sys

LAYERS, HIDDEN, MLP, VOCAB = 8, 384, 1024, 4096
PROMPT, GENERATED, RUNS = 40, 5, 2
HEAD_BYTES = VOCAB * HIDDEN * 2  # bfloat16
# 6 bits a weight; in bfloat16 two bounds a row, and one for each 16 rows.
SCREEN_BYTES = VOCAB * HIDDEN * 6 // 8 + (2 * VOCAB + VOCAB // 16) * 2


def expect_product(name, rows, cols, layers, calls, tokens):
    """What is known of a ternary product of 2-bit weights, over `calls` of the model."""
    loops = layers * calls
    return name, loops, loops * rows * cols // 4, layers * tokens * rows * cols


def expect_head(isScreened, calls):
    what = "head screen" if isScreened else "head"
    size = SCREEN_BYTES if isScreened else HEAD_BYTES
    name = f"lm_head/MatMul {what} {VOCAB}x{HIDDEN}"
    return name, calls, calls * size, calls * VOCAB * HIDDEN


def check_phase(phase, expected):
    """Yields what is wrong with the kernels of a phase."""
    kernels = {kernel["name"]: kernel for kernel in phase["kernels"]}
    for name, calls, size, macs in expected:
        kernel = kernels.get(name)
        if not kernel:
            yield f"no kernel '{name}' in {sorted(kernels)}"
            continue
        found = kernel["calls"], kernel["bytes"], kernel["macs"]
        if found != (calls, size, macs):
            yield f"'{name}': found {found}, expected {(calls, size, macs)}"
    inside = sum(kernel["seconds"] for kernel in phase["kernels"])
    if abs(inside + phase["outside_seconds"] - phase["seconds"]) > 1e-6:
        yield f"{inside} s and {phase['outside_seconds']} s are no {phase['seconds']} s"


def check_bench(executable, isScreened):
    tests = f"pp{PROMPT},tg{GENERATED}"
    command = [executable, "--bench", tests, "--runs", str(RUNS), "--threads", "2"]
    run = subprocess.run([*command, "--profile=json"], capture_output=True, text=True, check=True)
    profile = json.loads(run.stderr)
    for name, calls, tokens in [
        ("prefill", RUNS, RUNS * PROMPT),
        ("decode", RUNS * GENERATED, RUNS * GENERATED),
    ]:
        phase = profile[name]
        if (phase["calls"], phase["tokens"]) != (calls, tokens):
            yield f"{name}: {phase['calls']} calls, {phase['tokens']} tokens"
        mlp = "model.layers.*.mlp."
        # Gate and up are one product.
        up, down = f"{2 * MLP}x{HIDDEN} i2", f"{HIDDEN}x{MLP} i2"
        yield from check_phase(
            phase,
            [
                expect_product(
                    f"{mlp}{{gate_proj,up_proj}}/MatMul {up}", 2 * MLP, HIDDEN, LAYERS, calls, tokens
                ),
                expect_product(f"{mlp}down_proj/MatMul {down}", HIDDEN, MLP, LAYERS, calls, tokens),
                expect_head(isScreened, calls),
            ],
        )


def check_text(executable):
    """The text is the same with --profile."""
    command = [executable, "Once upon a time", "-n", "8", "--temperature", "0"]
    texts = {
        subprocess.run([*command, *more], capture_output=True, check=True).stdout
        for more in ([], ["--profile"])
    }
    if len(texts) != 1:
        yield f"the texts differ: {texts}"


wrong = [*check_bench(sys.argv[1], "--screened" in sys.argv), *check_text(sys.argv[1])]
print(*wrong, f"{len(wrong)} wrong", sep="\n")
