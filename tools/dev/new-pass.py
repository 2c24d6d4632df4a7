#!/usr/bin/env python3
"""Makes the files of a new pass: its declaration, its code, its test.

Usage: new-pass.py NAME SUMMARY [--module] [--root FOLDER]

The prefix of NAME, as in ternary-fold-scales, says where the pass belongs: tern (over
upstream dialects), ternary or onnx. It runs on functions, or on the module. The pass
builds and does nothing; its description is empty, which Docs/reference.test reports until
you say what the pass requires and ensures.
"""

import argparse
import pathlib
import re
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = {
    "onnx": "Dialect/Onnx/Transforms",
    "tern": "Transforms",
    "ternary": "Dialect/Ternary/Transforms",
}
NAMESPACES = {"onnx": "tern::onnx", "tern": "tern", "ternary": "tern::ternary"}

DECLARATION = """\
def {class_name} : Pass<"{name}", "::mlir::{op}"> {{
  let summary = "{summary}";
  let description = [{{}}];
}}

"""

CODE = """\
{header}

#include "tern/{folder}/Passes.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace {namespace} {{
#define GEN_PASS_DEF_{class_upper}
#include "tern/{folder}/Passes.h.inc"
}} // namespace {namespace}

using namespace mlir;

namespace {{
struct {class_name}Pass
    : {namespace}::impl::{class_name}Base<{class_name}Pass> {{
  using Base::Base;
  void runOnOperation() override {{
    RewritePatternSet patterns(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }}
}};
}} // namespace
"""

TEST = """\
// RUN: tern-opt %s --{name} | FileCheck %s

// CHECK-LABEL: func.func @unchanged(
// CHECK-NEXT:    return %arg0
func.func @unchanged(%x: tensor<4xf32>) -> tensor<4xf32> {{
  return %x : tensor<4xf32>
}}
"""


class UsageError(Exception):
    """What the command line or the tree lacks."""


def comment_header(file_name, summary):
    start = f"//===- {file_name} - {summary[0].lower() + summary[1:]} "
    return start[:74].ljust(75, "-") + "===//"


def add_declaration(path, text):
    """Puts `text` before the #endif that ends the file."""
    content = path.read_text(encoding="utf-8")
    before, end, after = content.rpartition("#endif")
    if not end:
        raise UsageError(f"{path}: expected an #endif at its end")
    path.write_text(before + text + end + after, encoding="utf-8")


def add_source(path, file_name):
    """Adds a file to the sources of the folder's library, in order."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    sources = [i for i, line in enumerate(lines) if re.fullmatch(r"  \w+\.cpp\n", line)]
    if not sources:
        raise UsageError(f"{path}: found no list of sources")
    later = [i for i in sources if lines[i].strip() > file_name]
    lines.insert(later[0] if later else sources[-1] + 1, f"  {file_name}\n")
    path.write_text("".join(lines), encoding="utf-8")


def create(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def make_pass(root, name, summary, op):
    prefix, _, rest = name.partition("-")
    if prefix not in FOLDERS or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rest):
        raise UsageError(f"found '{name}'; expected tern-, ternary- or onnx- and then "
                         "words of lower case")
    folder = FOLDERS[prefix]
    class_name = "".join(word.capitalize() for word in rest.split("-"))
    code = root / "lib" / folder / f"{class_name}.cpp"
    test = root / "test" / folder / f"{rest}.mlir"
    for path in (code, test):
        if path.exists():
            raise UsageError(f"{path} exists")
    fields = {
        "name": name, "summary": summary, "op": op, "folder": folder,
        "class_name": class_name, "class_upper": class_name.upper(),
        "namespace": NAMESPACES[prefix], "header": comment_header(code.name, summary),
    }
    declarations = root / "include" / "tern" / folder / "Passes.td"
    add_declaration(declarations, DECLARATION.format(**fields))
    add_source(root / "lib" / folder / "CMakeLists.txt", code.name)
    create(code, CODE.format(**fields))
    style = f"--style=file:{PROJECT / '.clang-format'}"
    subprocess.run(["clang-format-22", "-i", style, str(code)], check=True)
    create(test, TEST.format(**fields))
    return [declarations, code, test]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("summary")
    parser.add_argument("--module", action="store_true", help="run on the module")
    parser.add_argument("--root", type=pathlib.Path, default=PROJECT)
    arguments = parser.parse_args()
    op = "ModuleOp" if arguments.module else "func::FuncOp"
    try:
        for path in make_pass(arguments.root, arguments.name, arguments.summary, op):
            print(path)
    except (OSError, UsageError, subprocess.CalledProcessError) as error:
        sys.exit(f"new-pass.py: {error}")


if __name__ == "__main__":
    main()
