"""The story model, exported, compiled and run through the package."""

import json

import numpy as np
import onnx
import pytest
from conftest import ROOT

import ternc
from ternc.export import export

STORY = ROOT / "examples" / "story"
GENERATIONS = json.loads((STORY / "reference.json").read_text())["generations"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    try:
        ternc.find_compiler()
    except ternc.Error as error:
        pytest.skip(str(error))
    path = tmp_path_factory.mktemp("story") / "story.onnx"
    export(STORY, path)
    return path


@pytest.fixture(scope="module")
def model(exported):
    with ternc.compile(exported, threads=2, cpu="native") as model:
        yield model


def strip_cache(path, stripped):
    """Writes the model of `path` as if it had been exported without a KV cache."""
    model = onnx.load(path)
    graph = model.graph
    pasts = {value.name: value for value in graph.input if value.name.startswith("past")}
    for node in graph.node:
        if node.op_type == "Concat" and node.input[0] in pasts:
            node.CopyFrom(
                onnx.helper.make_node("Identity", node.input[1:], node.output, name=node.name)
            )
    # The mask asks for the length of a past: it has none.
    for name, value in pasts.items():
        graph.input.remove(value)
        if any(name in node.input for node in graph.node):
            empty = np.zeros((1, 2, 0, 64), np.float32)
            graph.initializer.append(onnx.numpy_helper.from_array(empty, name))
    for value in [value for value in graph.output if value.name.startswith("present")]:
        graph.output.remove(value)
    onnx.checker.check_model(model)
    onnx.save(model, stripped)


def test_description(model):
    assert (model.vocab, model.context) == (4096, 512)
    assert model.inputs[0] == ternc.TensorSpec(
        "input_ids", np.dtype(np.int64), ("batch", "seq")
    )


def count_equal_texts(model):
    equal = 0
    for prompt, one in GENERATIONS.items():
        count = len(one["output_ids"]) - len(one["prompt_ids"])
        equal += prompt + model.generate(prompt, count) == one["text"]
    return equal


def test_greedy_texts(model):
    assert count_equal_texts(model) >= 5


def test_greedy_texts_with_a_derived_cache(exported):
    path = exported.with_name("plain.onnx")
    strip_cache(exported, path)
    with ternc.compile(path, threads=2, cpu="native") as plain:
        assert [spec.name for spec in plain.inputs] == [
            "input_ids",
            "attention_mask",
            "position_ids",
        ]
        assert count_equal_texts(plain) >= 5


def test_seed_decides_the_sample(model):
    options = {"max_tokens": 20, "temperature": 0.8, "top_p": 0.9}
    first, second, other = (
        model.generate("Once upon a time", seed=seed, **options) for seed in (1, 1, 2)
    )
    assert first == second != other


def test_run_gives_the_references_logits(model):
    # Bounds from the model's README.
    reference = np.load(STORY / "reference.npz")
    ids = reference["ids"][None]
    inputs = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "position_ids": np.arange(ids.size)[None],
    }
    for spec in model.inputs[3:]:
        inputs[spec.name] = np.zeros((1, 2, 0, 64), np.float32)
    error = np.abs(model.run(inputs)["logits"][0] - reference["logits"])
    assert error[:4].max() < 1e-3
    assert error.max() < 0.5
    assert error.mean() < 0.05
