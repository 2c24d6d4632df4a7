"""What a model computes: onnxruntime without optimisation, or NumPy.

onnxruntime's default optimisation replaces products of dequantised weights by
approximate ones, so it is off. What it cannot run (bfloat16 on a CPU, types that
it has no kernel for) or would not round as typed (float16, where it drops pairs
of casts) goes to onnx's reference evaluator, whose sums are done anew in f64 and
rounded once. Where the two differ, each is a truth: ONNX says too little, or one
of them has a bug, and a result that equals either is none of ours.
"""

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

SHORT = (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)


def _wide(x):
    return x.astype(np.float64) if x.dtype.itemsize == 2 else x


class MatMul(OpRun):
    """A product whose sums are rounded once."""

    def _run(self, a, b):
        return (np.matmul(_wide(a), _wide(b)).astype(a.dtype),)


class Gemm(OpRun):
    def _run(self, a, b, c=None, alpha=1.0, beta=1.0, transA=0, transB=0):
        a, b = (a.T if transA else a), (b.T if transB else b)
        y = alpha * np.matmul(_wide(a), _wide(b))
        if c is not None:
            y = y + beta * _wide(c)
        return (y.astype(a.dtype),)


class Softmax(OpRun):
    def _run(self, x, axis=-1):
        wide = _wide(x)
        # Of nothing there is no maximum.
        e = np.exp(wide - wide.max(axis, keepdims=True, initial=-np.inf))
        return ((e / e.sum(axis, keepdims=True)).astype(x.dtype),)


def _reduce(x, axes, keepdims, noop_with_empty_axes, function):
    if axes is None or not len(axes):
        if noop_with_empty_axes:
            return (x,)
        axes = range(x.ndim)
    reduced = function(_wide(x), tuple(int(a) for a in axes), keepdims=bool(keepdims))
    return (np.asarray(reduced).astype(x.dtype),)


class ReduceMean(OpRun):
    def _run(self, x, axes=None, keepdims=1, noop_with_empty_axes=0):
        return _reduce(x, axes, keepdims, noop_with_empty_axes, np.mean)


class ReduceSum(OpRun):
    def _run(self, x, axes=None, keepdims=1, noop_with_empty_axes=0):
        return _reduce(x, axes, keepdims, noop_with_empty_axes, np.sum)


class GatherElements(OpRun):
    """As defined: the evaluator's own takes indices of the data's sizes only."""

    def _run(self, x, indices, axis=0):
        where = list(np.indices(indices.shape))
        where[axis] = indices
        return (x[tuple(where)],)


OPERATORS = [Gemm, MatMul, ReduceMean, ReduceSum, Softmax, GatherElements]


def _is_short(model):
    """Whether any value is known to be of 16 bits."""
    values = [*model.graph.input, *model.graph.output]
    if any(v.type.tensor_type.elem_type in SHORT for v in values):
        return True
    nodes = [*model.graph.node, *(n for f in model.functions for n in f.node)]
    if any(t.data_type in SHORT for t in model.graph.initializer):
        return True
    return any(a.name == "to" and a.i in SHORT for n in nodes for a in n.attribute)


def _onnxruntime(model):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options).run


def _numpy(model):
    # The evaluator takes types as they come: only a valid model has a meaning.
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    evaluator = ReferenceEvaluator(model, new_ops=OPERATORS)

    def run(names, feeds):
        with np.errstate(all="ignore"):
            return evaluator.run(names, feeds)

    return run


class NoTruth(Exception):
    """Nobody runs a model; says why."""


class Oracle:
    """Runs one model; `run` returns its outputs by name."""

    def __init__(self, model):
        self.model = model
        self.names = [o.name for o in model.graph.output]
        self.makers = [_onnxruntime, _numpy]
        if _is_short(model):
            self.makers.reverse()

    def truths(self, feeds):
        """What each implementation that runs the model computes, the most
        trusted first; raises NoTruth where none does."""
        errors = []
        for make in self.makers:
            try:
                values = make(self.model)(self.names, feeds)
            except Exception as error:  # onnxruntime has no common class of errors
                errors.append(error)
            else:
                yield dict(zip(self.names, map(np.asarray, values)))
        if len(errors) == len(self.makers):
            raise NoTruth("; ".join(str(error) for error in errors))

    def run(self, feeds):
        return next(self.truths(feeds))


def as_numbers(array):
    """`array` in f64; npz files hold bfloat16 as raw 16-bit elements."""
    if array.dtype.kind == "V":
        array = array.view(ml_dtypes.bfloat16)
    return array.astype(np.float64)


def difference(found, expected, short):
    """What is wrong with the array `found`, or None.

    A tolerance is a small part of the greatest magnitude in its row (for 16-bit
    floats: in the array): a flipped activation code is a hundred times larger.
    """
    if found is None:
        return "is missing"
    if found.shape != expected.shape:
        return f"has shape {found.shape}; expected {expected.shape}"
    if expected.dtype.kind in "iub" and expected.dtype.name != "bfloat16":
        same = found == expected
        off = 0.0
    else:
        f, e = as_numbers(found), as_numbers(expected)
        # Short floats lose so much that a row which nearly cancels says little.
        axis = None if short or not e.ndim else -1
        rows = np.abs(e).max(axis, keepdims=bool(e.ndim), initial=0)
        rows = np.where(np.isfinite(rows), rows, 0)
        relative = {None: 2e-5, "f16": 4e-3, "bf16": 1.6e-2}[short]
        smallest = {None: 1e-30, "f16": 2.0**-20, "bf16": 1e-30}[short]  # subnormals are coarse
        with np.errstate(invalid="ignore"):
            off = np.abs(f - e)
            same = (off <= relative * (rows + np.abs(e)) + smallest) | (f == e)
        same |= np.isnan(f) & np.isnan(e)
    if same.all():
        return None
    where = tuple(int(i) for i in np.argwhere(~np.atleast_1d(same))[0])
    f, e = np.atleast_1d(found)[where], np.atleast_1d(expected)[where]
    return f"differs in {int((~same).sum())} of {same.size} elements, first at {list(where)}: {f}; expected {e}"
