"""Writes an MLIR module that multiplies floats and compares bits, case by case.

As kernel_cases.py, of activations in f32. What is expected is summed up by NumPy, from 0
on and in the order of the columns: an activation that meets trit 1 is added, one that
meets -1 is taken off, and one that meets 0 is skipped, whatever it is.

spread      numbers of very different sizes, among them denormals and -0.0, so that each
            order of additions gives another sum; columns of trits 0 have NaNs and infinities
infinite    as spread; an infinity meets each of the trits, in different rows
tiny        zeros of both signs and denormals, with rows all -1, all 1 and mixed
all-fives   as spread, with the trits of kernel_cases.py's kind of that name
whole       small integers: every order gives the same sum
"""

import functools
import sys

import numpy as np
from kernel_cases import all_fives, make_parser, write_module

DENORMAL = np.finfo(np.float32).smallest_subnormal
SKIPPED = np.array([np.nan, np.inf, -np.inf], np.float32)


def make_spread(rng, shape):
    x = (rng.normal(0, 1, shape) * 2.0 ** rng.integers(-12, 13, shape)).astype(np.float32)
    some = rng.integers(0, 16, shape)
    x[some == 0] = -0.0
    x[some == 1] = -3 * DENORMAL
    return x


def make_activations(rng, kind, shape):
    if kind == "whole":
        return rng.integers(-8, 9, shape).astype(np.float32)
    if kind == "tiny":
        return rng.choice(np.array([0, -0.0, DENORMAL, -DENORMAL], np.float32), shape)
    return make_spread(rng, shape)


def make_operands(rng, kind, tokens, n, k):
    """Activations [m, k] for each m of `tokens`, and trits [n, k]."""
    trits = rng.integers(-1, 2, (n, k)).astype(np.int8)
    xs = [make_activations(rng, kind, (m, k)) for m in tokens]
    if kind == "all-fives":
        trits = all_fives(n, k).astype(np.int8)
    if kind == "tiny":
        trits[::3], trits[1::3] = -1, 1
    if kind == "spread":
        # Behind others, if there are such: what is skipped would change a sum.
        trits[:, 1::5] = 0
        for x in xs:
            x[:, 1::5] = rng.choice(SKIPPED, x[:, 1::5].shape)
    if kind == "infinite":
        trits[:, k // 2 : k // 2 + 1] = (np.arange(n)[:, None] + 1) % 3 - 1
        for x in xs:
            x[:, k // 2 : k // 2 + 1] = np.inf * (-1.0) ** np.arange(len(x))[:, None]
    return xs, trits


def multiply(x, trits):
    sums = np.zeros((len(x), len(trits)), np.float32)
    with np.errstate(invalid="ignore"):
        for column, met in zip(x.T, trits.T):
            activation = column[:, None]
            sums = np.where(met == 1, sums + activation, np.where(met == -1, sums - activation, sums))
    assert sums.dtype == np.float32 and not np.isnan(sums).any()
    return sums


def main():
    parser = make_parser(__doc__.splitlines()[0])
    parser.add_argument("--kinds", required=True, metavar="KIND,...")
    make = functools.partial(make_operands, np.random.default_rng(159))
    write_module(sys.stdout, parser.parse_args(), make, multiply, types=("f32", "f32"))


if __name__ == "__main__":
    main()
