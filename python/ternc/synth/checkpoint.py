"""Writes a checkpoint folder of random weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Error
from ..export.writer import replacing
from ..progress import Progress
from .presets import Preset, Weights
from .safetensors_file import write_shards
from .tensors import PROJECTIONS, list_tensors
from .tokenizer import NUM_BYTES, make_tokenizer

_TORCH_NAMES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}


@dataclass(frozen=True)
class Options:
    """What may differ from the published checkpoint. None: as published."""

    layers: int | None = None
    weights: Weights | None = None
    dtype: str | None = None  # f32, bf16 or f16
    seed: int = 0


def write_checkpoint(
    preset: Preset,
    folder: Path,
    options: Options = Options(),
    report: Callable[[str], None] = lambda message: None,
) -> None:
    """Writes config.json, tokenizer.json and the safetensors files to `folder`,
    which is made if it is missing.

    The same preset, options and NumPy give the same bytes. Memory holds a few
    blocks of one tensor. config.json comes last, so a folder that has one is
    complete. `report` gets a line on what is written; progress is shown on
    stderr. Raises ternc.Error if `folder` cannot be written, holds another
    checkpoint, or the preset is not stored in the form asked for.
    """
    if options.layers is not None:
        preset = preset.with_config(num_hidden_layers=options.layers)
    weights = options.weights or preset.weights
    dtype = options.dtype or preset.dtype
    config = _config(preset, weights, options.dtype)
    tensors = list_tensors(preset.with_config(**config), weights, dtype)
    num_bytes = sum(tensor.num_bytes for tensor in tensors)
    parameters = sum(tensor.parameters for tensor in tensors)
    _prepare(folder)
    report(
        f"writing {parameters / 1e6:,.1f} M parameters as {weights.value} and {dtype}, "
        f"{num_bytes / 1e6:,.1f} MB, to {folder}"
    )
    with Progress("ternc.synth", num_bytes) as progress:
        write_shards(folder, tensors, options.seed, progress.advance)
    _write_json(folder / "tokenizer.json", _tokenizer(config))
    _write_json(folder / "config.json", config, indent=2)


def _config(preset: Preset, weights: Weights, dtype: str | None) -> dict[str, Any]:
    """config.json: as published, but for what `weights` and `dtype` change."""
    config = dict(preset.config)
    if dtype is not None:
        config["torch_dtype"] = _TORCH_NAMES[dtype]
    if weights is preset.weights:
        return config
    if preset.scale_parts:
        raise Error("TriLM is published as float weights only; expected --weights float")
    quantization = {"quant_method": "bitnet", **config.get("quantization_config", {})}
    if weights is Weights.DENSE:
        quantization["modules_to_not_convert"] = list(PROJECTIONS)
    if weights is Weights.FLOAT:
        # As microsoft/bitnet-b1.58-2B-4T-bf16: master weights.
        quantization |= {"linear_class": "autobitlinear", "quantization_mode": "online"}
    return config | {"quantization_config": quantization}


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = sorted(path.name for path in folder.glob("*.safetensors*"))
    except OSError as error:
        raise Error(f"{folder}: error: cannot be made: {error.strerror}") from error
    if found:
        # Shards of another model would be read along with this one's.
        raise Error(f"{folder}: error: found {found[0]}; expected no checkpoint there")


def _tokenizer(config: dict[str, Any]) -> dict[str, Any]:
    ends = config["eos_token_id"]
    ends = ends if isinstance(ends, list) else [ends]
    if config["vocab_size"] < NUM_BYTES + len(ends) + 2:
        raise Error(f"vocab_size: found {config['vocab_size']}; expected 260 or more")
    return make_tokenizer(
        config["vocab_size"], config["bos_token_id"], ends, config.get("pad_token_id")
    )


def _write_json(path: Path, value: dict[str, Any], indent: int | None = None) -> None:
    with replacing(path) as file:
        file.write(json.dumps(value, indent=indent, ensure_ascii=False).encode())
