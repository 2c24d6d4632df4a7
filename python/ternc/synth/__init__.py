"""Writes random checkpoints of published shapes: `python3 -m ternc.synth`."""

from .checkpoint import write_checkpoint
from .presets import PRESETS, Preset, Weights

__all__ = ["PRESETS", "Preset", "Weights", "write_checkpoint"]
