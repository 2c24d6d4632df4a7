"""The ways in which a graph quantises activations per token, by their absmax."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Codes:
    """Codes in [-128, 127] as floats, and what turns them back.

    `value / factor` where `divides`, else `value * factor`, is near x.
    """

    value: str
    factor: str
    divides: bool


def bounded_absmax(g, x, dtype):
    # 127 / 1e-5 is infinite in f16, and rows of zeros are NaN then.
    eps = g.rng.choice([1e-5, 1e-6, 1e-2]) if dtype != np.float16 else 1e-2
    eps = np.array(eps, dtype)
    top = g.reduce("ReduceMax", g.node("Abs", x), [-1])
    if g.rng.random() < 0.7:
        return g.node("Clip", top, eps)
    return g.swap("Max", top, eps)


def scale_of(g, x, dtype):
    """The name of s, or of the step 1 / s, and which of them it is."""
    top = bounded_absmax(g, x, dtype)
    qmax = g.scalar(127, dtype)
    form = g.rng.choice(["reciprocal", "one_over", "quotient", "step"])
    g.notes.append(f"scale {form}")
    if form == "reciprocal":
        return g.swap("Mul", g.node("Reciprocal", top), qmax), False
    if form == "one_over":
        return g.swap("Mul", g.node("Div", g.scalar(1, dtype), top), qmax), False
    if form == "quotient":
        return g.node("Div", qmax, top), False
    return g.node("Div", top, qmax), True


def clamp(g, value, dtype):
    low, high = np.array(g.rng.choice([-128, -127]), dtype), np.array(127, dtype)
    if g.rng.random() < 0.8:
        return g.node("Clip", value, low, high)
    return g.swap("Min", g.swap("Max", value, low), high)


def rounded(g, value, dtype):
    if g.rng.random() < 0.7:
        return g.node("Round", value)
    g.notes.append("half up")
    return g.node("Floor", g.swap("Add", value, g.scalar(0.5, dtype)))


def quantize(g, x, dtype):
    """Codes of `x`, which is of `dtype`."""
    factor, is_step = scale_of(g, x, dtype)
    value = g.node("Div", x, factor) if is_step else g.swap("Mul", x, factor)
    if g.rng.random() < 0.8:
        value = clamp(g, rounded(g, value, dtype), dtype)
    else:
        value = rounded(g, clamp(g, value, dtype), dtype)
    return Codes(g.noise(value, dtype), factor, divides=not is_step)


def dequantize(g, codes):
    if codes.divides:
        return g.node("Div", codes.value, codes.factor)
    return g.swap("Mul", codes.value, codes.factor)
