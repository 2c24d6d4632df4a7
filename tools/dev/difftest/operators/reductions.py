"""Reductions and normalisations."""

import numpy as np

from .draft import Operator
from .values import any_axis, draw_array, one_sided, some_axes, types_of

FIRST_WITH_INPUT = {"ReduceSum": 13}


def reduce(d):
    name = d.operator.name
    # What the maximum of nothing is depends on the version.
    x = d.first(allow_empty=name == "ReduceSum", specials=name == "ReduceMax")
    axes = None if d.chance(0.2) else some_axes(d.rng, x.array.ndim, 1 if x.array.ndim else 0)
    attrs = {} if d.chance(0.3) else {"keepdims": int(d.rng.integers(2))}
    if d.opset < FIRST_WITH_INPUT.get(name, 18):
        return d.node(x, **attrs, **({"axes": axes} if axes else {}))
    if d.chance(0.2):
        attrs["noop_with_empty_axes"] = int(d.rng.integers(2))
    if axes is None:
        return d.node(x, **attrs)
    return d.node(x, d.integers(axes, at_run_time=False), **attrs)


def softmax(d):
    x = d.first(ranks=(1, 4), specials=False)
    d.node(x, **({} if d.chance(0.3) else {"axis": any_axis(d.rng, x.array.ndim)}))


def rms_normalization(d):
    x = d.first(ranks=(1, 4), allow_empty=False, specials=False)
    axis = any_axis(d.rng, x.array.ndim)
    normalized = x.array.shape[axis:]
    scale = d.like(x.array.dtype, one_sided(d.rng, normalized) if d.chance(0.3) else normalized)
    d.node(x, scale, **_norm_attributes(d, axis))


def _norm_attributes(d, axis):
    attrs = {"axis": axis}
    if axis == -1 and d.chance(0.3):
        attrs = {}
    if d.chance(0.6):
        attrs["epsilon"] = float(d.rng.choice([1e-5, 1e-6, 0.1]))
    return attrs


def layer_normalization(d):
    x = d.first(ranks=(1, 4), allow_empty=False, specials=False)
    axis = any_axis(d.rng, x.array.ndim)
    normalized = x.array.shape[axis:]
    bias = None if d.chance(0.4) else d.like(x.array.dtype, normalized)
    d.node(x, d.like(x.array.dtype, normalized), bias, **_norm_attributes(d, axis))


def simplified_normalization(d):
    """onnxruntime's name for RMSNormalization, in the default domain."""
    x = d.first([np.float32], ranks=(1, 4), allow_empty=False, specials=False)
    axis = any_axis(d.rng, x.array.ndim)
    scale = d.like(np.float32, x.array.shape[axis:])
    d.node(x, scale, **_norm_attributes(d, axis), **({"stash_type": 1} if d.chance(0.3) else {}))


def skip_simplified_normalization(d):
    x = d.first([np.float32], ranks=(2, 3), allow_empty=False, specials=False)
    dims = x.array.shape
    skip = d.like(np.float32, dims)
    if len(dims) == 3 and d.chance(0.2):
        skip = d.like(np.float32, (1, *dims[1:]) if d.chance(0.5) else dims[1:])
    gamma = d.like(np.float32, dims[-1:])
    bias = d.like(np.float32, dims[-1:]) if d.chance(0.3) else None
    attrs = {"epsilon": 1e-5} if d.chance(0.6) else {}
    if d.chance(0.6):
        return d.node(x, skip, gamma, bias, outputs=4, unused=(1, 2), **attrs)
    return d.node(x, skip, gamma, bias, **attrs)


def cumulative_sum(d):
    x = d.first([t for t in types_of("CumSum", d.opset) if np.dtype(t).itemsize > 2],
                ranks=(1, 4), specials=False)  # fmt: skip
    attrs = {name: 1 for name in ("exclusive", "reverse") if d.chance(0.3)}
    axis = np.array(any_axis(d.rng, x.array.ndim), np.int64)
    d.node(x, d.operand(axis, constant=True), **attrs)


OPERATORS = [
    Operator("ReduceMax", reduce),
    Operator("ReduceMin", reduce),
    Operator("ReduceMean", reduce, is_exact=False, is_discontinuous=False),
    Operator("ReduceSum", reduce, is_exact=False),
    Operator("Softmax", softmax, is_exact=False),
    Operator("CumSum", cumulative_sum, is_exact=False),
    Operator("RMSNormalization", rms_normalization, is_exact=False),
    Operator("LayerNormalization", layer_normalization, is_exact=False),
    Operator("SimplifiedLayerNormalization", simplified_normalization, is_exact=False),
    Operator("SkipSimplifiedLayerNormalization", skip_simplified_normalization, "com.microsoft",
             False),
]  # fmt: skip
