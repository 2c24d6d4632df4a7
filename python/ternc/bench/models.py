"""The models that are measured, and the forms in which each is compiled."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cached_property

from ..synth import PRESETS, Preset


@dataclass(frozen=True)
class Shape:
    """The sizes of a decoder that decide what a token costs. All count elements."""

    layers: int
    hidden: int
    inner: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int

    def matrices(self) -> list[tuple[int, int]]:
        """(rows, columns) of each projection of one layer: q, k, v, o, gate, up, down."""
        width, kv_width = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return [
            (width, self.hidden),
            (kv_width, self.hidden),
            (kv_width, self.hidden),
            (self.hidden, width),
            (self.inner, self.hidden),
            (self.inner, self.hidden),
            (self.hidden, self.inner),
        ]

    @property
    def linear_weights(self) -> int:
        """Weights of all projections: multiplications a token."""
        return self.layers * sum(rows * columns for rows, columns in self.matrices())

    @property
    def head_weights(self) -> int:
        return self.vocab * self.hidden


class Variant(enum.Enum):
    """How the projections of a model are stored and computed. The embedding and the
    head are floats of 16 bits in all of them."""

    TERNARY = "ternary"  # as published: trits, activations in int8
    INT8 = "int8"  # int8 and a scale a row, activations in int8
    FP16 = "fp16"  # f16 as stored, computed as the graph does, in f32
    BF16 = "bf16"


@dataclass(frozen=True)
class Model:
    """A shape to measure.

    Where `measured_layers` is (a, b), the whole would be too large: models of a and
    of b layers are measured, and what a layer adds is added for those missing.
    """

    name: str
    preset: Preset
    measured_layers: tuple[int, int] | None = None

    @cached_property
    def shape(self) -> Shape:
        config = self.preset.config
        heads = config["num_attention_heads"]
        return Shape(
            config["num_hidden_layers"],
            config["hidden_size"],
            config["intermediate_size"],
            heads,
            config["num_key_value_heads"],
            config.get("head_dim") or config["hidden_size"] // heads,
            config["vocab_size"],
        )

    @property
    def context(self) -> int:
        return self.preset.config["max_position_embeddings"]


def _tiny() -> Preset:
    """A shape of a moment, to try the tool itself."""
    return PRESETS["bitnet-2b4t"].with_config(
        hidden_size=256,
        intermediate_size=512,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_hidden_layers=2,
        max_position_embeddings=256,
        vocab_size=1024,
        bos_token_id=1000,
        eos_token_id=1001,
    )


MODELS = {
    model.name: model
    for model in (
        Model("tiny", _tiny()),
        Model("700m", PRESETS["bitnet-700m"]),
        Model("1.3b", PRESETS["bitnet-1.3b"]),
        Model("2b4t", PRESETS["bitnet-2b4t"]),
        Model("3b", PRESETS["bitnet-3b"]),
        Model("3.9b", PRESETS["bitnet-3.8b"]),
        Model("7b", PRESETS["bitnet-7b"]),
        Model("13b", PRESETS["bitnet-13b"], measured_layers=(1, 4)),
        Model("70b", PRESETS["bitnet-70b"], measured_layers=(2, 4)),
    )
}


def extrapolate(
    few: float, many: float, layers: tuple[int, int], wanted: int
) -> float | None:
    """What `wanted` layers would take where `layers[0]` take `few` and `layers[1]`
    take `many`, by a straight line. None where more layers took no more, which
    only noise can do."""
    a, b = layers
    if many <= few:
        return None
    return few + (many - few) * (wanted - a) / (b - a)
