"""The trained story model, exported, against what transformers computed."""

import json

import numpy as np
import pytest
from conftest import ROOT
from sessions import Decoder

from ternc.export import Options, WeightForm, export

STORY = ROOT / "examples" / "story"
GENERATIONS = json.loads((STORY / "reference.json").read_text())["generations"]

# Bounds from the model's README.
FIRST_BOUND, MAX_BOUND, MEAN_BOUND, CLEAR_GAP = 1e-3, 0.5, 0.05, 0.3


@pytest.fixture(scope="module", params=WeightForm, ids=lambda form: form.value)
def model(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("story") / "story.onnx"
    export(STORY, path, Options(request.param))
    return path


def test_logits(model):
    reference = np.load(STORY / "reference.npz")
    expected = reference["logits"]
    found = Decoder(model).step([reference["ids"]])[0]
    error = np.abs(found - expected)
    assert error[:4].max() < FIRST_BOUND
    assert error.max() < MAX_BOUND
    assert error.mean() < MEAN_BOUND
    best = np.sort(expected, axis=1)
    clear = best[:, -1] - best[:, -2] > CLEAR_GAP
    assert (found.argmax(axis=1) == expected.argmax(axis=1))[clear].all()


def test_greedy_texts(model):
    prompts = [one["prompt_ids"] for one in GENERATIONS.values()]
    expected = [one["output_ids"] for one in GENERATIONS.values()]
    count = max(len(ids) - len(prompt) for ids, prompt in zip(expected, prompts))
    found = Decoder(model, optimize=True).greedy(prompts, count)
    equal = [ids[: len(want)] == want for ids, want in zip(found, expected)]
    assert len(equal) == 6
    assert sum(equal) >= 5


def test_default_form_is_small(tmp_path):
    # An executable of 9 MB holds weights, tokenizer and code.
    export(STORY, tmp_path / "story.onnx")
    assert (tmp_path / "story.onnx").stat().st_size < 7e6
