"""Checks the #include lines of a source tree against the dependency rule.

Usage: check_layering.py ROOT. Prints one line a breach, and exits with 1 if any.
"""

import pathlib
import re
import sys

# What each layer may include besides itself and the standard library.
ALLOWED = {
    "Dialect": {"MLIR"},
    "Transforms": {"Dialect", "MLIR"},
    "Conversion": {"Dialect", "Transforms", "MLIR"},
    "Import": {"Dialect", "MLIR", "ONNX"},
    "Pipelines": {"Dialect", "Transforms", "Conversion", "RegisterAll", "MLIR"},
    "Target": {"Dialect", "Transforms", "Conversion", "ModelABI", "MLIR"},
    "Driver": {"Dialect", "Transforms", "Conversion", "Import", "Pipelines", "Target",
               "RegisterAll", "ModelABI", "MLIR"},
    "RegisterAll": {"MLIR"},
    "tools": {"Driver", "RegisterAll", "MLIR"},
    "Runtime": {"ModelABI"},
    "ModelABI": set(),
}
# The parts of the compiler may share the ABI's enumerations.
for layer in ("Dialect", "Transforms", "Conversion", "Import", "Pipelines"):
    ALLOWED[layer].add("ModelABI")

FOREIGN = {"mlir": "MLIR", "mlir-c": "MLIR", "llvm": "MLIR", "llvm-c": "MLIR",
           "lld": "MLIR", "clang": "MLIR", "onnx": "ONNX", "google": "ONNX"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def layer_of_tern(parts):
    """Returns the layer of a file from its path below include/tern or lib."""
    if parts[-1] == "RegisterAll.h":
        return "RegisterAll"
    if parts[-1] == "ModelABI.h":
        return "ModelABI"
    if parts[0] == "Dialect" and "Transforms" in parts:
        return "Transforms"
    return parts[0]


def layer_of_file(path):
    parts = path.parts
    if parts[0] == "tools":
        return "tools"
    return layer_of_tern(parts[2:] if parts[:2] == ("include", "tern") else parts[1:])


def layer_of_include(header):
    """Returns the layer that a header belongs to, or None if the rule is silent."""
    parts = header.split("/")
    if parts[0] == "tern":
        return layer_of_tern(parts[1:])
    return FOREIGN.get(parts[0]) if len(parts) > 1 else None


def breaches(root):
    for folder in ("include", "lib", "tools"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".h", ".cpp", ".c"):
                continue
            relative = path.relative_to(root)
            layer = layer_of_file(relative)
            if layer not in ALLOWED:
                yield f"{relative}: the dependency rule knows no layer '{layer}'"
                continue
            text = path.read_text(encoding="utf-8")
            for number, line in enumerate(text.splitlines(), start=1):
                match = INCLUDE.match(line)
                target = layer_of_include(match.group(1)) if match else None
                if target and target != layer and target not in ALLOWED[layer]:
                    yield (f"{relative}:{number}: {layer} must not include "
                           f"{match.group(1)} ({target})")


if __name__ == "__main__":
    found = list(breaches(pathlib.Path(sys.argv[1])))
    print("\n".join(found))
    sys.exit(1 if found else 0)
