"""Compiles ternary language models and runs them.

model = ternc.compile("story.onnx")
print(model.generate("Once upon a time", temperature=0.8, top_p=0.9))
"""

from .compiler import CompileError, compile, find_compiler
from .errors import Error
from .model import Model, TensorSpec
from .version import __version__

__all__ = [
    "CompileError",
    "Error",
    "Model",
    "TensorSpec",
    "__version__",
    "compile",
    "find_compiler",
]
