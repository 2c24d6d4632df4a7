"""Other programs to compare with, installed only when they are asked for."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import Error
from .models import Model
from .process import run
from .subjects import Worker

_WORKERS = Path(__file__).resolve().parent / "workers"

# By --peers name: what pip installs. llama-cpp-python comes as source, which pip
# compiles for this machine.
PEERS = {
    "onnxruntime": ("onnxruntime==1.32.0", "onnx==1.23.0"),
    "llama.cpp": ("llama-cpp-python==0.3.36", "gguf==0.19.0"),
}
_GGUF_TYPES = ("TQ2_0", "TQ1_0")


def make_peers(
    name: str,
    model: Model,
    cache: Path,
    report: Callable[[str], None] = lambda message: None,
) -> list[Worker]:
    """Installs a peer into an environment of its own in `cache`, unless it is there,
    and makes its model of this shape. Raises ternc.Error."""
    python = _environment(name, cache, report)
    shape = model.shape.__dict__
    digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:12]
    stem = f"{model.name}-{digest}"
    if name == "onnxruntime":
        path = cache / f"{stem}.nbits.onnx"
        request = {"path": str(path), "shape": shape}
        script = _WORKERS / "run_onnxruntime.py"
        return [Worker("onnxruntime 2-bit products", python, script, request, path)]
    workers = []
    for kind in _GGUF_TYPES:
        path = cache / f"{stem}.{kind}.gguf"
        if not path.exists():
            report(f"{path.name}: making the model")
            _write_gguf(python, path, kind, model)
        workers.append(
            Worker(
                f"llama.cpp {kind}",
                python,
                _WORKERS / "run_llama_cpp.py",
                {"path": str(path)},
                path,
            )
        )
    return workers


def _write_gguf(python: Path, path: Path, kind: str, model: Model) -> None:
    partial = path.with_suffix(".partial")
    request = {
        "path": str(partial),
        "type": kind,
        "head_type": "F16",
        "shape": model.shape.__dict__,
        "context": model.context,
    }
    run(
        [str(python), str(_WORKERS / "write_gguf.py")],
        stdin=json.dumps(request),
    )
    partial.rename(path)


def _environment(name: str, cache: Path, report: Callable[[str], None]) -> Path:
    """The interpreter of a peer's environment."""
    requirements = PEERS[name]
    folder = cache / f"{name}-environment"
    python, stamp = folder / "bin" / "python", folder / "installed.txt"
    wanted = "\n".join(requirements)
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    report(f"installing {', '.join(requirements)} into {folder}")
    _call([sys.executable, "-m", "venv", "--clear", str(folder)])
    _call([str(python), "-m", "pip", "install", "--quiet", *requirements])
    stamp.write_text(wanted)
    return python


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        words = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise Error(f"{' '.join(command[:4])}: error: it failed\n{words}")
