"""Layers that are not ternary, as floats and as int8: what ternary is compared to."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from sessions import Decoder, first_inputs

import ternc
from ternc.export import DenseForm, Options, WeightForm, export
from ternc.export import cli as export_cli
from ternc.export.dense import round_rows, scales_of_rows
from ternc.synth import PRESETS, Weights, write_checkpoint
from ternc.synth.checkpoint import Options as SynthOptions

PROJECTIONS = 7
LAYERS = 2
IDS = [[600, 5, 77, 300, 12]]


def write_dense(folder, dtype="f16", name="bitnet-2b4t"):
    shape = {
        "hidden_size": 96,
        "intermediate_size": 192,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "vocab_size": 640,
        "bos_token_id": 600,
        "eos_token_id": 601,
        "num_hidden_layers": LAYERS,
        "max_position_embeddings": 64,
    }
    if "pad_token_id" in PRESETS[name].config:
        shape["pad_token_id"] = 602
    preset = PRESETS[name].with_config(**shape)
    write_checkpoint(preset, folder, SynthOptions(weights=Weights.DENSE, dtype=dtype))


def export_as(folder, form):
    path = folder / f"{form.value}.onnx"
    export(folder, path, Options(WeightForm.PACKED, dense=form))
    return path


def operators(path):
    return [node.op_type for node in onnx.load(path).graph.node]


def tensors(path):
    return {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}


@pytest.mark.parametrize("name", ["bitnet-2b4t", "bitnet-700m", "falcon-e-1b"])
def test_dense_weights_are_neither_quantised_nor_ternary(name, tmp_path):
    write_dense(tmp_path, "f16", name)
    path = export_as(tmp_path, DenseForm.FLOAT)
    assert not {"Round", "DequantizeLinear", "BitwiseAnd"} & set(operators(path))
    weight = tensors(path)["model.layers.1.mlp.up_proj.weight"]
    assert weight.data_type == TensorProto.FLOAT16
    assert len(np.unique(numpy_helper.to_array(weight))) > 1000
    assert np.isfinite(Decoder(path).step(IDS)).all()


def test_bf16_stays_bf16(tmp_path):
    write_dense(tmp_path, "bf16")
    path = export_as(tmp_path, DenseForm.FLOAT)
    types = {t.data_type for n, t in tensors(path).items() if n.endswith("_proj.weight")}
    assert types == {TensorProto.BFLOAT16}


def test_int8_rounds_rows_of_the_weights(tmp_path):
    write_dense(tmp_path)
    exact = tensors(export_as(tmp_path, DenseForm.FLOAT))
    found = tensors(export_as(tmp_path, DenseForm.INT8))
    names = [name for name in exact if name.endswith("_proj.weight")]
    assert len(names) == PROJECTIONS * LAYERS
    for name in names:
        values = numpy_helper.to_array(exact[name]).astype(np.float32)
        codes = numpy_helper.to_array(found[name])
        scales = numpy_helper.to_array(found[f"{name}_scale"])
        assert (codes.dtype, scales.shape) == (np.int8, (len(values),))
        # Every row reaches the end of the range, and nothing is off by more than
        # half a step.
        assert (np.abs(codes.astype(int)).max(axis=1) == 127).all()
        error = np.abs(codes * scales[:, None] - values)
        assert (error <= scales[:, None] * 0.5001).all()
    assert found["model.embed_tokens.weight"].data_type == TensorProto.FLOAT16


def test_rows_of_zeros_and_signs():
    matrix = np.array([[0, 0, 0], [-2, 1, 0.5], [254, -254, 1]], np.float32)
    scales = scales_of_rows(matrix)
    np.testing.assert_allclose(scales, [1, 2 / 127, 2])
    # 63.5 and 31.75; a half goes to the even neighbour.
    codes = [[0, 0, 0], [-127, 64, 32], [127, -127, 0]]
    np.testing.assert_array_equal(round_rows(matrix, scales), codes)


def test_int8_multiplies_integers_and_stays_close(tmp_path):
    write_dense(tmp_path)
    exact = Decoder(export_as(tmp_path, DenseForm.FLOAT)).step(IDS)
    path = export_as(tmp_path, DenseForm.INT8)
    found = operators(path)
    assert found.count("MatMulInteger") == PROJECTIONS * LAYERS
    # One quantisation for q, k and v, one for o, one for gate and up, one for down.
    assert found.count("Round") == 4 * LAYERS
    logits = Decoder(path).step(IDS)
    assert not np.array_equal(logits, exact)
    assert np.corrcoef(logits.ravel(), exact.ravel())[0, 1] > 0.995


def test_compiled_int8_gives_onnxruntimes_logits(tmp_path):
    try:
        ternc.find_compiler()
    except ternc.Error as error:
        pytest.skip(str(error))
    write_dense(tmp_path)
    path = export_as(tmp_path, DenseForm.INT8)
    expected = Decoder(path).step(IDS)
    with ternc.compile(path, threads=1, cpu="native") as model:
        inputs = first_inputs(model, np.array(IDS), (1, 2, 0, 16))
        # A code that rounds the other way moves a logit by a hundredth of their
        # deviation of 0.2.
        np.testing.assert_allclose(model.run(inputs)["logits"], expected, atol=0.01)


def test_ternary_layers_do_not_change(tmp_path):
    preset = PRESETS["bitnet-2b4t"].with_config(
        hidden_size=32,
        intermediate_size=48,
        num_attention_heads=2,
        num_key_value_heads=1,
        num_hidden_layers=1,
        vocab_size=640,
        bos_token_id=600,
        eos_token_id=601,
    )
    write_checkpoint(preset, tmp_path)
    files = []
    for form in DenseForm:
        files.append(export_as(tmp_path, form).read_bytes())
    assert files[0] == files[1]


def test_command_line(tmp_path, capsys):
    write_dense(tmp_path)
    arguments = [str(tmp_path), "-o", str(tmp_path / "model.onnx")]
    assert export_cli.main([*arguments, "--dense", "int8"]) == 0
    assert "MatMulInteger" in operators(tmp_path / "model.onnx")
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["quantization_config"]["modules_to_not_convert"][0] == "q_proj"
    with pytest.raises(SystemExit, match="2"):
        export_cli.main([*arguments, "--dense", "int4"])
    assert "--dense" in capsys.readouterr().err
