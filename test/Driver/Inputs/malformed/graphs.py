"""Graphs that are none: cycles, undefined names, functions that call themselves."""

import onnx.parser
from onnx import TensorProto, helper

from .cases import CASES, GRAPH, HEADER, case, text

#--- Graphs -------------------------------------------------------------------------------

text("cycle", "g (float[2] x) => (float[2] y) { [p] a = Add (x, b)\n [q] b = Abs (a)\n"
     "[r] y = Abs (b) }", "node 'p' (Add, opset 20)", "cycle", "'q', 'p'", "expected an acyclic")
text("self-cycle", "g (float[2] x) => (float[2] y) { [p] y = Add (x, y) }",
     "node 'p' (Add, opset 20)", "cycle", "expected an acyclic")
text("unsorted", "g (float[2] x) => (float[2] y) { [p] y = Abs (a)\n [q] a = Neg (x) }",
     "node 'p' (Abs, opset 20)", "later node 'q'", "expected nodes in the order of their uses")
text("dangling", "g (float[2] x) => (float[2] y) { [p] y = Add (x, nowhere) }",
     "node 'p' (Add, opset 20)", "'nowhere' is undefined", "expected an input")
text("dangling-output", "g (float[2] x) => (float[2] z) { [p] y = Abs (x) }",
     "graph output 'z' is undefined")
text("two-values", "g (float[2] x) => (float[2] y) { [p] y = Abs (x)\n [q] y = Neg (x) }",
     "node 'q' (Neg, opset 20)", "'y', which node 'p' already defines")
text("two-results", "g (float[2] x) => (float[2] y) { [p] y, y = TopK <axis = 0> (x, x) }",
     "node 'p' (TopK, opset 20)", "'y', which node 'p' already defines")
text("value-of-input", "g (float[2] x) => (float[2] y) { [p] x = Abs (x)\n [q] y = Abs (x) }",
     "node 'p' (Abs, opset 20)", "'x', which an input or initializer already defines")
text("two-inputs", "g (float[2] x, float[2] x) => (float[2] y) { y = Abs (x) }",
     "input 'x' twice")
text("two-outputs", "g (float[2] x) => (float[2] y, float[2] y) { y = Abs (x) }",
     "output 'y' twice")
text("two-initializers", "g (float[2] x) => (float[2] y) <float[1] w = {1}, float[1] w = {2}> "
     "{ y = Add (x, w) }", "tensor 'w'", "initialized twice")
text("no-outputs", "g (float[2] x) => () { y = Abs (x) }", "no outputs", "expected at least 1")


def edited(name, edit, *expected):
    """The model `GRAPH` with something that its text cannot say."""
    def make(path):
        model = onnx.parser.parse_model(HEADER + GRAPH)
        edit(model.graph)
        path.write_bytes(model.SerializeToString())
    CASES[name] = (make, expected, "import")


edited("unnamed-input", lambda graph: graph.input.add(), "input without a name")
edited("unnamed-initializer",
       lambda graph: graph.initializer.add(data_type=TensorProto.FLOAT, dims=[1], float_data=[1]),
       "initializer without a name")
edited("no-operator", lambda graph: graph.node[0].ClearField("op_type"), "node 'n'",
       "has no operator")
edited("unnamed-attribute", lambda graph: graph.node[0].attribute.add(type=2, i=1),
       "node 'n' (Abs, opset 20)", "attribute without a name")
edited("no-contrib-output", lambda graph: graph.node.add(
    name="m", op_type="SimplifiedLayerNormalization", input=["x", "x"]),
       "node 'm' (SimplifiedLayerNormalization, opset 20)", "has 0 outputs; expected 1 to 2")
text("subgraph", "g (bool c, float[2] x) => (float[2] y) { [n] y = If (c) <then_branch = "
     "t () => (float[2] a) { a = Neg (x) }, else_branch = e () => (float[2] b) "
     "{ b = Abs (x) }> }", "node 'n' (If, opset 20)", "expected a node without subgraphs")

#--- Functions ----------------------------------------------------------------------------

CALL = "g (float[2] x) => (float[2] y) { [n] y = f.p (x) }\n"
FUNCTION = '<domain: "f", opset_import: ["" : 20, "f" : 1]>\n'
text("recursive", CALL + FUNCTION + "p (a) => (b) { [m] b = f.p (a) }", "f::p", "cycle")
text("mutually-recursive", CALL + FUNCTION + "p (a) => (b) { b = f.q (a) }\n" + FUNCTION +
     "q (a) => (b) { b = f.p (a) }", "f::p", "f::q", "cycle")
text("function-twice", CALL + (FUNCTION + "p (a) => (b) { b = Abs (a) }\n") * 2,
     "function", "p", "defined twice")
text("call", "g (float[2] x) => (float[2] y) { [n] y = f.p (x, x) }\n" + FUNCTION +
     "p (a) => (b) { b = Abs (a) }", "node 'n' (f::p, opset 1)", "2 inputs", "takes 1")
text("function-dangling", CALL + FUNCTION + "p (a) => (b) { [m] b = Add (a, nowhere) }",
     "Add", "undefined")
text("function-opset", CALL + '<domain: "f", opset_import: ["" : 12]>\n'
     "p (a) => (b) { [m] b = ReduceSum <axes = [0]> (a) }", "f", "opset")
text("exponential", "g (float[2] x) => (float[2] y) { [n] y = f.f0 (x) }\n" + "\n".join(
    FUNCTION + f"f{i} (a) => (c) {{ b = f.f{i + 1} (a)\n c = f.f{i + 1} (b) }}"
    for i in range(40)) + "\n" + FUNCTION + "f40 (a) => (b) { b = Abs (a) }", "nodes")
text("deep", "g (float[2] x) => (float[2] y) { [n] y = f.f0 (x) }\n" + "\n".join(
    FUNCTION + f"f{i} (a) => (b) {{ b = f.f{i + 1} (a) }}" for i in range(300)) + "\n" +
     FUNCTION + "f300 (a) => (b) { b = Abs (a) }", "more than 64 levels deep")



@case("node 'n' (Constant", "has 0 outputs", "expected 1")
def constant_without_outputs(path):
    node = helper.make_node("Constant", [], [], name="n", value_ints=[1])
    result = helper.make_node("Abs", ["x"], ["y"])
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy")
    graph = helper.make_graph([node, result], "g", [x], [y])
    opsets = [helper.make_opsetid("", 25)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets).SerializeToString())
