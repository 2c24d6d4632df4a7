"""Describes the machine, and what it can do at most."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ..errors import Error
from .disturbance import load_average
from .process import run


@dataclass(frozen=True)
class Peak:
    """The most that some threads can do, as measured."""

    threads: int
    read_gb_per_s: float
    int8_gmac_per_s: float  # in vectors
    level: str  # of the CPU's instructions that the products use
    int8_tile_gmac_per_s: float | None = None  # None: the level has no tiles


def measure_peaks(program: Path, threads: Sequence[int]) -> dict[int, Peak]:
    """Has a compiled program measure this machine, for each number of threads.
    Raises ternc.Error if the program cannot, as one of an older compiler."""
    peaks = {}
    for count in threads:
        command = [program, "--measure-machine", "--threads", count, "--json"]
        done = run([str(word) for word in command])
        try:
            found = json.loads(done.stdout.splitlines()[-1])
            peaks[count] = Peak(
                count,
                float(found["read_gb_per_s"]),
                float(found["int8_gmac_per_s"]),
                str(found["level"]),
                float(tiles) if (tiles := found.get("int8_tile_gmac_per_s")) else None,
            )
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise Error(
                f"{program}: error: --measure-machine: its output is not understood"
            ) from error
    return peaks


def describe_machine() -> dict:
    """What the figures depend on: the CPU, memory, kernel, load and date."""
    cpu, flags = _cpu()
    return {
        "cpu": cpu,
        "cpus": os.cpu_count(),
        "features": [flag for flag in _FEATURES if flag in flags],
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "system": f"{platform.system()} {platform.release()}",
        "load_average": load_average(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


# Those that kernels choose by, as /proc/cpuinfo calls them.
_FEATURES = (
    "avx2",
    "avx_vnni",
    "avx512f",
    "avx512_vnni",
    "avx512_vbmi",
    "gfni",
    "amx_int8",
    "asimd",
    "asimddp",
    "i8mm",
)


def _cpu() -> tuple[str, set[str]]:
    """The CPU's name and features; of a machine that hides them, what is known."""
    name, flags = platform.machine(), set()
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return name, flags
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        elif key.strip() in ("flags", "Features"):
            flags = set(value.split())
    return name, flags
