"""Checks --inputs and --outputs of the fake model that adds 1 against NumPy.

Usage: check_tensors.py TEST_TOOL FOLDER. Leaves archives for further tests in FOLDER.
"""

import pathlib
import shutil
import subprocess
import sys
import zipfile

import numpy as np


def run(tool, inputs, outputs):
    subprocess.run([tool, "tensor", "--inputs", str(inputs), "--outputs", str(outputs)], check=True)
    with np.load(outputs) as arrays:
        return {name: arrays[name] for name in arrays}


def save_zip64(path, arrays):
    """As numpy.savez, with every size in a ZIP64 field, and a comment behind."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(name + ".npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array)
        archive.comment = b"behind the end record"


def main():
    tool, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rng = np.random.default_rng(3)
    for rows in [0, 1, 2, 33]:
        x = rng.standard_normal((rows, 3)).astype(np.float32)
        # Exact in bfloat16, so that it comes back as it was.
        y = rng.integers(-128, 128, rows).astype(np.float32)
        bits = (y.view(np.uint32) >> 16).astype(np.uint16)
        variants = {
            "plain": dict(x=x, y=y),
            "bits": dict(x=x, y=bits.view("V2")),
            "fortran": dict(x=np.asfortranarray(x), y=y),
            "big": dict(x=x.astype(">f4"), y=y.astype(">f4")),
        }
        for name, arrays in variants.items():
            for save in [np.savez, np.savez_compressed,
                         lambda path, **kept: save_zip64(path, kept)]:
                path = folder / f"{name}.npz"
                save(path, **arrays)
                found = run(tool, path, folder / "found.npz")
                assert sorted(found) == ["out", "y/out"], found
                assert found["out"].dtype == np.float32 and found["out"].shape == x.shape
                np.testing.assert_array_equal(found["out"], x + np.float32(1))
                assert found["y/out"].dtype == np.float32
                np.testing.assert_array_equal(found["y/out"], y)
    assert zipfile.ZipFile(folder / "found.npz").testzip() is None
    x, y = np.zeros((2, 3), np.float32), np.zeros(2, np.float32)
    np.savez(folder / "good.npz", x=x, y=y)
    np.savez(folder / "extra.npz", x=x, y=y, z=y)
    np.savez(folder / "x.npz", x=x)
    np.savez(folder / "doubles.npz", x=x.astype(np.float64), y=y)
    np.savez(folder / "seven.npz", x=np.zeros((7, 3), np.float32), y=np.zeros(7, np.float32))


if __name__ == "__main__":
    main()
