"""Compiles the story model, and compares what it tells with its references.

check_story.py CHECKPOINT MODEL.onnx EXECUTABLE [TERNC_OPTION...]

Runs every variant that this CPU can. Bounds are those of the checkpoint's README;
the perplexity of a part of its valid.txt is compared with onnxruntime's.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from compiled import compile_model, run_arrays, run_text, variants
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Python"))
from sessions import Decoder  # noqa: E402

MAX_BYTES = 9_000_000
LIBRARIES = ("linux-vdso", "ld-linux", "libc.", "libm.", "libstdc++.", "libgcc_s.")
# Bytes of valid.txt to measure: some four windows of the context.
PART_BYTES, WINDOW = 8000, 512


def check_file(executable):
    """Yields what is wrong with the executable's size and dependencies."""
    size = executable.stat().st_size
    if size >= MAX_BYTES:
        yield f"{size} bytes, expected less than {MAX_BYTES}"
    listing = subprocess.run(["ldd", executable], capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        name = Path(line.split()[0]).name
        if not name.startswith(LIBRARIES):
            yield f"needs {name}"


def check_texts(executable, checkpoint, variant):
    """Yields what is wrong with greedy texts, for 1 and 2 threads."""
    reference = json.loads((checkpoint / "reference.json").read_text())["generations"]
    for threads in ("1", "2"):
        wrong = []
        for prompt, one in reference.items():
            count = len(one["output_ids"]) - len(one["prompt_ids"])
            options = ["--temperature", "0", "--repetition-penalty", "1"]
            options += ["-n", str(count), "--threads", threads]
            if run_text(executable, prompt, *options, variant=variant) != one["text"] + "\n":
                wrong.append(prompt)
        if len(reference) != 6 or len(wrong) > 1:
            yield f"{threads} threads: other texts for {wrong}"


def check_logits(executable, checkpoint, variant):
    """Yields what is wrong with the logits of one pass."""
    with np.load(checkpoint / "reference.npz") as reference:
        ids, expected = reference["ids"][None], reference["logits"]
    config = json.loads((checkpoint / "config.json").read_text())
    heads = config["num_key_value_heads"]
    width = config["hidden_size"] // config["num_attention_heads"]
    inputs = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "position_ids": np.arange(ids.size)[None],
    }
    for layer in range(config["num_hidden_layers"]):
        for part in ("key", "value"):
            inputs[f"past_key_values.{layer}.{part}"] = np.zeros(
                (1, heads, 0, width), np.float32
            )
    found = run_arrays(executable, inputs, variant)["logits"][0]
    error = np.abs(found - expected)
    if error[:4].max() > 1e-3 or error.max() > 0.5 or error.mean() > 0.05:
        yield f"logits off by {error.max():.3g}, {error.mean():.3g} on average"
    best = np.sort(expected, axis=1)
    clear = best[:, -1] - best[:, -2] > 0.3
    if (found.argmax(axis=1) != expected.argmax(axis=1))[clear].any():
        yield "another best token where the reference is clear"


def compute_loss(model, tokens):
    """The mean loss by onnxruntime, over windows that each start fresh."""
    decoder, losses = Decoder(model), []
    for begin in range(0, len(tokens) - 1, WINDOW):
        targets = tokens[begin + 1 : begin + 1 + WINDOW]
        decoder.reset()
        logits = decoder.step([tokens[begin : begin + len(targets)]])[0]
        logits = logits.astype(np.float64)
        largest = logits.max(axis=1)
        sums = np.log(np.exp(logits - largest[:, None]).sum(axis=1)) + largest
        losses += (sums - logits[np.arange(len(targets)), targets]).tolist()
    return np.mean(losses)


def check_perplexity(executable, part, count, perplexity, variant):
    """Yields what is wrong with the perplexity of a text file."""
    output = run_text(executable, "--perplexity", str(part), "--json", variant=variant)
    found = json.loads(output)
    if found["tokens"] != count:
        yield f"predicted {found['tokens']} tokens, expected {count}"
    if abs(found["perplexity"] / perplexity - 1) > 1e-3:
        yield f"perplexity {found['perplexity']}, expected {perplexity}"


def main():
    checkpoint, model, output = map(Path, sys.argv[1:4])
    executable = compile_model(model, output, *sys.argv[4:])
    part = Path(f"{output}.txt")
    part.write_bytes((checkpoint / "valid.txt").read_bytes()[:PART_BYTES])
    text = part.read_bytes().decode(errors="replace")
    tokens = Tokenizer.from_file(str(checkpoint / "tokenizer.json")).encode(text).ids
    perplexity = np.exp(compute_loss(model, tokens))
    wrong = list(check_file(executable))
    for variant in variants(executable):
        for checks in (
            check_texts(executable, checkpoint, variant),
            check_logits(executable, checkpoint, variant),
            check_perplexity(executable, part, len(tokens) - 1, perplexity, variant),
        ):
            wrong += (f"{variant}: {message}" for message in checks)
    print(*wrong, f"{', '.join(variants(executable))}: {len(wrong)} wrong", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
