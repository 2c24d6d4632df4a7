"""Prints the mlir examples of a .td file as functions that tern-opt can read.

An example may use values that it does not define; they become arguments, whose
types are read from its operations' trailing types.
"""

import re
import sys


def split_types(text):
    """Splits at commas that are outside brackets."""
    types, depth, start = [], 0, 0
    for i, char in enumerate(text):
        depth += char in "<(["
        depth -= char in ">)]" and text[i - 1] != "-"
        if char == "," and depth == 0:
            types.append(text[start:i].strip())
            start = i + 1
    return types + [text[start:].strip()]


def group_types(names, types):
    """The types of the operands in one pair of brackets; those without one are last."""
    types = split_types(types)
    return types + ["index"] * (names.count("%") - len(types))


def operand_types(operation):
    """The types of an operation's operands, in the forms of this dialect."""
    if operation.startswith("ternary.assert "):
        return ["i1"] + ["index"] * (operation.count("%") - 1)
    groups = re.findall(
        r"(?:ins|screen|outs)\(([^:]*): (.*?)\)(?= screen| outs| ->|$)", operation)
    if groups:
        return [t for names, types in groups for t in group_types(names, types)]
    trailing = operation.rsplit(" : ", 1)[1]
    if operation.startswith("ternary.fetch "):
        rows, target = split_types(trailing)
        return [rows, "index", target]
    if trailing.startswith("("):
        return split_types(trailing[1:trailing.index(") ->")])
    return split_types(re.split(r" to | -> ", trailing)[0])


def main():
    text = open(sys.argv[1], encoding="utf-8").read()
    examples = re.findall(r"```mlir\n(.*?)```", text, re.DOTALL)
    for index, example in enumerate(examples):
        statements = re.sub(r"\s*//.*", "", example)
        # One operation a line: continuation lines start with neither % nor op.
        operations = re.split(r"\n(?=\s*%[\w, %]+ =)", statements.strip())
        operations = [" ".join(operation.split()) for operation in operations]
        arguments, defined = {}, set()
        for operation in operations:
            results, body = operation.split(" = ", 1) if " = " in operation else ("", operation)
            uses = re.findall(r"%\w+", body)
            for name, kind in zip(uses, operand_types(body) if uses else []):
                if name not in defined:
                    arguments.setdefault(name, kind)
            defined.update(re.findall(r"%\w+", results))
        signature = ", ".join(f"{name}: {kind}" for name, kind in arguments.items())
        body = "\n  ".join(operations)
        print(f"func.func @example{index}({signature}) {{\n  {body}\n  return\n}}")


if __name__ == "__main__":
    main()
