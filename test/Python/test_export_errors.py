"""Faulty checkpoints and command lines: message, exit code, nothing left over."""

import json
import resource
import subprocess
import sys

import numpy as np
import pytest
from checkpoints import Built, Spec
from conftest import ROOT
from safetensors.numpy import save_file

from ternc.export import ExportError, Options, WeightForm, export

Q_PROJ = "model.layers.0.self_attn.q_proj"
AUTO = {"linear_class": "autobitlinear", "quantization_mode": "offline"}
ONLINE = {"linear_class": "autobitlinear", "quantization_mode": "online"}


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "ternc.export", *map(str, arguments)],
        # No bytecode: a limit on file sizes would cut it off.
        env={"PYTHONPATH": str(ROOT / "python"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        **options,
    )


@pytest.fixture
def message(tmp_path):
    """Exports a checkpoint that must be refused; returns the message."""

    def check(built, change_config=None, **options):
        folder = built.write(tmp_path / "in")
        if change_config:
            built.config.update(change_config)
            (folder / "config.json").write_text(json.dumps(built.config))
        with pytest.raises(ExportError) as error:
            export(folder, tmp_path / "model.onnx", Options(**options))
        assert [path.name for path in tmp_path.iterdir()] == ["in"]
        return str(error.value).replace(str(tmp_path), "")

    return check


def test_missing_tensor(message):
    built = Built(Spec())
    del built.tensors[f"{Q_PROJ}.weight"]
    assert message(built) == f"/in: error: tensor '{Q_PROJ}.weight' is missing"


def test_missing_sub_norm_names_both_spellings(message):
    built = Built(Spec())
    del built.tensors["model.layers.1.mlp.ffn_sub_norm.weight"]
    assert message(built) == (
        "/in: error: tensor 'model.layers.1.mlp.ffn_sub_norm.weight' "
        "(or 'model.layers.1.mlp.ffn_layernorm.weight') is missing"
    )


def test_missing_scale(message):
    built = Built(Spec())
    del built.tensors[f"{Q_PROJ}.weight_scale"]
    assert message(built) == f"/in: error: tensor '{Q_PROJ}.weight_scale' is missing"


def test_missing_head(message):
    built = Built(Spec(tied=False))
    del built.tensors["lm_head.weight"]
    assert message(built) == "/in: error: tensor 'lm_head.weight' is missing"


def test_wrong_shape_of_scale(message):
    built = Built(Spec())
    built.tensors[f"{Q_PROJ}.weight_scale"] = np.ones(18, np.float32)
    assert message(built) == (
        f"/in/model.safetensors: error: tensor '{Q_PROJ}.weight_scale'\n"
        "  found F32 [18]; "
        "expected F32 or BF16 or F16 [1], or F32 or BF16 or F16 []"
    )


def test_wrong_shape_of_norm(message):
    built = Built(Spec())
    built.tensors["model.norm.weight"] = np.ones(17, np.float32)
    assert message(built) == (
        "/in/model.safetensors: error: tensor 'model.norm.weight'\n"
        "  found F32 [17]; expected F32 or BF16 or F16 [18]"
    )


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_scale_must_be_positive(value, message):
    built = Built(Spec())
    built.tensors[f"{Q_PROJ}.weight_scale"][:] = value
    assert message(built) == (
        f"/in/model.safetensors: error: tensor '{Q_PROJ}.weight_scale'\n"
        f"  found {value}; expected a positive scale"
    )


def test_not_finite(message):
    built = Built(Spec())
    built.tensors["model.norm.weight"][3] = np.nan
    assert "tensor 'model.norm.weight'\n  found an infinity or a NaN" in message(built)


def test_wrong_shape_of_packed_weight(message):
    built = Built(Spec())
    built.tensors[f"{Q_PROJ}.weight"] = built.tensors[f"{Q_PROJ}.weight"][:-1].copy()
    assert message(built) == (
        f"/in/model.safetensors: error: tensor '{Q_PROJ}.weight'\n"
        "  found U8 [4, 18]; expected U8 [5, 18], or F32 or BF16 or F16 [18, 18]"
    )


def test_wrong_dtype(message):
    built = Built(Spec())
    built.tensors[f"{Q_PROJ}.weight"] = np.zeros((18, 18), np.int32)
    assert message(built) == (
        f"/in/model.safetensors: error: tensor '{Q_PROJ}.weight'\n"
        "  found I32 [18, 18]; expected U8 [5, 18], or F32 or BF16 or F16 [18, 18]"
    )


def test_packed_weights_cannot_be_quantised_online(message):
    text = message(Built(Spec(quantization=ONLINE)))
    assert "found U8 [5, 18]; expected F32 or BF16 or F16 [18, 18]" in text


@pytest.mark.parametrize("form", WeightForm)
# 18 rows in 5 byte rows, with padding, and 12 in 3: byte row 1, second quarter.
@pytest.mark.parametrize("heads, row", [(3, 6), (2, 4)])
def test_code_that_is_no_trit(heads, row, form, message):
    built = Built(Spec(heads=heads))
    packed = built.tensors[f"{Q_PROJ}.weight"]
    packed[:, 7] &= 0b00111111
    packed[1, 7] |= 0b00001100
    assert message(built, weights=form) == (
        f"/in/model.safetensors: error: tensor '{Q_PROJ}.weight' is not ternary\n"
        f"  found 3 at [{row}, 7]; expected codes 0, 1 and 2"
    )


def test_unpacked_weight_that_is_no_trit(message):
    built = Built(Spec(storage="trits", quantization=AUTO))
    built.tensors[f"{Q_PROJ}.weight"][2, 5] = 0.5
    assert message(built) == (
        f"/in/model.safetensors: error: tensor '{Q_PROJ}.weight' is not ternary\n"
        "  found 0.5 at [2, 5]; expected -1, 0 and 1"
    )


def test_float_llama_is_not_ternary(message):
    built = Built(
        Spec(architecture="LlamaForCausalLM", storage="master", quantization=None)
    )
    text = message(built)
    assert f"tensor '{Q_PROJ}.weight' is not ternary\n  found rows of several" in text
    assert "quantization_mode online" in text


CONFIG_FAULTS = {
    "architectures": (["GPT2LMHeadModel"], "one of BitNetForCausalLM, "),
    "hidden_size": (0, "a positive integer"),
    "num_attention_heads": (None, "a positive integer"),
    "num_key_value_heads": (2, "a divisor of 3 heads"),
    "head_dim": (5, "an even number, for rotary embeddings"),
    "hidden_act": ("gelu", "one of relu2, silu, swish"),
    "rms_norm_eps": (-1, "a positive number"),
    "tie_word_embeddings": (1, "true or false"),
    "eos_token_id": ("end", "a token id or a list of them"),
    "bos_token_id": (-1, "a token id"),
    "partial_rotary_factor": (0.5, "1.0"),
    "quantization_config": ("bitnet", "an object"),
}


@pytest.mark.parametrize("key", CONFIG_FAULTS)
def test_config(key, message):
    found, expected = CONFIG_FAULTS[key]
    text = message(Built(Spec()), {key: found})
    assert text.startswith(
        f"/in/config.json: error: '{key}'\n  found {json.dumps(found)}; "
    )
    assert f"; expected {expected}" in text


@pytest.mark.parametrize(
    "section, key, expected",
    [
        (
            {"rope_scaling": {"rope_type": "yarn"}},
            "rope_scaling.rope_type",
            "default, linear",
        ),
        (
            {"rope_scaling": {"type": "linear"}},
            "rope_scaling.factor",
            "a positive number",
        ),
        (
            {"quantization_config": {"quant_method": "gptq"}},
            "quantization_config.quant_method",
            "bitnet",
        ),
        (
            {"quantization_config": {"quant_method": "bitnet", "linear_class": "x"}},
            "quantization_config.linear_class",
            "bitlinear or autobitlinear",
        ),
    ],
)
def test_config_sections(section, key, expected, message):
    text = message(Built(Spec()), section)
    assert text.startswith(f"/in/config.json: error: '{key}'\n")
    assert f"; expected {expected}" in text


@pytest.mark.parametrize(
    "name, content, expected",
    [
        ("config.json", None, "no such file"),
        ("config.json", b"{", "not JSON"),
        ("config.json", b"[]", "found a JSON list; expected an object"),
        ("config.json", b"\xff\xfe", "not JSON"),
        ("model.safetensors", None, "found no *.safetensors file"),
        ("model.safetensors", b"", "not a safetensors file"),
        ("model.safetensors", b"\xff" * 64, "not a safetensors file"),
        ("model.safetensors.index.json", b"{}", "not an index of shards"),
        (
            "model.safetensors.index.json",
            b'{"weight_map": {"a": "../b.safetensors"}}',
            "expected the name of a file in the same folder",
        ),
        (
            "model.safetensors.index.json",
            b'{"weight_map": {"a": "b.safetensors"}}',
            "b.safetensors: error: no such file",
        ),
        (
            "model.safetensors.index.json",
            b'{"weight_map": {"a": "model.safetensors"}}',
            "model.safetensors: error: tensor 'a' is missing",
        ),
    ],
)
def test_damaged_file(name, content, expected, tmp_path):
    folder = Built(Spec()).write(tmp_path / "in")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(ExportError, match="error: ") as error:
        export(folder, tmp_path / "model.onnx")
    assert expected in str(error.value)


def test_truncated_shard(tmp_path):
    folder = Built(Spec()).write(tmp_path / "in")
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:-1])
    with pytest.raises(
        ExportError, match="model.safetensors: error: not a safetensors file"
    ):
        export(folder, tmp_path / "model.onnx")


def test_tensor_in_two_files(tmp_path):
    built = Built(Spec())
    folder = built.write(tmp_path / "in")
    (folder / "model.safetensors").rename(folder / "a.safetensors")
    save_file({"model.norm.weight": np.ones(1)}, folder / "b.safetensors")
    with pytest.raises(
        ExportError, match="'model.norm.weight' is also in a.safetensors"
    ):
        export(folder, tmp_path / "model.onnx")


def test_command_line(tmp_path):
    folder = Built(Spec()).write(tmp_path / "in")
    done = run(
        folder, "-o", tmp_path / "model.onnx", "--weights", "packed", "--opset", 18
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "reading BitNetForCausalLM, 2 layers" in done.stderr
    assert (tmp_path / "model.onnx").exists()


def test_unused_tensor_is_reported(tmp_path):
    built = Built(Spec())
    built.tensors["model.layers.0.extra.weight"] = np.zeros(1, np.float32)
    lines = []
    export(built.write(tmp_path / "in"), tmp_path / "model.onnx", report=lines.append)
    assert (
        "warning: 1 tensors have no place in the model: model.layers.0.extra.weight"
        in lines
    )


def test_tied_head_may_be_stored_too(tmp_path):
    built = Built(Spec())
    built.tensors["lm_head.weight"] = built.tensors["model.embed_tokens.weight"]
    built.tensors["model.rotary_emb.inv_freq"] = np.zeros(3, np.float32)
    lines = []
    export(built.write(tmp_path / "in"), tmp_path / "model.onnx", report=lines.append)
    assert not [line for line in lines if "warning" in line]


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ([], "the following arguments are required"),
        (["in"], "-o/--output"),
        (["in", "-o", "m.onnx", "--weights", "int4"], "invalid choice: 'int4'"),
        (["in", "-o", "m.onnx", "--opset", "24"], "--weights int2 needs 25 to "),
        (["in", "-o", "m.onnx", "--opset", "999"], "found 999"),
    ],
)
def test_faulty_command_line(arguments, expected):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert expected in done.stderr


def test_faulty_checkpoint_exits_with_1(tmp_path):
    done = run(tmp_path / "none", "-o", tmp_path / "model.onnx")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{tmp_path / 'none'}: error: not a folder\n"


def test_unwritable_output(tmp_path):
    folder = Built(Spec()).write(tmp_path / "in")
    done = run(folder, "-o", tmp_path / "none" / "model.onnx")
    assert done.returncode == 1
    assert (
        "model.onnx: error: cannot be written: No such file or directory" in done.stderr
    )


@pytest.mark.parametrize("flag", ["--no-external-data", "--external-data"])
def test_full_disk_keeps_the_old_file(flag, tmp_path):
    # A limit on file sizes fails a write midway, as a full disk does.
    folder = Built(Spec()).write(tmp_path / "in")
    (tmp_path / "model.onnx").write_text("old")
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))  # noqa: E731
    done = run(folder, "-o", tmp_path / "model.onnx", flag, preexec_fn=limit)
    assert done.returncode == 1
    assert (
        "model.onnx" in done.stderr
        and "cannot be written: File too large" in done.stderr
    )
    assert (tmp_path / "model.onnx").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "model.onnx"]
