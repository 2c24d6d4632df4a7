"""What config.json and generation_config.json say of a checkpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ExportError

# BitnetForCausalLM (small n) is 1bitLLM's own class: a Llama with sub-norms
# whose float weights are quantised as the model runs.
_BITNET = "BitNetForCausalLM"
_BITNET_1BITLLM = "BitnetForCausalLM"
_LLAMA = "LlamaForCausalLM"

# What transformers assumes where config.json is silent.
_DEFAULTS = {
    _BITNET: {"hidden_act": "relu2", "rms_norm_eps": 1e-5, "rope_theta": 500000.0},
    _BITNET_1BITLLM: {
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
    },
    _LLAMA: {"hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 10000.0},
}
_DEFAULT_CONTEXT = 2048

_ACTIVATIONS = {"relu2": "relu2", "silu": "silu", "swish": "silu"}


@dataclass(frozen=True)
class Quantization:
    """`quantization_config`: how the projections' weights are to be read."""

    linear_class: str  # "bitlinear" or "autobitlinear"
    online: bool  # float master weights, quantised by their mean magnitude
    rms_norm_eps: float | None  # of the norm before each projection; None: no norm
    modules_to_not_convert: tuple[str, ...]  # parts of names that stay float

    @property
    def scale_multiplies(self) -> bool:
        """Whether `weight_scale` multiplies the product; it divides otherwise."""
        return self.linear_class == "autobitlinear"

    def converts(self, module: str) -> bool:
        """Whether the linear layer `module` is ternary."""
        return not any(part in module for part in self.modules_to_not_convert)


@dataclass(frozen=True)
class RopeScaling:
    """A change of the rotary frequencies for longer contexts."""

    kind: str  # "linear" or "llama3"
    factor: float
    low_freq_factor: float = 1.0
    high_freq_factor: float = 1.0
    original_context: int = 0


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a decoder. All sizes count elements."""

    architecture: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    context: int
    hidden_act: str  # "relu2" or "silu"
    rms_norm_eps: float
    rope_theta: float
    rope_scaling: RopeScaling | None
    tied_head: bool
    attention_bias: bool
    mlp_bias: bool
    sub_norms: bool  # a norm before o_proj and before down_proj
    quantization: Quantization | None  # None: config.json has none
    bos_token_id: int | None
    eos_token_ids: tuple[int, ...]


def load_config(folder: Path) -> ModelConfig:
    """Reads `config.json` and, if present, `generation_config.json`.

    Raises ExportError for a missing or malformed file, an architecture other
    than BitNet's or Llama's, or a feature that would be silently wrong.
    """
    path = folder / "config.json"
    keys = _Keys(path, _read_json(path))
    generation_path = folder / "generation_config.json"
    generation = _Keys(
        generation_path,
        _read_json(generation_path) if generation_path.exists() else {},
    )
    architecture = _architecture(keys)
    defaults = _DEFAULTS[architecture]
    hidden_size = keys.integer("hidden_size")
    num_heads = keys.integer("num_attention_heads")
    num_kv_heads = keys.integer("num_key_value_heads", num_heads)
    if num_heads % num_kv_heads:
        keys.fail(
            "num_key_value_heads", num_kv_heads, f"a divisor of {num_heads} heads"
        )
    rope_theta, rope_scaling = _rope(keys, defaults["rope_theta"])
    eos = generation.get("eos_token_id")
    bos = generation.get("bos_token_id")
    return ModelConfig(
        architecture=architecture,
        vocab_size=keys.integer("vocab_size"),
        hidden_size=hidden_size,
        intermediate_size=keys.integer("intermediate_size"),
        num_layers=keys.integer("num_hidden_layers"),
        num_heads=num_heads,
        num_kv_heads=num_kv_heads,
        head_dim=_head_dim(keys, hidden_size, num_heads),
        context=keys.integer("max_position_embeddings", _DEFAULT_CONTEXT),
        hidden_act=_activation(keys, defaults["hidden_act"]),
        rms_norm_eps=keys.positive("rms_norm_eps", defaults["rms_norm_eps"]),
        rope_theta=rope_theta,
        rope_scaling=rope_scaling,
        tied_head=keys.boolean("tie_word_embeddings"),
        attention_bias=keys.boolean("attention_bias"),
        mlp_bias=keys.boolean("mlp_bias"),
        sub_norms=architecture != _LLAMA,
        quantization=_quantization(keys, architecture),
        bos_token_id=(keys if bos is None else generation).token("bos_token_id"),
        eos_token_ids=(keys if eos is None else generation).tokens("eos_token_id"),
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExportError(f"{path}: error: no such file") from None
    except OSError as error:
        raise ExportError(f"{path}: error: {error.strerror}") from error
    except ValueError as error:
        raise ExportError(f"{path}: error: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ExportError(
            f"{path}: error: found a JSON {type(value).__name__}; expected an object"
        )
    return value


class _Keys:
    """Typed look-ups in a JSON object that name the file and key on failure."""

    def __init__(self, path: Path, values: dict[str, Any], prefix: str = ""):
        self._path = path
        self._values = values
        self._prefix = prefix

    def fail(self, key: str, found: Any, expected: str) -> None:
        raise ExportError(
            f"{self._path}: error: '{self._prefix}{key}'\n"
            f"  found {json.dumps(found)}; expected {expected}"
        )

    def get(self, key: str, default: Any = None) -> Any:
        value = self._values.get(key)
        return default if value is None else value

    def section(self, key: str) -> _Keys | None:
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.fail(key, value, "an object")
        return _Keys(self._path, value, f"{self._prefix}{key}.")

    def integer(self, key: str, default: int | None = None) -> int:
        value = self.get(key, default)
        if type(value) is not int or value < 1:
            self.fail(key, value, "a positive integer")
        return value

    def positive(self, key: str, default: float | None = None) -> float:
        value = self.get(key, default)
        if type(value) not in (int, float) or not 0 < value < float("inf"):
            self.fail(key, value, "a positive number")
        return float(value)

    def boolean(self, key: str) -> bool:
        value = self.get(key, False)
        if type(value) is not bool:
            self.fail(key, value, "true or false")
        return value

    def token(self, key: str) -> int | None:
        value = self.get(key)
        if value is not None and (type(value) is not int or value < 0):
            self.fail(key, value, "a token id")
        return value

    def tokens(self, key: str) -> tuple[int, ...]:
        value = self.get(key, [])
        ids = value if isinstance(value, list) else [value]
        if any(type(token) is not int or token < 0 for token in ids):
            self.fail(key, value, "a token id or a list of them")
        return tuple(ids)

    def words(self, key: str) -> tuple[str, ...]:
        value = self.get(key, [])
        if not isinstance(value, list) or any(type(word) is not str for word in value):
            self.fail(key, value, "a list of names")
        return tuple(value)


def _architecture(keys: _Keys) -> str:
    names = keys.words("architectures")
    if len(names) != 1 or names[0] not in _DEFAULTS:
        keys.fail("architectures", list(names), f"one of {', '.join(_DEFAULTS)}")
    return names[0]


def _head_dim(keys: _Keys, hidden_size: int, num_heads: int) -> int:
    if keys.get("head_dim") is None and hidden_size % num_heads:
        keys.fail("hidden_size", hidden_size, f"a multiple of {num_heads} heads")
    head_dim = keys.integer("head_dim", hidden_size // num_heads)
    if head_dim % 2:
        keys.fail("head_dim", head_dim, "an even number, for rotary embeddings")
    return head_dim


def _activation(keys: _Keys, default: str) -> str:
    name = keys.get("hidden_act", default)
    if not isinstance(name, str) or name not in _ACTIVATIONS:
        keys.fail("hidden_act", name, f"one of {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[name]


def _rope(keys: _Keys, default_theta: float) -> tuple[float, RopeScaling | None]:
    """Reads transformers 5's `rope_parameters`, or the keys that it replaced."""
    parameters = keys.section("rope_parameters")
    scaling = parameters or keys.section("rope_scaling")
    theta = (parameters or keys).positive(
        "rope_theta", keys.get("rope_theta", default_theta)
    )
    for section in filter(None, (keys, parameters)):
        if section.get("partial_rotary_factor", 1.0) != 1.0:
            section.fail(
                "partial_rotary_factor", section.get("partial_rotary_factor"), "1.0"
            )
    return theta, None if scaling is None else _rope_scaling(scaling)


def _rope_scaling(keys: _Keys) -> RopeScaling | None:
    key = "rope_type" if keys.get("rope_type") is not None else "type"
    kind = keys.get(key, "default")
    if kind == "default":
        return None
    if kind == "linear":
        return RopeScaling(kind, keys.positive("factor"))
    if kind != "llama3":
        keys.fail(key, kind, "default, linear or llama3")
    scaling = RopeScaling(
        kind,
        keys.positive("factor"),
        keys.positive("low_freq_factor"),
        keys.positive("high_freq_factor"),
        keys.integer("original_max_position_embeddings"),
    )
    if scaling.high_freq_factor <= scaling.low_freq_factor:
        keys.fail(
            "high_freq_factor",
            scaling.high_freq_factor,
            f"more than low_freq_factor = {scaling.low_freq_factor}",
        )
    return scaling


def _quantization(keys: _Keys, architecture: str) -> Quantization | None:
    section = keys.section("quantization_config")
    if section is None:
        # 1bitLLM's checkpoints carry none: their class implies it.
        implied = architecture == _BITNET_1BITLLM
        return (
            Quantization("autobitlinear", True, None, ("lm_head",)) if implied else None
        )
    if section.get("quant_method") != "bitnet":
        section.fail("quant_method", section.get("quant_method"), "bitnet")
    linear_class = section.get("linear_class", "bitlinear")
    if linear_class not in ("bitlinear", "autobitlinear"):
        section.fail("linear_class", linear_class, "bitlinear or autobitlinear")
    mode = section.get("quantization_mode", "offline")
    if mode not in ("offline", "online"):
        section.fail("quantization_mode", mode, "offline or online")
    # transformers reads the mode for autobitlinear only.
    online = mode == "online" and linear_class == "autobitlinear"
    eps = section.positive("rms_norm_eps", 1e-6)
    return Quantization(
        linear_class,
        online,
        eps if section.boolean("use_rms_norm") else None,
        ("lm_head",) + section.words("modules_to_not_convert"),
    )
