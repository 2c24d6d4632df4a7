"""The story model, exported, compiled and run through the package."""

import json

import numpy as np
import pytest
from conftest import ROOT

import ternc
from ternc.export import export

STORY = ROOT / "examples" / "story"
GENERATIONS = json.loads((STORY / "reference.json").read_text())["generations"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    try:
        ternc.find_compiler()
    except ternc.Error as error:
        pytest.skip(str(error))
    path = tmp_path_factory.mktemp("story") / "story.onnx"
    export(STORY, path)
    with ternc.compile(path, threads=2, cpu="native") as model:
        yield model


def test_description(model):
    assert (model.vocab, model.context) == (4096, 512)
    assert model.inputs[0] == ternc.TensorSpec(
        "input_ids", np.dtype(np.int64), ("batch", "seq")
    )


def test_greedy_texts(model):
    equal = 0
    for prompt, one in GENERATIONS.items():
        count = len(one["output_ids"]) - len(one["prompt_ids"])
        equal += prompt + model.generate(prompt, count) == one["text"]
    assert equal >= 5


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
