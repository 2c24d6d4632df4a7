"""Makes the programs that are measured, and keeps them in a folder."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..compiler import find_compiler
from ..errors import Error
from ..export import Options as ExportOptions
from ..export import DenseForm, WeightForm, export
from ..synth import Preset, Weights, write_checkpoint
from ..synth.checkpoint import Options as SynthOptions
from .cost import head_bytes, linear_bytes
from .models import Model, Shape, Variant

# Files of one model that are on the disk at a time: checkpoint, ONNX, program.
_COPIES = 3
# What is known of a program, beside it.
_FACTS = "facts.json"


@dataclass(frozen=True)
class Program:
    """A compiled model."""

    path: Path
    linear_bytes: float  # of the projections, as stored
    file_bytes: int


class Builder:
    """Makes programs, each once: they are found again in `cache` as long as the
    compiler is the same. Those of another compiler are removed once a new one is
    made: a float form of 3 billion weights takes 6.5 GB."""

    def __init__(
        self,
        cache: Path,
        rebuild: bool = False,
        report: Callable[[str], None] = lambda message: None,
    ):
        """Raises ternc.Error if there is no compiler."""
        self._cache = cache
        self._rebuild = rebuild
        self._report = report
        self._compiler = Path(find_compiler()).resolve()
        self._stamp = _stamp_of(self._compiler)

    def build(self, model: Model, variant: Variant, layers: int) -> Program:
        """The program of `layers` layers of a model. Raises ternc.Error if a step
        fails or the disk is too small."""
        preset = model.preset.with_config(num_hidden_layers=layers)
        key = json.dumps([preset.config, variant.value, self._stamp], sort_keys=True)
        digest = hashlib.sha256(key.encode()).hexdigest()[:12]
        form = f"{model.name}-{variant.value}-{layers}"
        name = f"{form}-{digest}"
        folder = self._cache / name
        if self._rebuild or not (folder / _FACTS).exists():
            try:
                self._cache.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryDirectory(
                    dir=self._cache, prefix=f"{name}."
                ) as work:
                    made = Path(work) / name
                    made.mkdir()
                    self._make(made, preset, variant, replace(model.shape, layers=layers))
                    for older in self._cache.glob(f"{form}-{'[0-9a-f]' * len(digest)}"):
                        shutil.rmtree(older, ignore_errors=True)
                    made.rename(folder)
            except OSError as error:
                raise Error(f"{folder}: error: {error.strerror}") from error
        return self._load(folder)

    def _load(self, folder: Path) -> Program:
        program = folder / folder.name
        facts = json.loads((folder / _FACTS).read_text())
        return Program(program, facts["linear_bytes"], program.stat().st_size)

    def _make(
        self, folder: Path, preset: Preset, variant: Variant, shape: Shape
    ) -> None:
        """Puts into `folder` a program of its name, and what is known of it."""
        program = folder / folder.name
        expected = linear_bytes(shape, variant, ternary_bits=2)
        # Int8 is made from a checkpoint of floats.
        floats = expected * (2 if variant is Variant.INT8 else 1)
        _require_disk(folder, int(_COPIES * (floats + 2 * head_bytes(shape))))
        with tempfile.TemporaryDirectory(dir=folder) as work:
            self._report(f"{program.name}: making the model")
            onnx = _export(preset, variant, Path(work))
            self._report(f"{program.name}: compiling")
            report = self._compile(onnx, program)
        if variant is Variant.TERNARY:
            expected = report["totals"]["bytes"]
        (folder / _FACTS).write_text(json.dumps({"linear_bytes": expected}))

    def _compile(self, onnx: Path, program: Path) -> dict:
        command = [self._compiler, onnx, "-o", program, "--cpu=native", "--report=json"]
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, errors="replace"
        )
        if done.returncode:
            raise Error(done.stderr.strip() or f"{self._compiler}: error: it failed")
        reports = [line for line in done.stderr.splitlines() if line.startswith("{")]
        return json.loads(reports[-1])


def _stamp_of(compiler: Path) -> list:
    """Changes when the compiler or the runtime beside it does."""
    runtime = sorted(compiler.parent.parent.glob("lib/**/libTern*Runtime*.a"))
    files = [compiler, *runtime]
    return [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]


def _require_disk(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Error(
            f"{folder}: error: found {free / 1e9:.1f} GB of free disk; making this "
            f"model needs {needed / 1e9:.1f}"
        )


def _export(preset: Preset, variant: Variant, work: Path) -> Path:
    """Writes the ONNX model; the checkpoint is gone when it returns."""
    # The head and the embedding: as published, but of 16 bits.
    dtype = "bf16" if preset.dtype == "bf16" else "f16"
    weights = Weights.PACKED if variant is Variant.TERNARY else Weights.DENSE
    if variant in (Variant.FP16, Variant.BF16):
        dtype = "f16" if variant is Variant.FP16 else "bf16"
    dense = DenseForm.INT8 if variant is Variant.INT8 else DenseForm.FLOAT
    checkpoint, onnx = work / "checkpoint", work / "model.onnx"
    write_checkpoint(preset, checkpoint, SynthOptions(weights=weights, dtype=dtype))
    export(checkpoint, onnx, ExportOptions(WeightForm.PACKED, dense=dense))
    shutil.rmtree(checkpoint)
    return onnx
