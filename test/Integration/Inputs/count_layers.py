"""Counts the BitLinear layers that ternc raises in every fixture.

count_layers.py FIXTURES OUTPUT_FOLDER

Each fixture is raised as it is, with its nodes in another order that ONNX allows,
and converted to newer operator sets by onnx. How many layers there are follows
from what the model is (its configuration, its operators), not from what ternc says.
With the nodes in no order at all, the model is refused.
"""

import argparse
import collections
import concurrent.futures
import json
import random
import subprocess
import sys
from pathlib import Path

import onnx
import onnx.version_converter

# Projections of a decoder's layer: q, k, v, o, gate, up, down; onnxruntime-genai
# writes q, k and v as one.
PROJECTIONS, GENAI_PROJECTIONS = 7, 5


def expected_layers(folder, model):
    if folder.parent.name == "bitlinear":
        return 1
    meta = json.loads((folder / "meta.json").read_text())
    if "config" in meta:
        return meta["config"]["num_hidden_layers"] * PROJECTIONS
    if "genai" in meta.get("exporter", ""):
        caches = sum("past_key_values" in i.name for i in model.graph.input) // 2
        return caches * GENAI_PROJECTIONS
    # Decoder layers built by hand, whose weights are all dequantised in the graph.
    return meta["op_histogram"]["DequantizeLinear"]


def ready_order(nodes, rng):
    """A random order in which every node comes after those it reads."""
    producers = {name: i for i, node in enumerate(nodes) for name in node.output if name}
    waits = [{producers[n] for n in node.input if n in producers} for node in nodes]
    order, done = [], set()
    while len(order) < len(nodes):
        ready = [i for i in range(len(nodes)) if i not in done and waits[i] <= done]
        done.add(chosen := rng.choice(ready))
        order.append(nodes[chosen])
    return order


def with_order(model, nodes):
    result = onnx.ModelProto()
    result.CopyFrom(model)
    del result.graph.node[:]
    result.graph.node.extend(nodes)
    return result


def converted(model, opset):
    """`model` in a newer operator set, or None where onnx cannot convert it."""
    own = next(i.version for i in model.opset_import if not i.domain)
    # The converter drops local functions.
    if own >= opset or model.functions:
        return None
    try:
        return onnx.version_converter.convert_version(model, opset)
    except Exception:  # any failure of the converter's C++ comes as its own class
        return None


def raise_model(path):
    """The report of ternc on a model, or its message."""
    done = subprocess.run(
        ["ternc", path, "-o", f"{path}.mlir", "--stop-after=raise", "--report=json"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    Path(f"{path}.mlir").unlink(missing_ok=True)
    if done.returncode:
        return None, done.stderr
    return json.loads(done.stderr.splitlines()[-1]), ""


def check(folder, output):
    """A line of text, and whether all is well."""
    model = onnx.load(folder / "model.onnx")
    expected = expected_layers(folder, model)
    rng = random.Random(folder.name)
    nodes = list(model.graph.node)
    variants = {"as is": model, "reordered": with_order(model, ready_order(nodes, rng))}
    for opset in (21, 25):
        if (newer := converted(model, opset)) is not None:
            variants[f"opset {opset}"] = newer
    text, good = [], True
    for name, variant in variants.items():
        path = output / f"{folder.name}.{name.replace(' ', '_')}.onnx"
        onnx.save(variant, path)
        report, message = raise_model(path)
        layers = report["layers"] if report else []
        forms = collections.Counter(
            f"{layer['form']} {layer['activations'].split()[0]}" for layer in layers
        )
        kinds = ", ".join(f"{count} {form}" for form, count in sorted(forms.items()))
        text.append(f"{name} {len(layers)} of {expected} ({kinds or message.strip()})")
        good &= len(layers) == expected
    if len(nodes) > 1:
        path = output / f"{folder.name}.unsorted.onnx"
        onnx.save(with_order(model, nodes[::-1]), path)
        report, message = raise_model(path)
        if report or "expected nodes in the order of their uses" not in message:
            text.append(f"unsorted: {message.strip() or 'accepted'}")
            good = False
    return f"{folder.name}: {'; '.join(text)}", good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fixtures", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    folders = sorted(path.parent for path in arguments.fixtures.glob("*/*/model.onnx"))
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(lambda folder: check(folder, arguments.output), folders))
    for text, good in results:
        print(text if good else f"wrong: {text}")
    print(f"{sum(good for _, good in results)} of {len(results)} fixtures are raised whole")
    return 0 if all(good for _, good in results) else 1


if __name__ == "__main__":
    sys.exit(main())
