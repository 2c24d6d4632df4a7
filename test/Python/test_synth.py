"""Checkpoints of published shapes with random weights."""

import json
import math

import numpy as np
import pytest
from safetensors.numpy import load_file
from sessions import Decoder, first_inputs
from tokenizers import Tokenizer

import ternc
from ternc.export import Options as ExportOptions
from ternc.export import WeightForm, export
from ternc.export.checkpoint import Checkpoint
from ternc.synth import PRESETS, Weights, cli, safetensors_file, write_checkpoint
from ternc.synth.checkpoint import Options
from ternc.synth.tensors import list_tensors

# Millions of parameters, by the model cards ("2.4B", "3.99B params", …).
PARAMETERS = {
    "bitnet-2b4t": (2400, 50),
    "bitnet-700m": (729, 1),
    "bitnet-3b": (3320, 5),
    "bitnet-3.8b": (3800, 50),
    "falcon-e-3b": (3050, 50),
    "falcon3-7b-1.58": (7460, 10),
    "falcon3-10b-1.58": (10310, 10),
    "llama3-8b-1.58": (8030, 1),
    "trilm-99m": (99.7, 1),
    "trilm-1.1b": (1150, 10),
    "trilm-2.4b": (2460, 10),
    "trilm-3.9b": (3990, 5),
}

# Megabytes of the published *.safetensors (Falcon-E: as its makers state).
MEGABYTES = {
    "bitnet-2b4t": (1180, 5),
    "bitnet-700m": (2920, 5),
    "bitnet-3b": (4990 + 5000 + 3310, 15),
    "falcon-e-1b": (665, 1),
    "falcon-e-3b": (999, 1),
    "llama3-8b-1.58": (3850, 5),
    "trilm-99m": (200, 1),
    "trilm-390m": (785, 1),
    "trilm-560m": (1140, 5),
    "trilm-830m": (1670, 5),
    "trilm-1.5b": (3030, 5),
    "trilm-3.9b": (4990 + 2990, 10),
}

# One preset of each kind of checkpoint.
KINDS = ["bitnet-2b4t", "bitnet-700m", "falcon-e-1b", "trilm-99m", "trilm-2.4b"]


def small(name, **changes):
    """A preset at a fraction of its width, with grouped heads if it has them."""
    config = PRESETS[name].config
    grouped = config["num_attention_heads"] != config["num_key_value_heads"]
    # Divisible by TriLM's three scales as well.
    shape = {
        "hidden_size": 96,
        "intermediate_size": 192,
        "num_attention_heads": 6,
        "num_key_value_heads": 2 if grouped else 6,
        "head_dim": 16,
        "vocab_size": 640,
        "bos_token_id": 600,
        "eos_token_id": 601,
        "num_hidden_layers": 2,
        "max_position_embeddings": 64,
    }
    if "pad_token_id" in config:
        shape["pad_token_id"] = 602
    return PRESETS[name].with_config(**{**shape, **changes})


def listed(name, weights=None, dtype=None):
    preset = PRESETS[name]
    return list_tensors(preset, weights or preset.weights, dtype or preset.dtype)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_the_published(name):
    expected, tolerance = PARAMETERS[name]
    found = sum(tensor.parameters for tensor in listed(name)) / 1e6
    assert abs(found - expected) <= tolerance


@pytest.mark.parametrize("name", MEGABYTES)
def test_files_are_as_large_as_the_published(name):
    expected, tolerance = MEGABYTES[name]
    found = sum(tensor.num_bytes for tensor in listed(name)) / 1e6
    assert abs(found - expected) <= tolerance


def test_ternary_and_embedding_weights_of_2b4t():
    tensors = {tensor.name: tensor for tensor in listed("bitnet-2b4t")}
    embedding = tensors["model.embed_tokens.weight"]
    ternary = sum(t.parameters for t in tensors.values() if t.dtype == "U8")
    assert (embedding.parameters, ternary) == (128256 * 2560, 2_084_044_800)
    assert tensors["model.layers.29.mlp.down_proj.weight"].shape == (640, 6912)
    assert tensors["model.layers.0.self_attn.k_proj.weight"].shape == (160, 2560)
    assert tensors["model.layers.0.mlp.ffn_sub_norm.weight"].shape == (6912,)


@pytest.mark.parametrize("name", [n for n in PRESETS if not n.startswith("trilm")])
def test_float_and_packed_hold_the_same_parameters(name):
    preset = PRESETS[name]
    changed = preset.with_config(quantization_config={"quant_method": "bitnet"})
    counts = {
        weights: sum(t.parameters for t in list_tensors(changed, weights, "f32"))
        for weights in Weights
    }
    assert counts[Weights.FLOAT] == counts[Weights.PACKED]


def files_of(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("name", KINDS)
def test_same_seed_same_bytes(name, tmp_path):
    for folder, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_checkpoint(small(name), tmp_path / folder, Options(seed=seed))
    first, same, other = (files_of(tmp_path / folder) for folder in "abc")
    assert first == same
    assert first["model.safetensors"] != other["model.safetensors"]


def test_fewer_layers_keep_the_others_weights(tmp_path):
    preset = small("bitnet-2b4t")
    write_checkpoint(preset, tmp_path / "two")
    write_checkpoint(preset, tmp_path / "one", Options(layers=1))
    one, two = (
        load_file(tmp_path / name / "model.safetensors") for name in ("one", "two")
    )
    assert set(two) - set(one) == {name for name in two if ".layers.1." in name}
    name = "model.layers.0.self_attn.q_proj.weight"
    np.testing.assert_array_equal(one[name], two[name])
    assert (two[name] != two[name.replace("0", "1")]).any()
    config = json.loads((tmp_path / "one" / "config.json").read_text())
    assert config["num_hidden_layers"] == 1


def test_packed_trits_and_their_scale(tmp_path):
    write_checkpoint(small("bitnet-2b4t"), tmp_path / "auto")
    write_checkpoint(small("falcon-e-1b"), tmp_path / "divides")
    name = "model.layers.0.mlp.up_proj.weight"
    for folder, multiplies in (("auto", True), ("divides", False)):
        tensors = load_file(tmp_path / folder / "model.safetensors")
        packed = tensors[name]
        assert (packed.dtype, packed.shape) == (np.uint8, (48, 96))
        trits = np.stack([packed >> 2 * i & 3 for i in range(4)]).astype(int) - 1
        assert set(np.unique(trits)) == {-1, 0, 1}
        # 6 of 16 are zeros, and signs are balanced: 5 standard deviations.
        assert abs((trits == 0).mean() - 6 / 16) < 5 * 0.5 / math.sqrt(trits.size)
        assert abs(trits.mean()) < 5 * 0.8 / math.sqrt(trits.size)
        # Keeps a signal's variance: 10 of 16 terms of every 96 contribute.
        scale = 1 / math.sqrt(96 * 10 / 16)
        stored = float(tensors[f"{name}_scale"][0])
        assert stored == pytest.approx(scale if multiplies else 1 / scale, rel=0.01)
        # What is added to the residual stream, twice in each of two layers, is half.
        added = float(tensors["model.layers.0.self_attn.o_proj.weight_scale"][0])
        assert added == pytest.approx(stored * (0.5 if multiplies else 2), rel=0.01)


def test_master_weights(tmp_path):
    write_checkpoint(small("bitnet-700m"), tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    values = tensors["model.layers.0.mlp.up_proj.weight"]
    assert values.dtype == np.float32
    quantized = np.clip(np.rint(values / np.abs(values).mean()), -1, 1)
    gain = (quantized**2).sum(axis=1).mean() * np.abs(values).mean() ** 2
    assert gain == pytest.approx(1, rel=0.05)
    assert "model.layers.1.self_attn.inner_attn_ln.weight" in tensors
    assert "quantization_config" not in json.loads(
        (tmp_path / "config.json").read_text()
    )


def test_scaled_trits_have_a_scale_a_part(tmp_path):
    write_checkpoint(small("trilm-2.4b"), tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    up = np.abs(tensors["model.layers.0.mlp.up_proj.weight"])
    down = np.abs(tensors["model.layers.0.mlp.down_proj.weight"])
    # Three parts of the rows, or for what adds to the residual, of the columns.
    for parts in (np.split(up, 3), np.split(down, 3, axis=1)):
        scales = [set(np.unique(part)) - {0} for part in parts]
        assert [len(scale) for scale in scales] == [1, 1, 1]
        assert len(set.union(*scales)) == 3


def test_shards_and_their_index(tmp_path, monkeypatch):
    write_checkpoint(small("bitnet-2b4t"), tmp_path / "one")
    write = safetensors_file.write_shards
    monkeypatch.setattr(
        "ternc.synth.checkpoint.write_shards", lambda *args: write(*args, 30_000)
    )
    write_checkpoint(small("bitnet-2b4t"), tmp_path / "many")
    index = json.loads((tmp_path / "many/model.safetensors.index.json").read_text())
    files = sorted(set(index["weight_map"].values()))
    assert files == [f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
    whole = load_file(tmp_path / "one" / "model.safetensors")
    assert index["metadata"]["total_size"] == sum(v.nbytes for v in whole.values())
    shards = [load_file(tmp_path / "many" / file) for file in files]
    # The embedding is too large for any shard and has one of its own.
    assert list(shards[0]) == ["model.embed_tokens.weight"]
    sizes = [sum(v.nbytes for v in shard.values()) for shard in shards]
    assert max(sizes[1:]) <= 30_000 < sizes[0]
    merged = {name: value for shard in shards for name, value in shard.items()}
    assert set(merged) == set(whole) == set(index["weight_map"])
    for name, value in whole.items():
        np.testing.assert_array_equal(merged[name], value, err_msg=name)
    # The exporter's reader finds them too.
    assert Checkpoint(tmp_path / "many").unused() == sorted(whole)


def test_tensors_are_aligned_to_their_elements(tmp_path):
    # Matrices of an odd number of bytes.
    preset = small("bitnet-2b4t", hidden_size=97, head_dim=2)
    write_checkpoint(preset, tmp_path)
    data = (tmp_path / "model.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    del header["__metadata__"]
    assert size % 8 == 0
    for name, entry in header.items():
        width = {"BF16": 2, "U8": 1}[entry["dtype"]]
        assert entry["data_offsets"][0] % width == 0, name


def test_large_tensors_come_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("ternc.synth.tensors._PART_ELEMENTS", 1000)
    write_checkpoint(small("trilm-2.4b"), tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    for name, value in tensors.items():
        assert len(np.unique(value)) > 1, name
    up = np.abs(tensors["model.layers.0.mlp.up_proj.weight"])
    scales = [set(np.unique(part)) - {0} for part in np.split(up, 3)]
    assert [len(scale) for scale in scales] == [1, 1, 1]
    assert len(set.union(*scales)) == 3


@pytest.mark.parametrize("name", KINDS)
def test_logits_are_finite_through_30_layers(name, tmp_path):
    preset = small(name, num_hidden_layers=30)
    write_checkpoint(preset, tmp_path / "in")
    export(tmp_path / "in", tmp_path / "model.onnx", ExportOptions(WeightForm.INT8))
    logits = Decoder(tmp_path / "model.onnx").step([[600, 5, 77, 300]])[0, -1]
    assert np.isfinite(logits).all()
    # sqrt(hidden) times the embedding's deviation of 0.02.
    assert 0.1 < logits.std() < 0.4


@pytest.mark.parametrize("weights", Weights)
def test_other_forms_export(weights, tmp_path):
    for name in ("bitnet-2b4t", "bitnet-700m", "falcon-e-1b"):
        folder = tmp_path / name
        write_checkpoint(small(name), folder, Options(weights=weights, dtype="f32"))
        config = json.loads((folder / "config.json").read_text())
        assert config["torch_dtype"] == "float32" or name == "bitnet-700m"
        export(folder, folder / "model.onnx", ExportOptions(WeightForm.INT8))
        assert np.isfinite(Decoder(folder / "model.onnx").step([[5, 6]])).all()


@pytest.mark.parametrize("name", ["bitnet-2b4t", "bitnet-3b", "falcon-e-1b"])
def test_tokenizer(name, tmp_path):
    # Full vocabularies: the real sizes and special ids.
    config = PRESETS[name].config
    preset = small(
        name,
        **{
            key: config.get(key)
            for key in ("vocab_size", "bos_token_id", "eos_token_id", "pad_token_id")
        },
        hidden_size=12,
        intermediate_size=12,
        num_hidden_layers=1,
    )
    write_checkpoint(preset, tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert tokenizer.get_vocab_size() == config["vocab_size"]
    text = "Hello, the tokenizer of a model. \n\tÜber 日本 🙂"
    ids = tokenizer.encode(text).ids
    assert ids[0] == config["bos_token_id"]
    assert len(ids) < len(text.encode())
    assert tokenizer.decode(ids) == text
    assert tokenizer.id_to_token(config["eos_token_id"]).startswith("<|")
    every = [tokenizer.id_to_token(id) for id in range(config["vocab_size"])]
    assert None not in every and len(set(every)) == len(every)


def test_compiled_logits_and_tokens_are_onnxruntimes(tmp_path):
    try:
        ternc.find_compiler()
    except ternc.Error as error:
        pytest.skip(str(error))
    write_checkpoint(small("bitnet-2b4t", num_hidden_layers=1), tmp_path / "in")
    path = tmp_path / "model.onnx"
    export(tmp_path / "in", path, ExportOptions(WeightForm.PACKED))
    ids = np.random.default_rng(0).integers(0, 640, (1, 24))
    expected = Decoder(path).step(ids)
    with ternc.compile(path, threads=1, cpu="native") as model:
        found = model.run(first_inputs(model, ids, (1, 2, 0, 16)))["logits"]
        # A code that rounds the other way moves a logit by about a hundredth of
        # the logits' deviation of 0.2.
        np.testing.assert_allclose(found, expected, atol=0.01)
        assert np.median(np.abs(found - expected)) < 1e-5
        tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
        prompt = tokenizer.encode("the model").ids
        (whole,) = Decoder(path).greedy([prompt], 8)
        assert model.generate("the model", 8) == tokenizer.decode(whole[len(prompt) :])


def test_refuses_what_it_cannot_write(tmp_path, capsys):
    write_checkpoint(small("trilm-99m"), tmp_path / "full")
    with pytest.raises(ternc.Error, match="found model.safetensors; expected no"):
        write_checkpoint(small("trilm-99m"), tmp_path / "full")
    with pytest.raises(ternc.Error, match="published as float weights only"):
        write_checkpoint(
            small("trilm-99m"), tmp_path / "new", Options(weights=Weights.PACKED)
        )
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").touch()
    arguments = ["--preset", "trilm-99m", "-o", str(tmp_path / "file" / "in")]
    assert cli.main(arguments) == 1
    assert "cannot be made: Not a directory" in capsys.readouterr().err
    for wrong in (["--layers", "0"], ["--seed", "-1"], ["--dtype", "f64"]):
        with pytest.raises(SystemExit, match="2"):
            cli.main([*arguments, *wrong])
