"""A model of more than 2 GiB of weights: it must compile, link and run.

The weights are a file with a hole, so that the model itself takes no room.
"""

import os
import resource
import shutil
import subprocess
import tempfile

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import ternc

ROWS, COLUMNS, FEATURES = 1_100_000, 512, 64
ROW_BYTES = 4 * COLUMNS
TABLE_BYTES = ROWS * ROW_BYTES
assert TABLE_BYTES > 2**31

# The first and the last row, those on both sides of 2 GiB, and one of zeros.
FILLED = [0, 1, 2**31 // ROW_BYTES - 1, 2**31 // ROW_BYTES, ROWS - 1]
EMPTY = 12_345

# What compiling writes: an object with the weights, and the result.
NEEDED_BYTES = 3 * TABLE_BYTES
# What ternc may take in memory of its own: it must not copy the weights. Mapped
# files do not count.
MEMORY = 2**30


@pytest.fixture
def folder():
    """A folder that is gone after the test: pytest would keep gigabytes."""
    with tempfile.TemporaryDirectory() as name:
        free = shutil.disk_usage(name).free
        if free < NEEDED_BYTES:
            pytest.skip(
                f"needs {NEEDED_BYTES / 1e9:.1f} GB of disk; {name} has {free / 1e9:.1f}"
            )
        yield name


@pytest.fixture
def compiler():
    try:
        return ternc.find_compiler()
    except ternc.Error as error:
        pytest.skip(str(error))


def write_table(path, rows):
    """A file of ROWS rows, all zeros but for `rows`."""
    with open(path, "wb") as file:
        file.truncate(TABLE_BYTES)
        for row, values in rows.items():
            file.seek(row * ROW_BYTES)
            file.write(values.tobytes())


def write_model(path, weight):
    """y = table[ids], z = y . weight: the matrix comes after the table."""
    table = TensorProto(name="table", data_type=TensorProto.FLOAT)
    table.dims.extend([ROWS, COLUMNS])
    table.data_location = TensorProto.EXTERNAL
    table.external_data.add(key="location", value="table.bin")
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "ids"], ["y"], axis=0),
            helper.make_node("MatMul", ["y", "weight"], ["z"]),
        ],
        "large",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", COLUMNS]),
            helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", FEATURES]),
        ],
        [table, numpy_helper.from_array(weight, "weight")],
    )
    opsets = [helper.make_opsetid("", 20)]
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=opsets), path)


def limit_memory():
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def test_weights_beyond_2_gib(folder, compiler):
    rng = np.random.default_rng(0)
    rows = {row: rng.standard_normal(COLUMNS, np.float32) for row in FILLED}
    weight = rng.integers(-1, 2, (COLUMNS, FEATURES)).astype(np.float32) * 0.5
    write_table(os.path.join(folder, "table.bin"), rows)
    model, program = (os.path.join(folder, name) for name in ("large.onnx", "large"))
    write_model(model, weight)
    command = [compiler, model, "-o", program, "--cpu=native"]
    run = subprocess.run(
        command,
        preexec_fn=limit_memory,
        env=os.environ | {"TMPDIR": folder},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert os.path.getsize(program) > TABLE_BYTES

    ids = np.array([*FILLED[::-1], EMPTY])
    inputs, outputs = (os.path.join(folder, name) for name in ("in.npz", "out.npz"))
    np.savez(inputs, ids=ids)
    subprocess.run([program, "--inputs", inputs, "--outputs", outputs], check=True)
    found = np.load(outputs)
    expected = np.stack([rows.get(row, np.zeros(COLUMNS, np.float32)) for row in ids])
    np.testing.assert_array_equal(found["y"], expected)
    np.testing.assert_allclose(found["z"], expected @ weight, rtol=1e-4, atol=1e-4)
