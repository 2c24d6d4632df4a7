"""Compares an executable's outputs with onnxruntime's: EXECUTABLE MODEL."""

import subprocess
import sys

import numpy as np
import onnxruntime


def main():
    executable, model = sys.argv[1:]
    session = onnxruntime.InferenceSession(model)
    inputs = {value.name: np.linspace(-1, 1, value.shape[0], dtype=np.float32)
              for value in session.get_inputs()}
    names = [value.name for value in session.get_outputs()]
    expected = session.run(names, inputs)
    np.savez(executable + "-in.npz", **inputs)
    subprocess.run([executable, "--inputs", executable + "-in.npz",
                    "--outputs", executable + "-out.npz"], check=True)
    found = np.load(executable + "-out.npz")
    wrong = sum(not np.array_equal(found[name], value) for name, value in zip(names, expected))
    print(f"weights: {len(names)} outputs, wrong {wrong}")


if __name__ == "__main__":
    main()
