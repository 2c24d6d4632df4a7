"""The command line of the generator of checkpoints."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import Error
from .checkpoint import Options, write_checkpoint
from .presets import PRESETS, Weights
from .tensors import DTYPES

EXIT_INPUT = 1


def main(arguments: list[str] | None = None) -> int:
    """Runs the generator: 0 done, 1 the folder cannot be written. A faulty command
    line exits with 2, by argparse."""
    options = _parser().parse_args(arguments)
    try:
        write_checkpoint(
            PRESETS[options.preset],
            options.output,
            Options(
                options.layers,
                options.weights and Weights(options.weights),
                options.dtype,
                options.seed,
            ),
            report=lambda message: print(f"ternc.synth: {message}", file=sys.stderr),
        )
    except Error as error:
        print(error, file=sys.stderr)
        return EXIT_INPUT
    return 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m ternc.synth",
        description="Write a checkpoint of a published shape with random ternary "
        "weights: config.json, tokenizer.json and safetensors files, in the layout "
        "of the real one. It computes as much, and makes no sense.",
        epilog="presets: " + ", ".join(PRESETS),
    )
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        required=True,
        metavar="NAME",
        help="the model whose shape to take; see the end",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--layers", type=_positive, metavar="N", help="number of layers"
    )
    parser.add_argument(
        "--weights",
        choices=[weights.value for weights in Weights],
        help="how projections are stored: packed trits, or floats (master weights)",
    )
    parser.add_argument(
        "--dtype", choices=DTYPES, help="of float tensors (default: as published)"
    )
    parser.add_argument(
        "--seed",
        type=_natural,
        default=0,
        metavar="S",
        help="the same seed gives the same bytes (default: %(default)s)",
    )
    return parser
