"""The published models whose shapes can be had, as their config.json has them.

Every entry names its source. Where a source does not say everything, the entry
says what the rest follows from.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import Any


class Weights(enum.Enum):
    """How the projections are stored."""

    PACKED = "packed"  # uint8, four rows of trits to a byte, and a weight_scale
    FLOAT = "float"  # floats: to be quantised as the model runs, or trit times scale
    DENSE = "dense"  # floats that stay floats: the baseline that ternary is compared to


@dataclass(frozen=True)
class Preset:
    """A published model: what its config.json says and how it stores tensors."""

    source: str
    config: dict[str, Any]
    weights: Weights = Weights.PACKED
    dtype: str = "bf16"  # of floats: f32, bf16 or f16
    # Float weights hold trit times scale, one scale for each of so many parts of
    # a matrix (TriLM: the degree of tensor parallelism); 0: master weights.
    scale_parts: int = 0

    def with_config(self, **changes: Any) -> Preset:
        """The preset with other values in config.json."""
        return replace(self, config={**self.config, **changes})


def _bitnet_2b4t() -> Preset:
    return Preset(
        "config.json of huggingface.co/microsoft/bitnet-b1.58-2B-4T; arXiv 2504.12285",
        {
            "architectures": ["BitNetForCausalLM"],
            "bos_token_id": 128000,
            "eos_token_id": 128001,
            "hidden_act": "relu2",
            "hidden_size": 2560,
            "initializer_range": 0.02,
            "intermediate_size": 6912,
            "max_position_embeddings": 4096,
            "model_type": "bitnet",
            "num_attention_heads": 20,
            "num_hidden_layers": 30,
            "num_key_value_heads": 5,
            "rms_norm_eps": 1e-05,
            "rope_theta": 500000.0,
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
            "use_cache": True,
            "vocab_size": 128256,
            "quantization_config": {
                "quant_method": "bitnet",
                "linear_class": "autobitlinear",
                "quantization_mode": "offline",
            },
        },
    )


def _1bitllm(source: str, hidden: int, inner: int, layers: int, heads: int) -> Preset:
    """1bitLLM's class: a Llama with sub-norms whose master weights are float32."""
    config = {
        "architectures": ["BitnetForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": hidden,
        "initializer_range": 0.02,
        "input_bits": 8,
        "intermediate_size": inner,
        "max_position_embeddings": 2048,
        "model_type": "llama",
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "num_key_value_heads": heads,
        "pad_token_id": 32000,
        "pretraining_tp": 1,
        "rms_norm_eps": 1e-05,
        "rope_scaling": None,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "torch_dtype": "float16",
        "use_cache": True,
        "vocab_size": 32002,
        "weight_bits": 1,
    }
    return Preset(source, config, Weights.FLOAT, "f32")


def _llama(source: str, **changes: Any) -> Preset:
    """A Llama with packed projections, as transformers' BitLinear stores them."""
    config = {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "hidden_act": "silu",
        "initializer_range": 0.02,
        "mlp_bias": False,
        "model_type": "llama",
        "pretraining_tp": 1,
        "rope_scaling": None,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "quantization_config": {
            "quant_method": "bitnet",
            "modules_to_not_convert": ["lm_head"],
        },
    }
    return Preset(source, {**config, **changes})


def _falcon(
    source: str,
    hidden: int,
    inner: int,
    layers: int,
    heads: int,
    kv_heads: int,
    head_dim: int,
    **changes: Any,
) -> Preset:
    shape = {
        "bos_token_id": 11,
        "eos_token_id": 11,
        "head_dim": head_dim,
        "hidden_size": hidden,
        "intermediate_size": inner,
        "max_position_embeddings": 8192,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "num_key_value_heads": kv_heads,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000042,
        "vocab_size": 131072,
    }
    return _llama(source, **{**shape, **changes})


def _falcon_e(inner: int, layers: int, source: str) -> Preset:
    return _falcon(
        source,
        2048,
        inner,
        layers,
        16,
        2,
        128,
        max_position_embeddings=32768,
        vocab_size=32768,
    )


def _trilm(
    hidden: int, inner: int, layers: int, heads: int, vocab: int, scale_parts: int
) -> Preset:
    """TriLM "Unpacked": a float16 Llama whose weights are trit times scale.

    The vocabulary, 50,277 tokens padded to a multiple of 128 times the degree of
    tensor parallelism, tells that degree, which is the number of scales.
    """
    preset = _llama(
        "arXiv 2407.12327, table of architectures; "
        "huggingface.co/SpectraSuite (sizes of model.safetensors)",
        bos_token_id=0,
        eos_token_id=0,
        hidden_size=hidden,
        intermediate_size=inner,
        max_position_embeddings=2048,
        num_attention_heads=heads,
        num_hidden_layers=layers,
        num_key_value_heads=heads,
        rms_norm_eps=1e-05,
        rope_theta=10000.0,
        torch_dtype="float16",
        vocab_size=vocab,
    )
    config = dict(preset.config)
    del config["quantization_config"]
    return Preset(preset.source, config, Weights.FLOAT, "f16", scale_parts)


_BITNET_CPP = (
    "microsoft/BitNet, utils/generate-dummy-bitnet-model.py: "
    "the shape that bitnet.cpp's speed is published for"
)
_1BITLLM = "config.json of huggingface.co/1bitLLM/bitnet_b1_58-"
_FALCON3 = "config.json of huggingface.co/tiiuae/Falcon3-"
_FALCON_E_SIZE = (
    "falcon-lm.github.io/blog/falcon-edge: feed-forward width and vocabulary "
    "follow from the published size, "
)

PRESETS: dict[str, Preset] = {
    "bitnet-2b4t": _bitnet_2b4t(),
    "bitnet-700m": _1bitllm(_1BITLLM + "large", 1536, 4096, 24, 16),
    "bitnet-1.3b": _1bitllm(_1BITLLM + "xl", 2048, 5460, 24, 32),
    "bitnet-3b": _1bitllm(_1BITLLM + "3B", 3200, 8640, 26, 32),
    "bitnet-3.8b": _1bitllm(_BITNET_CPP, 3840, 8192, 24, 32),
    "bitnet-7b": _1bitllm(_BITNET_CPP, 4096, 12032, 32, 32),
    "bitnet-13b": _1bitllm(_BITNET_CPP, 5120, 13824, 40, 40),
    "bitnet-70b": _1bitllm(_BITNET_CPP, 8192, 24576, 80, 64),
    "falcon-e-1b": _falcon_e(
        9216,
        24,
        _FALCON_E_SIZE + "665 MB; layers: microsoft/BitNet pull request 268",
    ),
    "falcon-e-3b": _falcon_e(13312, 32, _FALCON_E_SIZE + "999 MB, as 2048 x 13312"),
    "falcon3-1b-1.58": _falcon(
        _FALCON3 + "1B-Instruct-1.58bit", 2048, 8192, 18, 8, 4, 256
    ),
    "falcon3-3b-1.58": _falcon(
        _FALCON3 + "3B-Base-1.58bit",
        3072,
        9216,
        22,
        12,
        4,
        256,
        max_position_embeddings=4096,
    ),
    "falcon3-7b-1.58": _falcon(
        _FALCON3 + "7B-Base-1.58bit", 3072, 23040, 28, 12, 4, 256
    ),
    "falcon3-10b-1.58": _falcon(
        _FALCON3 + "10B-Base-1.58bit",
        3072,
        23040,
        40,
        12,
        4,
        256,
        bos_token_id=1,
        max_position_embeddings=32768,
    ),
    "llama3-8b-1.58": _llama(
        "config.json of huggingface.co/HF1BitLLM/Llama3-8B-1.58-100B-tokens",
        bos_token_id=128000,
        eos_token_id=128009,
        hidden_size=4096,
        intermediate_size=14336,
        max_position_embeddings=8192,
        num_attention_heads=32,
        num_hidden_layers=32,
        num_key_value_heads=8,
        rms_norm_eps=1e-05,
        rope_theta=500000.0,
        vocab_size=128256,
        quantization_config={"quant_method": "bitnet", "modules_to_not_convert": None},
    ),
    "trilm-99m": _trilm(512, 1280, 16, 8, 50304, 1),
    "trilm-190m": _trilm(768, 2048, 16, 12, 50304, 1),
    "trilm-390m": _trilm(1024, 2560, 24, 16, 50304, 1),
    "trilm-560m": _trilm(1280, 3072, 24, 20, 50304, 1),
    "trilm-830m": _trilm(1536, 4096, 24, 24, 50304, 1),
    "trilm-1.1b": _trilm(1792, 5120, 24, 28, 50432, 2),
    "trilm-1.5b": _trilm(2048, 6144, 24, 32, 50432, 2),
    "trilm-2.4b": _trilm(2304, 7680, 30, 36, 50304, 3),
    "trilm-3.9b": _trilm(3072, 9216, 30, 24, 50688, 6),
}
