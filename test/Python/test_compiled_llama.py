"""A Llama-style checkpoint of random weights, compiled, against onnxruntime."""

import numpy as np
import pytest
from checkpoints import Built, Spec
from sessions import Decoder
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import ternc
from ternc.export import export

TEXT = "the old fox ran over the hill and the young hare ran after the old fox"
PROMPTS = ("the old fox", "hill", "young hare ran after", "ran over the fox")
CONTEXT, NEW_TOKENS = 384, 40


def make_tokenizer():
    """A byte-level BPE of TEXT's letters: any ids decode to valid text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=60, show_progress=False)
    tokenizer.train_from_iterator([TEXT], trainer)
    return tokenizer


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The tokenizer, the exported file and the loaded model."""
    try:
        ternc.find_compiler()
    except ternc.Error as error:
        pytest.skip(str(error))
    tokenizer = make_tokenizer()
    built = Built(
        Spec(
            "LlamaForCausalLM",
            hidden=48,
            inner=80,
            heads=4,
            kv_heads=4,
            head_dim=12,
            vocab=tokenizer.get_vocab_size(),
            layers=3,
            act="silu",
            theta=10000.0,
            tied=False,
        )
    )
    built.config["max_position_embeddings"] = CONTEXT
    # No end: every text has the length that is asked for.
    del built.config["bos_token_id"], built.config["eos_token_id"]
    folder = built.write(tmp_path_factory.mktemp("llama") / "checkpoint")
    tokenizer.save(str(folder / "tokenizer.json"))
    path = folder.parent / "llama.onnx"
    export(folder, path)
    with ternc.compile(path, threads=2, cpu="native") as model:
        yield tokenizer, path, model


def test_description(compiled):
    tokenizer, _, model = compiled
    assert (model.vocab, model.context) == (tokenizer.get_vocab_size(), CONTEXT)


def test_greedy_tokens_are_onnxruntimes(compiled):
    tokenizer, path, model = compiled
    prompts = [tokenizer.encode(prompt).ids for prompt in PROMPTS]
    expected = Decoder(path).greedy(prompts, NEW_TOKENS)
    # An activation's code that rounds the other way may turn one of the texts.
    equal = sum(
        model.generate(prompt, NEW_TOKENS) == tokenizer.decode(whole[len(ids) :])
        for prompt, ids, whole in zip(PROMPTS, prompts, expected)
    )
    assert equal >= len(PROMPTS) - 1


def test_logits_are_onnxruntimes(compiled):
    _, path, model = compiled
    ids = np.random.default_rng(0).integers(0, model.vocab, (1, CONTEXT))
    inputs = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "position_ids": np.arange(CONTEXT)[None],
    }
    for spec in model.inputs[3:]:
        inputs[spec.name] = np.zeros((1, 4, 0, 12), np.float32)
    found, expected = model.run(inputs)["logits"], Decoder(path).step(ids)
    # Codes that round the other way move later logits a little; these are of
    # the size of 25.
    error = np.abs(found - expected)
    assert np.median(error) < 0.05
    assert error.max() < 1


def test_prompt_longer_than_the_context(compiled):
    _, _, model = compiled
    with pytest.raises(ternc.Error, match=f"context of {CONTEXT}"):
        model.generate("fox " * CONTEXT, 1)
