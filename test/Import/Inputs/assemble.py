"""Assembles every FOLDER/*.txt, a model in ONNX's text form, into FOLDER/*.onnx.

The text is parsed but not checked, so that malformed graphs can be written too.
"""

import pathlib
import sys

import onnx.parser

for source in sorted(pathlib.Path(sys.argv[1]).glob("*.txt")):
    model = onnx.parser.parse_model(source.read_text())
    source.with_suffix(".onnx").write_bytes(model.SerializeToString())
