"""Checks --perplexity of a compiled model whose KV cache is derived against
onnxruntime's logits of the windows' tokens, each window read at once.

Usage: derived_perplexity.py MODEL FOLDER, with ternc on the PATH
"""

import json
import math
import pathlib
import subprocess
import sys

import numpy as np
import onnxruntime

TEXT = "It was the best of times, it was the worst of times.\n"
WINDOW = 16


def byte_letters():
    """The letters that byte-level tokenizers write bytes as."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printed]
    letters = {byte: chr(byte) for byte in printed}
    letters.update({byte: chr(256 + i) for i, byte in enumerate(others)})
    return letters


def tokenizer():
    """Every byte is a token of its own."""
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False,
             "use_regex": False}
    vocab = {letter: byte for byte, letter in byte_letters().items()}
    return {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": level,
            "post_processor": None, "decoder": level,
            "model": {"type": "BPE", "vocab": vocab, "merges": []}}


def expected_loss(session, tokens):
    losses = []
    for start in range(0, len(tokens) - 1, WINDOW):
        read = tokens[start:start + WINDOW]
        feeds = {}
        for value in session.get_inputs():
            feeds[value.name] = np.array([read])
            if "mask" in value.name:
                feeds[value.name] = np.ones((1, len(read)), np.int64)
            elif "position" in value.name:
                feeds[value.name] = np.arange(len(read))[None]
        logits = session.run(None, feeds)[0][0].astype(np.float64)
        largest = logits.max(axis=-1)
        sums = largest + np.log(np.exp(logits - largest[:, None]).sum(axis=-1))
        following = tokens[start + 1:start + WINDOW + 1]
        losses += [sums[i] - logits[i, token] for i, token in enumerate(following)]
    return math.fsum(losses) / len(losses)


def main():
    model, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    (folder / "text").write_text(TEXT)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    subprocess.run(["ternc", model, "--cpu=generic", "--context=32", "--tokenizer",
                    folder / "tokenizer.json", "-o", folder / "out"], check=True)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model, options)
    output = subprocess.run(
        [folder / "out", "--perplexity", folder / "text", "--window", str(WINDOW), "--json"],
        capture_output=True, check=True, text=True).stdout
    found, loss = json.loads(output), expected_loss(session, list(TEXT.encode()))
    assert found["tokens"] == len(TEXT) - 1, found
    assert math.isclose(found["loss"], loss, rel_tol=1e-3), (found, loss)
    info = subprocess.run([folder / "out", "--info"], capture_output=True, check=True,
                          text=True).stdout
    assert "cache: appended in place" in info, info
    print(f"{found['tokens']} tokens, perplexity: right")


if __name__ == "__main__":
    main()
