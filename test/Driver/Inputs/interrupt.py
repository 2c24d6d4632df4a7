"""Interrupts ternc while it writes.

interrupt.py MODEL.onnx EMPTY_FOLDER
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

model, folder = sys.argv[1], Path(sys.argv[2])
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    process = subprocess.Popen(["ternc", model, "-o", folder / "out"])
    while process.poll() is None and not any(folder.iterdir()):
        time.sleep(0.005)
    process.send_signal(number)
    code = process.wait(timeout=60)
    ending = "ended by it" if code == -number else f"ended with {code}"
    print(f"{number.name}: {ending}, {len(list(folder.iterdir()))} files left")
