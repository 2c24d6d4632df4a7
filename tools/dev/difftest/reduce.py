"""Shrinks an ONNX model while something about it stays.

`reduce(model, feeds, holds)` tries ever smaller models and keeps those for which
`holds(model, feeds)`. On the command line, what must stay is what ternc does
wrong: it crashes, refuses the model with the same message, or computes something
else than onnxruntime.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile

import numpy as np
import onnx
from onnx import helper, inliner, numpy_helper

from .compiler import Compiler, storable
from .graph import element_type
from .judge import Judge
from .oracle import Oracle

# ===----------------------------------------------------------------------=== #
# Changing a model
# ===----------------------------------------------------------------------=== #


def copy_of(model):
    result = onnx.ModelProto()
    result.CopyFrom(model)
    return result


def replace(field, items):
    """Gives a repeated field other items, which may be its own."""
    items = list(items)
    del field[:]
    field.extend(items)


def prune(model, feeds):
    """Drops what no output needs; returns the feeds that are left."""
    graph = model.graph
    needed = {o.name for o in graph.output}
    nodes = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            needed.update(node.input)
            nodes.append(node)
    replace(graph.node, reversed(nodes))
    replace(graph.initializer, [t for t in graph.initializer if t.name in needed])
    replace(graph.input, [i for i in graph.input if i.name in needed])
    del graph.value_info[:]
    called = {(n.domain, n.op_type) for n in graph.node}
    replace(model.functions, [f for f in model.functions if (f.domain, f.name) in called])
    names = {i.name for i in graph.input}
    return {name: array for name, array in feeds.items() if name in names}


def declared(name, array):
    """An input whose sizes are those of its array."""
    return helper.make_tensor_value_info(name, element_type(array.dtype), array.shape)


def untyped(name):
    return onnx.ValueInfoProto(name=name)


def evaluate_all(model, feeds):
    """The arrays of all values that nodes define."""
    everything = copy_of(model)
    names = [name for node in model.graph.node for name in node.output if name]
    replace(everything.graph.output, [untyped(name) for name in names])
    return Oracle(everything).run(feeds)


# ===----------------------------------------------------------------------=== #
# Candidates: each yields (model, feeds) that are smaller
# ===----------------------------------------------------------------------=== #


def without_outputs(model, feeds):
    """Each output alone, then all but one."""
    outputs = list(model.graph.output)
    if len(outputs) < 2:
        return
    choices = [[o] for o in outputs] + [[o for o in outputs if o is not p] for p in outputs]
    for chosen in choices:
        smaller = copy_of(model)
        replace(smaller.graph.output, chosen)
        yield smaller, prune(smaller, feeds)


def with_earlier_output(model, feeds):
    """A value on the way in place of all outputs, the earliest first."""
    values = evaluate_all(model, feeds)
    for node in model.graph.node[:-1]:
        for name in filter(None, node.output):
            if node.op_type == "Constant":
                continue
            smaller = copy_of(model)
            info = helper.make_tensor_value_info(name, element_type(values[name].dtype), None)
            replace(smaller.graph.output, [info])
            yield smaller, prune(smaller, feeds)


def with_cut_value(model, feeds):
    """A value becomes an input, or a constant; the latest first."""
    values = evaluate_all(model, feeds)
    outputs = {o.name for o in model.graph.output}
    for node in reversed(model.graph.node):
        for name in filter(None, node.output):
            if name in outputs:
                continue
            for as_input in (True, False):
                if not as_input and node.op_type == "Constant":
                    continue
                smaller = copy_of(model)
                graph = smaller.graph
                for user in graph.node:
                    if name in user.output:
                        user.output[:] = ["" if n == name else n for n in user.output]
                more = dict(feeds)
                if as_input:
                    graph.input.append(declared(name, values[name]))
                    more[name] = values[name]
                else:
                    graph.initializer.append(numpy_helper.from_array(values[name], name))
                yield smaller, prune(smaller, more)


def without_node(model, feeds):
    """A node's users read one of its inputs instead."""
    for index in range(len(model.graph.node) - 1, -1, -1):
        node = model.graph.node[index]
        outputs = {o.name for o in model.graph.output}
        if len(node.output) != 1 or node.output[0] in outputs:
            continue
        for name in node.input:
            if not name:
                continue
            smaller = copy_of(model)
            for user in smaller.graph.node:
                user.input[:] = [name if n == node.output[0] else n for n in user.input]
            yield smaller, prune(smaller, feeds)


def without_operand(model, feeds):
    """An optional input, or an attribute, is left out."""
    for index, node in enumerate(model.graph.node):
        for last in range(len(node.input) - 1, 0, -1):
            if node.input[last]:
                smaller = copy_of(model)
                inputs = smaller.graph.node[index].input
                inputs[last] = ""
                while inputs and not inputs[-1]:
                    del inputs[-1]
                yield smaller, prune(smaller, feeds)
        for position in range(len(node.attribute)):
            smaller = copy_of(model)
            del smaller.graph.node[index].attribute[position]
            yield smaller, feeds


def resize(array, old, new):
    """`array` with its sizes `old`, and in short vectors its values, `new`."""
    if array.dtype == np.int64 and array.ndim <= 1 and array.size <= 8:
        return np.where(array == old, new, array).astype(np.int64)
    kept = tuple(slice(0, new) if size == old else slice(None) for size in array.shape)
    return np.ascontiguousarray(array[kept]) if array.ndim else array


def resize_attribute(attribute, old, new):
    if attribute.type == onnx.AttributeProto.INT and attribute.i == old:
        attribute.i = new
    elif attribute.type == onnx.AttributeProto.INTS:
        attribute.ints[:] = [new if i == old else i for i in attribute.ints]
    elif attribute.type == onnx.AttributeProto.TENSOR:
        array = numpy_helper.to_array(attribute.t)
        attribute.t.CopyFrom(numpy_helper.from_array(resize(array, old, new), attribute.t.name))


def with_smaller_size(model, feeds):
    """One size, wherever it is met, becomes smaller."""
    arrays = [*feeds.values(), *map(numpy_helper.to_array, model.graph.initializer)]
    sizes = sorted({size for array in arrays for size in array.shape if size > 1}, reverse=True)
    for old in sizes:
        for new in sorted({1, 2, old // 2, old - 1} - {old}):
            smaller = copy_of(model)
            graph = smaller.graph
            for tensor in graph.initializer:
                array = resize(numpy_helper.to_array(tensor), old, new)
                tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
            for node in graph.node:
                for attribute in node.attribute:
                    resize_attribute(attribute, old, new)
            for info in [*graph.input, *graph.output]:
                for dim in info.type.tensor_type.shape.dim:
                    if dim.dim_value == old:
                        dim.dim_value = new
            yield smaller, {name: resize(array, old, new) for name, array in feeds.items()}


def with_plain_values(model, feeds):
    """Floats become zeros or ones."""
    for value in (0, 1):
        for name, array in feeds.items():
            if array.dtype.kind not in "iub" and (array != value).any():
                yield model, {**feeds, name: np.full_like(array, value)}
        for index, tensor in enumerate(model.graph.initializer):
            array = numpy_helper.to_array(tensor)
            if array.dtype.kind not in "iub" and (array != value).any():
                smaller = copy_of(model)
                plain = numpy_helper.from_array(np.full_like(array, value), tensor.name)
                smaller.graph.initializer[index].CopyFrom(plain)
                yield smaller, feeds


STEPS = (without_outputs, with_earlier_output, with_cut_value, without_node, without_operand,
         with_smaller_size, with_plain_values)  # fmt: skip

# ===----------------------------------------------------------------------=== #
# Reducing
# ===----------------------------------------------------------------------=== #


def weight_of(model, feeds):
    """What gets smaller: nodes count most, then tensors, elements, values."""
    arrays = [*feeds.values(), *map(numpy_helper.to_array, model.graph.initializer)]
    elements = sum(array.size for array in arrays)
    plain = sum(array.dtype.kind not in "iub" and bool((array != 0).any()) for array in arrays)
    details = sum(len(n.attribute) + len(list(filter(None, n.input))) for n in model.graph.node)
    ones = sum(array.dtype.kind not in "iub" and bool((array != 1).any()) for array in arrays)
    return (len(model.graph.node), len(model.graph.output), len(arrays), details, elements,
            plain, ones)  # fmt: skip


def improve(step, model, feeds, holds):
    """The first smaller candidate of `step` that holds, or None."""
    try:
        for smaller, fewer in step(model, feeds):
            if weight_of(smaller, fewer) < weight_of(model, feeds) and holds(smaller, fewer):
                return smaller, fewer
    except Exception:  # a graph that nothing can evaluate offers no candidates
        return None
    return None


def reduce(model, feeds, holds, progress=lambda model: None):
    """The smallest model found for which `holds`, which is true of `model`."""
    inlined = inliner.inline_local_functions(model) if model.functions else model
    if inlined is not model and holds(inlined, feeds):
        model = inlined
    again = True
    while again:
        again = False
        for step in STEPS:
            while found := improve(step, model, feeds, holds):
                model, feeds = found
                again = True
                progress(model)
    return model, feeds


# ===----------------------------------------------------------------------=== #
# The command
# ===----------------------------------------------------------------------=== #


def write(model, feeds, folder):
    """model.onnx, in.npz and a dump of both, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    np.savez(folder / "in.npz", **{name: storable(array) for name, array in feeds.items()})
    text = onnx.printer.to_text(model)
    arrays = "".join(f"{name} = {array!r}\n" for name, array in feeds.items())
    (folder / "dump.txt").write_text(f"{text}\n{arrays}")


def load_feeds(model, path):
    types = {i.name: i.type.tensor_type.elem_type for i in model.graph.input}
    with np.load(path) as data:
        return {name: data[name].view(helper.tensor_dtype_to_np_dtype(types[name]))
                for name in data.files}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(prog="python -m difftest.reduce", description=__doc__)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("feeds", type=pathlib.Path, help="an .npz file of its inputs")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--ternc", default=shutil.which("ternc"), help="[default: on the PATH]")
    parser.add_argument("--options", default="--cpu=native", help="of ternc [%(default)s]")
    options = parser.parse_args()
    if not options.ternc:
        parser.error("there is no ternc on the PATH; expected --ternc PROGRAM")
    model = onnx.load(options.model)
    feeds = load_feeds(model, options.feeds)
    with tempfile.TemporaryDirectory() as temporary:
        judge = Judge(Compiler(options.ternc, pathlib.Path(temporary), options.options.split()))
        failure = judge(model, feeds)
        if not failure:
            sys.exit(f"{options.model}: nothing is wrong with it; expected a failure")
        print(f"{failure.kind}: {failure.message}", flush=True)
        smallest, fewer = reduce(
            model, feeds, lambda m, f: failure.is_like(judge(m, f)),
            lambda m: print(f"{len(m.graph.node)} nodes", flush=True),
        )  # fmt: skip
        print(judge(smallest, fewer).message)
    write(smallest, fewer, options.output)
    print(f"{len(model.graph.node)} nodes became {len(smallest.graph.node)}, in {options.output}")


if __name__ == "__main__":
    main()
