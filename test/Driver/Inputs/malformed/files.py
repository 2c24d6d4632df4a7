"""Files that are no models, and models of versions that there are not."""

import os

import numpy as np

from .cases import FIXTURES, GRAPH, case, data, text

NOT_A_MODEL = "not an ONNX model"
VALID = (FIXTURES / "bitlinear/a_fakeq_baked_op17/model.onnx").read_bytes()
data("empty", b"", NOT_A_MODEL, "no graph")
data("text", b"this is no model\n" * 100, NOT_A_MODEL)
data("random", np.random.default_rng(1).bytes(5000), NOT_A_MODEL)
data("zeros", bytes(4096), NOT_A_MODEL)
data("ones", b"\xff" * 4096, NOT_A_MODEL)
data("archive", b"PK\x03\x04" + bytes(100), NOT_A_MODEL)
data("truncated-1", VALID[:1], NOT_A_MODEL)
data("truncated-half", VALID[:len(VALID) // 2], NOT_A_MODEL, "truncated")
data("truncated-last", VALID[:-1], NOT_A_MODEL, "truncated")
# Field 7, the graph: a number where a message belongs; a length beyond the file.
data("wire-type", b"\x08\x0a\x38\x01", NOT_A_MODEL)
data("length", b"\x08\x0a\x3a\xff\xff\xff\xff\x07", NOT_A_MODEL)
data("no-graph", b"\x08\x0a", NOT_A_MODEL, "no graph")
# Subgraphs within subgraphs: protobuf's limit is 100 messages.
nested = b""
for _ in range(300):
    for tag in b"\x32", b"\x2a", b"\x0a":  # attribute.g, node.attribute, graph.node
        size = len(nested)
        varint = b""
        while size > 127:
            varint += bytes([size & 127 | 128])
            size >>= 7
        nested = tag + varint + bytes([size]) + nested
data("nested", b"\x08\x0a\x3a" + b"\x80\x80\x01" + nested, NOT_A_MODEL)


@case("not a regular file")
def folder(path):
    path.mkdir()


@case("not a regular file")
def fifo(path):
    os.mkfifo(path)


@case("not a regular file")
def device(path):
    path.symlink_to("/dev/zero")


@case("No such file or directory")
def missing(path):
    pass


@case("No such file or directory")
def dangling_link(path):
    path.symlink_to("nowhere.onnx")


@case("Too many levels of symbolic links")
def link_cycle(path):
    path.symlink_to(path.name)


#--- Versions -----------------------------------------------------------------------------

text("future-opset", GRAPH, "opset 999", "'ai.onnx'", "expected 1 to",
     header='<ir_version: 10, opset_import: ["" : 999]>\n')
text("zero-opset", GRAPH, "opset 0", "expected 1 to",
     header='<ir_version: 10, opset_import: ["" : 0]>\n')
text("two-opsets", GRAPH, "opsets 18 and 20", "expected one version",
     header='<ir_version: 10, opset_import: ["" : 18, "ai.onnx" : 20]>\n')
text("no-opset", GRAPH, "node 'n' (Abs)", "no opset of domain 'ai.onnx'", "expected one",
     header='<ir_version: 10, opset_import: ["com.microsoft" : 1]>\n')
text("future-ir", GRAPH, "IR version 999", "expected 1 to",
     header='<ir_version: 999, opset_import: ["" : 20]>\n')
text("zero-ir", GRAPH, "IR version 0", "expected 1 to",
     header='<ir_version: 0, opset_import: ["" : 20]>\n')
text("domain", "g (float[2] x) => (float[2] y) { [n] y = no.such.Abs (x) }",
     "node 'n' (no.such::Abs)", "no opset of domain 'no.such'", "expected one")
text("foreign", "g (float[2] x) => (float[2] y) { [n] y = f.Abs (x) }", "node 'n' (f::Abs",
     "operator", "not supported", stage="raise")
text("operator", "g (float[2] x) => (float[2] y) { [n] y = NoSuchOperator (x) }",
     "node 'n' (NoSuchOperator, opset 20)", "not supported", stage="raise")
text("removed", "g (float[2] x) => (float[2] y) { [n] y = Upsample <scales = [2.0]> (x) }",
     "node 'n' (Upsample, opset 20)", "not supported", stage="raise")
