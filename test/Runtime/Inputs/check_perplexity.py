"""Checks --perplexity of the fake model against its formula.

Usage: check_perplexity.py TEST_TOOL FOLDER
"""

import json
import math
import pathlib
import subprocess
import sys

VOCAB, CONTEXT, BEGIN = 259, 1100, 256


def expected_loss(tokens, window):
    log_sum = math.log(math.fsum(math.exp(-distance) for distance in range(VOCAB)))
    losses = []
    for i in range(len(tokens) - 1):
        read = tokens[i // window * window:i + 1]
        best = (sum(k * token for k, token in enumerate(read, start=1)) + 1) % VOCAB
        losses.append(log_sum + (tokens[i + 1] - best) % VOCAB)
    return math.fsum(losses) / len(losses)


def main():
    tool, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(exist_ok=True)
    text = ("It was the best of times, it was the worst of times. é\n" * 23).encode()
    (folder / "text").write_bytes(text)
    tokens = [BEGIN, *text]
    for kind in ["in-place", "returned", "none"]:
        for window in [CONTEXT, 1, 100, len(text)]:
            command = [tool, kind, "--perplexity", str(folder / "text"), "--json"]
            if window != CONTEXT:
                command += ["--window", str(min(window, CONTEXT))]
            output = subprocess.run(command, capture_output=True, check=True, text=True)
            found = json.loads(output.stdout)
            loss = expected_loss(tokens, min(window, CONTEXT))
            assert found["tokens"] == len(text), found
            assert math.isclose(found["loss"], loss, rel_tol=1e-6), (kind, window, found, loss)
            assert math.isclose(found["perplexity"], math.exp(found["loss"]), rel_tol=1e-9), found
            assert output.stderr == "", output.stderr
    plain = subprocess.run([tool, "in-place", "--perplexity", str(folder / "text")],
                           capture_output=True, check=True, text=True).stdout.split("\n")
    assert plain[0] == f"tokens {len(text)}", plain
    assert plain[1] == f"loss {expected_loss(tokens, CONTEXT):.6f}", plain
    assert plain[2].startswith("perplexity ") and plain[3:] == [""], plain


if __name__ == "__main__":
    main()
