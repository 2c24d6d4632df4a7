"""Writes the embedding of a checkpoint, which is also its head, as the file holds it."""

import sys
from pathlib import Path

import ml_dtypes
from safetensors.numpy import load_file

rows = load_file(Path(sys.argv[1]) / "model.safetensors")["model.embed_tokens.weight"]
sys.stdout.buffer.write(rows.astype(ml_dtypes.bfloat16).tobytes())
