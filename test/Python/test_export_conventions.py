"""Every convention of checkpoints, exported, against the NumPy reference."""

import json

import numpy as np
import onnx
import pytest
from checkpoints import BF16, Built, Spec
from onnx import numpy_helper
from sessions import Decoder

from ternc.export import Options, Rounding, WeightForm, export

AUTO = {"linear_class": "autobitlinear", "quantization_mode": "offline"}
ONLINE = {"linear_class": "autobitlinear", "quantization_mode": "online"}
LLAMA = dict(architecture="LlamaForCausalLM", act="silu", theta=10000.0)
LLAMA3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 32,
}  # fmt: skip

SPECS = {
    "bitnet-packed-divides": Spec(),
    "bitnet-packed-multiplies": Spec(quantization=AUTO),
    "bitnet-trits-multiplies": Spec(quantization=AUTO, storage="trits"),
    "bitnet-trits-divides": Spec(storage="trits", dtype=np.float32),
    "bitnet-online": Spec(quantization=ONLINE, storage="master"),
    "bitnet-online-f32-half-up": Spec(
        quantization=ONLINE, storage="master", dtype=np.float32, half_up=True
    ),
    "1bitllm": Spec(
        architecture="BitnetForCausalLM",
        quantization=None,
        storage="master",
        dtype=np.float16,
        act="silu",
        theta=10000.0,
        names={"attn_sub_norm": "inner_attn_ln", "ffn_sub_norm": "ffn_layernorm"},
    ),
    "llama-mha-untied": Spec(**LLAMA, kv_heads=3, tied=False),
    "llama-gqa-rms-norm": Spec(**LLAMA, quantization={"use_rms_norm": True}, eps=1e-6),
    "llama-auto-rms-norm": Spec(**LLAMA, quantization={"use_rms_norm": True, **AUTO}),
    "llama-packed-no-config": Spec(**LLAMA, quantization=None),
    "llama-bias-packed": Spec(**LLAMA, bias=True),
    "llama-bias-auto": Spec(**LLAMA, bias=True, quantization=AUTO),
    "llama-bias-online": Spec(
        **LLAMA, bias=True, quantization=ONLINE, storage="master"
    ),
    "llama-wide-heads": Spec(**LLAMA, head_dim=10, inner=33, hidden=21),
    "llama-some-float": Spec(
        **LLAMA, quantization={"modules_to_not_convert": ["lm_head", "layers.1.mlp"]}
    ),
    "llama-linear-rope": Spec(
        **LLAMA, rope_scaling={"rope_type": "linear", "factor": 4.0}
    ),
    "llama3-rope": Spec(**LLAMA, rope_scaling=LLAMA3, head_dim=12),
    "trilm-tensor": Spec(
        **LLAMA, quantization=None, storage="scaled", dtype=np.float16, scale_rows=False
    ),
    "trilm-rows": Spec(**LLAMA, quantization=None, storage="scaled", dtype=np.float16),
    "trilm-groups": Spec(
        **LLAMA,
        quantization=None,
        storage="scaled",
        dtype=np.float16,
        groups=2,
        inner=32,
    ),
    # As TriLM 2.4B and 3.9B: no power of two.
    "trilm-three-groups": Spec(
        **LLAMA,
        quantization=None,
        storage="scaled",
        dtype=np.float16,
        groups=3,
        hidden=36,
        head_dim=12,
        inner=36,
    ),
    "one-wide": Spec(hidden=1, inner=1, heads=1, head_dim=2),
}

IDS = [1, 7, 30, 0, 12, 5, 5, 29, 2]


def export_spec(spec, folder, form=WeightForm.INT2, **options):
    built = Built(spec)
    rounding = Rounding.HALF_UP if spec.half_up else Rounding.HALF_EVEN
    checkpoint = built.write(folder / "checkpoint")
    path = folder / "model.onnx"
    export(checkpoint, path, Options(form, rounding=rounding, **options))
    onnx.checker.check_model(str(path), full_check=True)
    assert_all_used(onnx.load(path).graph)
    return built, path


def assert_all_used(graph):
    used = {name for node in graph.node for name in node.input}
    used |= {value.name for value in graph.output}
    made = {name for node in graph.node for name in node.output}
    made |= {value.name for value in graph.input}
    made |= {tensor.name for tensor in graph.initializer}
    assert made == used


def assert_close(found, expected):
    # No activation code of these seeds lies near a tie: only the order of f32
    # additions differs.
    np.testing.assert_allclose(
        found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max()
    )


@pytest.mark.parametrize("form", WeightForm)
@pytest.mark.parametrize("name", SPECS)
def test_logits(name, form, tmp_path):
    built, path = export_spec(SPECS[name], tmp_path, form)
    expected = built.model.logits(IDS)
    decoder = Decoder(path)
    assert_close(decoder.step([IDS])[0], expected)
    # The same through the cache: a part at once, then token by token.
    decoder.reset()
    parts = [decoder.step([IDS[:4]])] + [decoder.step([[token]]) for token in IDS[4:]]
    assert_close(np.concatenate(parts, axis=1)[0], expected)


@pytest.mark.parametrize("name", ["bitnet-packed-multiplies", "bitnet-online"])
def test_forms_agree_bit_for_bit(name, tmp_path):
    logits = []
    for form in WeightForm:
        _, path = export_spec(SPECS[name], tmp_path, form)
        logits.append(Decoder(path).step([IDS]))
    np.testing.assert_array_equal(logits[0], logits[1])
    np.testing.assert_array_equal(logits[0], logits[2])


def test_padding_and_batches_leave_real_tokens_alone(tmp_path):
    built, path = export_spec(Spec(quantization=AUTO), tmp_path)
    decoder = Decoder(path)
    decoder.reset(batch=2)
    left = decoder.step([IDS[:4], [0, 0] + IDS[:2]], [[1] * 4, [0, 0, 1, 1]])
    right = decoder.step([IDS[4:6], IDS[2:4]])
    assert_close(left[0], built.model.logits(IDS[:4]))
    assert_close(right[0], built.model.logits(IDS[:6])[4:])
    expected = built.model.logits(IDS[:4])
    assert_close(left[1, 2:], expected[:2])
    assert_close(right[1], expected[2:])


@pytest.mark.parametrize("form", WeightForm)
def test_every_opset_that_onnxruntime_knows(form, tmp_path):
    for opset in range(form.min_opset, 27):
        built, path = export_spec(Spec(), tmp_path, form, opset=opset)
        assert onnx.load(path).opset_import[0].version == opset
        assert_close(Decoder(path).step([IDS])[0], built.model.logits(IDS))


def test_transformers_5_rope_parameters(tmp_path):
    built = Built(
        Spec(rope_scaling={"rope_type": "linear", "factor": 2.0}, theta=12345.0)
    )
    folder = built.write(tmp_path / "checkpoint")
    config = dict(built.config)
    config["rope_parameters"] = {
        **config.pop("rope_scaling"),
        "rope_theta": config.pop("rope_theta"),
    }
    (folder / "config.json").write_text(json.dumps(config))
    export(folder, tmp_path / "model.onnx")
    assert_close(
        Decoder(tmp_path / "model.onnx").step([IDS])[0], built.model.logits(IDS)
    )


@pytest.mark.parametrize(
    "spec",
    [
        Spec(head_dim=6, kv_heads=3),
        Spec(**LLAMA, eps=1e-6, head_dim=6, kv_heads=3),
        Spec(
            architecture="BitnetForCausalLM",
            act="silu",
            theta=10000.0,
            kv_heads=3,
            storage="master",
            quantization=None,
        ),
    ],
    ids=lambda spec: spec.architecture,
)
def test_defaults_of_config(spec, tmp_path):
    built = Built(spec)
    # So small that the norms' epsilon matters.
    built.tensors["model.embed_tokens.weight"] *= BF16(2**-9)
    built.model.embedding *= np.float32(2**-9)
    folder = built.write(tmp_path / "checkpoint")
    for key in ("rope_theta", "rms_norm_eps", "hidden_act", "head_dim"):
        del built.config[key]
    built.config["num_key_value_heads"] = None
    (folder / "config.json").write_text(json.dumps(built.config))
    export(folder, tmp_path / "model.onnx")
    logits = Decoder(tmp_path / "model.onnx").step([IDS])[0]
    assert_close(logits, built.model.logits(IDS))


@pytest.mark.parametrize("form", WeightForm)
@pytest.mark.parametrize("storage", ["master", "scaled"])
def test_weights_of_zeros(storage, form, tmp_path):
    quantization = ONLINE if storage == "master" else None
    built = Built(Spec(**LLAMA, storage=storage, quantization=quantization, inner=32))
    built.tensors["model.layers.0.mlp.up_proj.weight"][:] = 0
    built.tensors["model.layers.1.mlp.up_proj.weight"][3:7] = 0
    # Small ones are none: the mean's lower bound is far below.
    built.tensors["model.layers.1.mlp.down_proj.weight"] *= 2**-4
    export(built.write(tmp_path / "in"), tmp_path / "model.onnx", Options(form))
    logits = Decoder(tmp_path / "model.onnx").step([IDS])[0]
    for name in ("0.mlp.up_proj", "1.mlp.up_proj", "1.mlp.down_proj"):
        name = f"layers.{name}"
        weight = built.tensors[f"model.{name}.weight"].astype(np.float32)
        built.model.linears[name].weight = weight
    assert_close(logits, built.model.logits(IDS))
    scales = [
        numpy_helper.to_array(tensor)
        for tensor in onnx.load(tmp_path / "model.onnx").graph.initializer
        if tensor.name.endswith("_scale")
    ]
    assert scales or form is WeightForm.FLOAT
    assert all((scale > 0).all() for scale in scales)


@pytest.mark.parametrize("rounding", Rounding)
def test_ties_of_master_weights(rounding, tmp_path):
    # The mean magnitude is 1, so the weights are their own quotients.
    built = Built(Spec(hidden=4, quantization=ONLINE, storage="master", dtype=BF16))
    name = "model.layers.0.mlp.up_proj.weight"
    built.tensors[name][:] = np.array([0.5, -0.5, 1.5, -1.5], BF16)
    export(
        built.write(tmp_path / "checkpoint"),
        tmp_path / "model.onnx",
        Options(WeightForm.INT8, rounding=rounding),
    )
    tensors = onnx.load(tmp_path / "model.onnx").graph.initializer
    (tensor,) = [tensor for tensor in tensors if tensor.name == name]
    first = 0 if rounding is Rounding.HALF_EVEN else 1
    assert numpy_helper.to_array(tensor)[0].tolist() == [first, 0, 1, -1]
