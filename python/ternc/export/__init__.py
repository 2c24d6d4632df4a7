"""Exports ternary checkpoints from Hugging Face to ONNX: `python3 -m ternc.export`."""

from .dense import DenseForm
from .errors import ExportError
from .exporter import Options, export
from .storage import WeightForm
from .weights import Rounding

__all__ = ["DenseForm", "ExportError", "Options", "Rounding", "WeightForm", "export"]
