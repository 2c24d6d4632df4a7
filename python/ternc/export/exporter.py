"""From a checkpoint folder to a model file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from onnx import ModelProto, helper

from ..progress import Progress
from ..version import __version__
from .bitlinear import BitLinear
from .checkpoint import Checkpoint
from .config import ModelConfig, load_config
from .decoder import Decoder
from .dense import DenseForm, DenseLinear
from .errors import ExportError
from .graph import Graph
from .storage import WeightForm
from .weights import Rounding
from .writer import replacing, write_model


@dataclass(frozen=True)
class Options:
    """How the model is written."""

    weights: WeightForm = WeightForm.INT2
    opset: int | None = None  # None: the lowest that `weights` needs
    external_data: bool | None = None  # None: if the file would pass 2 GiB
    rounding: Rounding = Rounding.HALF_EVEN
    dense: DenseForm = DenseForm.FLOAT


def export(
    folder: Path,
    output: Path,
    options: Options = Options(),
    report: Callable[[str], None] = lambda message: None,
    show_progress: bool = False,
) -> None:
    """Writes the checkpoint in `folder` as the ONNX model `output`.

    tokenizer.json is copied next to it. `report` gets warnings and what is done, a
    line at a time; `show_progress` shows on stderr how far it is. Raises ExportError
    if the checkpoint or the output is at fault; no partial file is left.
    """
    if not folder.is_dir():
        raise ExportError(f"{folder}: error: not a folder")
    config = load_config(folder)
    checkpoint = Checkpoint(folder)
    graph = Graph(options.opset or options.weights.min_opset)
    bit_linear = BitLinear(graph, options.weights, options.rounding)
    report(f"reading {config.architecture}, {config.num_layers} layers")
    dense = DenseLinear(graph, checkpoint, options.dense, options.rounding)
    Decoder(graph, config, checkpoint, bit_linear, dense, options.rounding).build()
    unused = [name for name in checkpoint.unused() if not name.endswith(".inv_freq")]
    if unused:
        names = ", ".join(unused[:4]) + (", …" if len(unused) > 4 else "")
        report(f"warning: {len(unused)} tensors have no place in the model: {names}")
    tensors = list(graph.lazy_tensors.values())
    num_bytes = sum(tensor.num_bytes for tensor in tensors)
    report(f"writing {len(tensors)} weights, {num_bytes / 1e6:.1f} MB, to {output}")
    model = _model(graph, config, folder.resolve().name)
    progress = Progress("ternc.export", num_bytes) if show_progress else None
    with progress or contextlib.nullcontext():
        advance = progress.advance if progress else lambda num_bytes: None
        write_model(output, model, tensors, options.external_data, advance)
    _copy_tokenizer(folder, output, report)


def _model(graph: Graph, config: ModelConfig, name: str) -> ModelProto:
    opset = helper.make_opsetid("", graph.opset)
    model = helper.make_model(
        graph.to_proto(name),
        producer_name="ternc.export",
        producer_version=__version__,
        opset_imports=[opset],
        ir_version=helper.find_min_ir_version_for([opset]),
    )
    metadata = {
        "tern.architecture": config.architecture,
        "tern.context": str(config.context),
    }
    if config.bos_token_id is not None:
        metadata["tern.bos_token_id"] = str(config.bos_token_id)
    if config.eos_token_ids:
        metadata["tern.eos_token_ids"] = ",".join(map(str, config.eos_token_ids))
    helper.set_model_props(model, metadata)
    return model


def _copy_tokenizer(folder: Path, output: Path, report: Callable[[str], None]) -> None:
    source = folder / "tokenizer.json"
    target = output.with_name("tokenizer.json")
    if not source.exists():
        report(f"warning: {folder} has no tokenizer.json")
        return
    if target.exists() and source.samefile(target):
        return
    with replacing(target) as file:
        file.write(source.read_bytes())
