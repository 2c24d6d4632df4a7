"""What is wrong with how ternc treats one model."""

import re
from dataclasses import dataclass

import onnx

from .oracle import SHORT, Oracle, difference


@dataclass
class Verdict:
    kind: str  # "refusal", "crash", "mismatch"
    message: str

    def is_like(self, other):
        """Whether `other` fails in the same way: names and numbers aside."""
        return other is not None and self.kind == other.kind and (
            self.kind == "mismatch" or _shape(self.message) == _shape(other.message)
        )  # fmt: skip


def _shape(message):
    first = next((line for line in message.splitlines() if "error" in line), message)
    return re.sub(r"'[^']*'|\d+|\S*/\S*", "*", first)


def short_type(model):
    """"f16" or "bf16" where `model` is known to hold such values."""
    types = {v.type.tensor_type.elem_type for v in [*model.graph.input, *model.graph.output]}
    types |= {t.data_type for t in model.graph.initializer}
    types |= {a.i for n in model.graph.node for a in n.attribute if a.name == "to"}
    if onnx.TensorProto.BFLOAT16 in types:
        return "bf16"
    return "f16" if types & set(SHORT) else None


class Judge:
    def __init__(self, compiler):
        self.compiler = compiler

    def __call__(self, model, feeds):
        """The verdict on a model, or None where all is well.

        A model that no other implementation runs is not worth a verdict,
        whatever ternc makes of it.
        """
        path = self.compiler.folder / "judged.onnx"
        onnx.save(model, path)
        program = path.with_suffix("")
        status, text = self.compiler.compile(path, program)
        if status not in (0, 1):
            return Verdict("crash", text or f"status {status}")
        try:
            expected = Oracle(model).run(feeds)
        except Exception:  # onnxruntime has no common class of errors
            return None
        if status:
            return Verdict("refusal", text)
        found, text = self.compiler.execute(program, feeds)
        if found is None:
            return Verdict("crash", text)
        problem = _mismatch(model, found, expected)
        if problem is None or any(_mismatch(model, found, truth) is None
                                  for truth in Oracle(model).truths(feeds)):  # fmt: skip
            return None
        return Verdict("mismatch", problem)


def _mismatch(model, found, expected):
    for name, value in expected.items():
        problem = difference(found.get(name), value, short_type(model))
        if problem:
            return f"output '{name}' {problem}"
    return None
