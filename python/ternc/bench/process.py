"""Runs a program alone and says what it took."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import Error
from .disturbance import CpuTimes, Disturbance, disturbance_between

# Seconds between two looks at a process's memory.
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Finished:
    """A program that ended with 0."""

    stdout: str
    seconds: float  # from its start to its end
    peak_rss: int  # bytes, of the program itself and not of what it started
    disturbance: Disturbance


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
) -> Finished:
    """Runs `command` to its end. Raises ternc.Error, with the end of what it wrote
    to stderr, if it cannot be started or fails."""
    with (
        tempfile.TemporaryFile("w+") as source,
        tempfile.TemporaryFile("w+", errors="replace") as out,
        tempfile.TemporaryFile("w+", errors="replace") as err,
    ):
        source.write(stdin)
        source.seek(0)
        before, start = CpuTimes.now(), time.monotonic()
        try:
            process = subprocess.Popen(
                command,
                stdin=source,
                stdout=out,
                stderr=err,
                env=None if environment is None else {**os.environ, **environment},
            )
        except OSError as error:
            raise Error(
                f"{command[0]}: error: cannot be run: {error.strerror}"
            ) from error
        try:
            peak, usage = _wait(process)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.monotonic() - start
        own = usage.ru_utime + usage.ru_stime
        disturbance = disturbance_between(before, CpuTimes.now(), own)
        if process.returncode:
            err.seek(0)
            words = "".join(err.readlines()[-5:]).strip() or "no message"
            raise Error(
                f"{command[0]}: error: failed with status {process.returncode}\n{words}"
            )
        out.seek(0)
        return Finished(out.read(), seconds, peak, disturbance)


def _wait(process: subprocess.Popen) -> tuple[int, os.struct_rusage]:
    """The peak of resident memory in bytes, and the usage of a process.

    ru_maxrss would not do: it counts this interpreter's own memory, which the
    process shared before it replaced it.
    """
    peak = 0
    while True:
        peak = max(peak, _high_water(process.pid))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return peak, usage
        time.sleep(_POLL_SECONDS)


def _high_water(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0  # It has just ended.
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
