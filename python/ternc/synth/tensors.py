"""The tensors of a decoder's checkpoint: names, shapes, and random contents.

Scales are chosen so that a signal of unit variance keeps it through every
projection, as trained models do, and so that the residual stream grows slowly:
activations stay finite through any number of layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import ml_dtypes
import numpy as np

from .presets import Preset, Weights

# Elements that are made at a time.
_PART_ELEMENTS = 2**22

# By --dtype: NumPy's dtype and safetensors' name of it.
DTYPES = {
    "f32": (np.dtype(np.float32), "F32"),
    "bf16": (np.dtype(ml_dtypes.bfloat16), "BF16"),
    "f16": (np.dtype(np.float16), "F16"),
}

# The modules of a layer that are ternary in a ternary model.
PROJECTIONS = (
    "q_proj",
    "k_proj",
    "v_proj",
    "o_proj",
    "gate_proj",
    "up_proj",
    "down_proj",
)

# Four random bits make a trit: 5 of 16 are -1, 6 are 0 and 5 are 1. Trained
# models have 30 to 45 % of zeros.
_TRIT_OF_BITS = np.repeat(np.array([-1, 0, 1], np.int8), [5, 6, 5])
_NONZERO = 10 / 16

# Share of nonzero trits when normal weights are quantised by their mean
# magnitude, and that mean over their deviation.
_NORMAL_NONZERO = 1 - math.erf(0.5 * math.sqrt(2 / math.pi) / math.sqrt(2))
_NORMAL_MEAN = math.sqrt(2 / math.pi)


@dataclass(frozen=True)
class Tensor:
    """One entry of a safetensors file; `produce` yields its bytes in order."""

    name: str
    dtype: str  # as safetensors has it: "BF16", "U8", …
    shape: tuple[int, ...]
    item_size: int  # bytes
    parameters: int  # of the model that it stores
    produce: Callable[[np.random.Generator], Iterator[np.ndarray]]

    @property
    def num_bytes(self) -> int:
        return math.prod(self.shape) * self.item_size

    def generate(self, seed: int) -> Iterator[np.ndarray]:
        """The contents, which depend on the seed and the tensor's name only."""
        sequence = np.random.SeedSequence(seed, spawn_key=tuple(self.name.encode()))
        return self.produce(np.random.Generator(np.random.PCG64(sequence)))


class _Decoder:
    """Lists the tensors of one preset."""

    def __init__(self, preset: Preset, weights: Weights, dtype: str):
        self._preset = preset
        self._config = preset.config
        self._weights = weights
        self._dtype, self._dtype_name = DTYPES[dtype]
        self._tensors: list[Tensor] = []

    def tensors(self) -> list[Tensor]:
        config = self._config
        hidden, vocab = config["hidden_size"], config["vocab_size"]
        deviation = config["initializer_range"]
        self._add_normal("model.embed_tokens.weight", (vocab, hidden), deviation)
        for i in range(config["num_hidden_layers"]):
            self._add_layer(f"model.layers.{i}")
        self._add_norm("model.norm", hidden)
        if not config["tie_word_embeddings"]:
            self._add_normal("lm_head.weight", (vocab, hidden), deviation)
        return self._tensors

    def _add_layer(self, name: str) -> None:
        config = self._config
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
        head_dim = config.get("head_dim") or hidden // heads
        width, kv_width = heads * head_dim, kv_heads * head_dim
        attention, mlp = f"{name}.self_attn", f"{name}.mlp"
        # What is added to the residual stream, twice a layer.
        gain = 1 / math.sqrt(2 * config["num_hidden_layers"])
        self._add_norm(f"{name}.input_layernorm", hidden)
        self._add_linear(f"{attention}.q_proj", width, hidden)
        self._add_linear(f"{attention}.k_proj", kv_width, hidden)
        self._add_linear(f"{attention}.v_proj", kv_width, hidden)
        self._add_linear(f"{attention}.o_proj", hidden, width, gain, split_columns=True)
        self._add_norm(f"{name}.post_attention_layernorm", hidden)
        self._add_linear(f"{mlp}.gate_proj", inner, hidden)
        self._add_linear(f"{mlp}.up_proj", inner, hidden)
        self._add_linear(f"{mlp}.down_proj", hidden, inner, gain, split_columns=True)
        sub_norms = {
            "BitNetForCausalLM": ("attn_sub_norm", "ffn_sub_norm"),
            "BitnetForCausalLM": ("inner_attn_ln", "ffn_layernorm"),
        }.get(config["architectures"][0])
        if sub_norms is not None:
            self._add_norm(f"{attention}.{sub_norms[0]}", width)
            self._add_norm(f"{mlp}.{sub_norms[1]}", inner)

    def _add_norm(self, module: str, width: int) -> None:
        self._add_floats(
            f"{module}.weight",
            (width,),
            lambda rng: iter([1 + 0.1 * rng.standard_normal(width, np.float32)]),
        )

    def _add_normal(
        self, name: str, shape: tuple[int, int], deviation: float
    ) -> None:
        def produce(rng: np.random.Generator) -> Iterator[np.ndarray]:
            for rows in _blocks(*shape):
                values = rng.standard_normal((rows, shape[1]), np.float32)
                values *= np.float32(deviation)
                yield values

        self._add_floats(name, shape, produce)

    def _add_linear(
        self,
        module: str,
        rows: int,
        columns: int,
        gain: float = 1.0,
        split_columns: bool = False,
    ) -> None:
        """A projection of `[rows, columns]`, whose output has the variance of its
        input times gain squared."""
        name, shape = f"{module}.weight", (rows, columns)
        scale = gain / math.sqrt(_NONZERO * columns)
        if self._weights is Weights.PACKED:
            self._add_packed(name, rows, columns)
            self._add_weight_scale(f"{name}_scale", scale)
        elif self._preset.scale_parts:
            parts = self._preset.scale_parts
            scales = _part_scales(scale, rows, columns, parts, split_columns)
            self._add_floats(name, shape, lambda rng: _scaled_trits(rng, shape, scales))
        else:
            mean = gain / math.sqrt(_NORMAL_NONZERO * columns)
            self._add_normal(name, shape, mean / _NORMAL_MEAN)

    def _add_packed(self, name: str, rows: int, columns: int) -> None:
        # Rows that only pad the last quarter hold trits too; readers drop them.
        shape = (-(-rows // 4), columns)

        def produce(rng: np.random.Generator) -> Iterator[np.ndarray]:
            for count in _blocks(*shape):
                bits = rng.integers(0, 2**16, (count, columns), np.uint16)
                yield _PACKED_OF_BITS[bits]

        self._tensors.append(Tensor(name, "U8", shape, 1, rows * columns, produce))

    def _add_weight_scale(self, name: str, scale: float) -> None:
        quantization = self._config["quantization_config"]
        multiplies = quantization.get("linear_class") == "autobitlinear"
        value = np.full(1, scale if multiplies else 1 / scale, np.float32)
        self._add_floats(name, (1,), lambda rng: iter([value]), parameters=0)

    def _add_floats(
        self,
        name: str,
        shape: tuple[int, ...],
        produce: Callable[[np.random.Generator], Iterator[np.ndarray]],
        parameters: int | None = None,
    ) -> None:
        count = math.prod(shape) if parameters is None else parameters
        dtype = self._dtype
        self._tensors.append(
            Tensor(
                name,
                self._dtype_name,
                shape,
                dtype.itemsize,
                count,
                lambda rng: (part.astype(dtype) for part in produce(rng)),
            )
        )


def list_tensors(preset: Preset, weights: Weights, dtype: str) -> list[Tensor]:
    """Every tensor of the checkpoint, in the order of the model's modules.

    Requires: if `weights` is PACKED, config.json has a quantization_config.
    """
    return _Decoder(preset, weights, dtype).tensors()


def _blocks(rows: int, columns: int) -> Iterator[int]:
    """Numbers of rows, `rows` in all, of blocks that memory hardly notices."""
    step = max(1, _PART_ELEMENTS // columns)
    for row in range(0, rows, step):
        yield min(step, rows - row)


def _packed_of_bits() -> np.ndarray:
    """transformers' byte of four trits for every 16 random bits."""
    bits = np.arange(2**16)
    packed = np.zeros(2**16, np.uint8)
    for i in range(4):
        codes = (_TRIT_OF_BITS[bits >> 4 * i & 15] + 1).astype(np.uint8)
        packed |= codes << np.uint8(2 * i)
    return packed


_PACKED_OF_BITS = _packed_of_bits()


def _part_scales(
    scale: float, rows: int, columns: int, parts: int, split_columns: bool
) -> np.ndarray:
    """f32 `[rows, 1]` or `[1, columns]`: a scale each for `parts` equal parts of
    the rows or columns, all near `scale`."""
    scales = np.float32(scale) * np.linspace(0.9, 1.1, parts, dtype=np.float32)
    length = columns if split_columns else rows
    spread = scales[np.arange(length) * parts // length]
    return spread[None, :] if split_columns else spread[:, None]


def _scaled_trits(
    rng: np.random.Generator, shape: tuple[int, int], scales: np.ndarray
) -> Iterator[np.ndarray]:
    row = 0
    for count in _blocks(*shape):
        trits = _TRIT_OF_BITS[rng.integers(0, 16, (count, shape[1]), np.uint8)]
        block = scales[row : row + count] if scales.shape[0] > 1 else scales
        yield trits * block
        row += count
