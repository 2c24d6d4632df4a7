"""The command line of the exporter."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from onnx import helper
from onnx.defs import onnx_opset_version

from .dense import DenseForm
from .errors import ExportError
from .exporter import Options, export
from .storage import WeightForm
from .weights import Rounding

EXIT_INPUT = 1


def main(arguments: list[str] | None = None) -> int:
    """Runs the exporter: 0 done, 1 the input is at fault. A faulty command line
    exits with 2, by argparse."""
    parser = _parser()
    options = parser.parse_args(arguments)
    form = WeightForm(options.weights)
    if (
        options.opset is not None
        and not form.min_opset <= options.opset <= _max_opset()
    ):
        parser.error(
            f"--opset: found {options.opset}; --weights {form.value} "
            f"needs {form.min_opset} to {_max_opset()}"
        )
    try:
        export(
            options.checkpoint,
            options.output,
            Options(
                form,
                options.opset,
                options.external_data,
                Rounding(options.rounding),
                DenseForm(options.dense),
            ),
            report=lambda message: print(f"ternc.export: {message}", file=sys.stderr),
            show_progress=True,
        )
    except ExportError as error:
        print(error, file=sys.stderr)
        return EXIT_INPUT
    return 0


def _max_opset() -> int:
    """The newest opset that the installed onnx has released with an IR version."""
    known = {
        version
        for (domain, version) in helper.OP_SET_ID_VERSION_MAP
        if domain == "ai.onnx"
    }
    return min(onnx_opset_version(), max(known))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m ternc.export",
        description="Write a ternary checkpoint from Hugging Face as an ONNX model "
        "with KV cache. The tokenizer is copied next to it.",
    )
    parser.add_argument(
        "checkpoint",
        type=Path,
        metavar="CHECKPOINT_DIR",
        help="folder with config.json, *.safetensors and tokenizer.json",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="MODEL.onnx"
    )
    parser.add_argument(
        "--weights",
        choices=[form.value for form in WeightForm],
        default=WeightForm.INT2.value,
        help="how trits are stored; float: as floats, which the graph quantises if "
        "they are master weights (default: %(default)s)",
    )
    parser.add_argument(
        "--opset",
        type=int,
        metavar="N",
        help="opset of the model (default: the lowest that --weights needs: "
        + ", ".join(f"{form.min_opset} for {form.value}" for form in WeightForm)
        + ")",
    )
    parser.add_argument(
        "--external-data",
        action=argparse.BooleanOptionalAction,
        help="keep weights in MODEL.onnx.data (default: if the model passes 2 GiB)",
    )
    parser.add_argument(
        "--rounding",
        choices=[rounding.value for rounding in Rounding],
        default=Rounding.HALF_EVEN.value,
        help="how quantisation breaks ties; half-up is onebitllms' training "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--dense",
        choices=[form.value for form in DenseForm],
        default=DenseForm.FLOAT.value,
        help="how layers that are not ternary are stored, the head apart; int8: "
        "rounded to int8, and their activations too (default: %(default)s)",
    )
    return parser
