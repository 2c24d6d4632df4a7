"""Checks that the reference generated from .td files is complete and right.

Usage: check_reference.py PATH INCLUDE_DIR...

PATH is a .td file, or a folder, which stands for every *Ops.td and Passes.td in it.

Every operation, type, attribute and pass needs a summary and a description, every
option of a pass a description, and every operation at least one ```mlir example.
Each example is parsed and verified by tern-opt, but for those of passes, which may
be schematic. Prints one line a fault, and exits with 1 if there is any.
"""

import json
import pathlib
import re
import subprocess
import sys
import textwrap

EXAMPLE = re.compile(r"```mlir\n(.*?)```", re.DOTALL)
TYPE_ERROR = re.compile(
    r"use of value '(%\w+)' expects different type than prior uses: '(.*)' vs '(.*)'")


def load_records(td_file, include_dirs):
    command = ["llvm-tblgen", "-dump-json", str(td_file)]
    command += [f"-I{folder}" for folder in include_dirs]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def own_records(records, kind):
    """Yields the records of a class that the project defines, upstream's left out."""
    for name in records["!instanceof"].get(kind, []):
        record = records[name]
        dialect = record.get("opDialect") or record.get("dialect")
        owner = dialect["def"] if dialect else name
        if kind == "PassBase" or owner in ("Ternary_Dialect", "Onnx_Dialect"):
            yield name, record


def is_empty(text):
    return not (text or "").strip()


def verify_example(example):
    """Returns None where tern-opt accepts the example, else what it says.

    The values that an example uses and does not define become results of an
    unregistered operation. Their types are learnt from the parser's complaints.
    """
    results = re.findall(r"^\s*(%[\w, %:]+?)\s*=", example, re.MULTILINE)
    defined = set(re.findall(r"%\w+", " ".join(results)))
    free = dict.fromkeys(sorted(set(re.findall(r"%\w+", example)) - defined), "none")
    if "func.func" in example:
        free = {}
    for _ in range(len(free) + 1):
        values = [f'{name} = "example.value"() : () -> {type_}' for name, type_ in free.items()]
        run = subprocess.run(["tern-opt", "--allow-unregistered-dialect"],
                             input="\n".join([*values, example]),
                             capture_output=True, text=True)
        mismatch = TYPE_ERROR.search(run.stderr)
        if run.returncode == 0:
            return None
        if not mismatch or mismatch[1] not in free:
            break
        free[mismatch[1]] = mismatch[2]
    return run.stderr.strip()


def faults(records):
    for kind in ("Dialect", "Op", "TypeDef", "AttrDef", "PassBase"):
        for name, record in own_records(records, kind):
            for field in ("summary", "description"):
                if is_empty(record[field]):
                    yield f"{name}: has no {field}"
            for option in record.get("options", []):
                if is_empty(records[option["def"]]["description"]):
                    yield f"{name}: an option has no description"
            examples = EXAMPLE.findall(record["description"] or "")
            if kind == "Op" and not examples:
                yield f"{name}: has no example"
            for example in examples if kind != "PassBase" else []:
                message = verify_example(textwrap.dedent(example))
                if message:
                    yield f"{name}: tern-opt rejects the example: {message}"


def list_td_files(path):
    if not path.is_dir():
        return [path]
    return sorted([*path.rglob("*Ops.td"), *path.rglob("Passes.td")])


def main(argv):
    found = [fault for td_file in list_td_files(pathlib.Path(argv[1]))
             for fault in faults(load_records(td_file, argv[2:]))]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
