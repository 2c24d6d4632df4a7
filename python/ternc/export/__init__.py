"""Exports ternary checkpoints from Hugging Face to ONNX: `python3 -m ternc.export`."""

from .errors import ExportError
from .exporter import Options, export
from .storage import WeightForm
from .weights import Rounding

__all__ = ["ExportError", "Options", "Rounding", "WeightForm", "export"]
