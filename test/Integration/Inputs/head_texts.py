"""Compares the texts of two executables: "<count> texts, <count> differ"."""

import sys

from compiled import run_text

PROMPTS = ["Once upon a time", "The little dog", "Lily wanted", "One day, a bird"]
OPTIONS = [
    ["-n", "60", "--temperature", "0"],
    ["-n", "60", "--temperature", "0.9", "--top-k", "5", "--seed", "1"],
    ["-n", "60", "--temperature", "1.5", "--top-k", "40", "--top-p", "0.9", "--seed", "2"],
    ["-n", "60", "--temperature", "0", "--repetition-penalty", "1.3"],
    ["-n", "40", "--temperature", "0.8", "--top-p", "0.9", "--seed", "3"],
]


def main():
    first, second = sys.argv[1:]
    count = differ = 0
    for prompt in PROMPTS:
        for options in OPTIONS:
            count += 1
            texts = [run_text(path, prompt, *options) for path in (first, second)]
            if texts[0] != texts[1]:
                differ += 1
                print("differs:", prompt, options, *texts, sep="\n")
    print(f"{count} texts, {differ} differ")


if __name__ == "__main__":
    main()
