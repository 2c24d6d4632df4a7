"""Tells how much else ran on the machine while something was measured."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

# Shares of the machine above which a measurement is called disturbed.
OTHERS_LIMIT = 0.05
STOLEN_LIMIT = 0.02


@dataclass(frozen=True)
class CpuTimes:
    """Seconds, over all CPUs, since the machine started."""

    busy: float
    stolen: float  # by the hypervisor
    clock: float
    cpus: int

    @staticmethod
    def now() -> CpuTimes:
        return parse_cpu_times(
            Path("/proc/stat").read_text(),
            os.sysconf("SC_CLK_TCK"),
            time.monotonic(),
            os.cpu_count() or 1,
        )


def parse_cpu_times(stat: str, ticks: int, clock: float, cpus: int) -> CpuTimes:
    """Reads the first line of /proc/stat: user, nice, system, idle, iowait, irq,
    softirq and steal, in ticks."""
    fields = [int(field) / ticks for field in stat.split("\n", 1)[0].split()[1:9]]
    user, nice, system, _, _, irq, softirq, steal = fields
    return CpuTimes(user + nice + system + irq + softirq, steal, clock, cpus)


@dataclass(frozen=True)
class Disturbance:
    """Shares of all CPUs' time."""

    others: float  # other processes
    stolen: float  # the hypervisor's other guests

    @property
    def is_notable(self) -> bool:
        return self.others > OTHERS_LIMIT or self.stolen > STOLEN_LIMIT


def disturbance_between(
    before: CpuTimes, after: CpuTimes, own_seconds: float
) -> Disturbance:
    """What was not `own_seconds` of CPU time between two looks. Ticks are coarse:
    runs of less than a tenth of a second say little."""
    available = max((after.clock - before.clock) * after.cpus, 1e-9)
    others = max(after.busy - before.busy - own_seconds, 0.0)
    return Disturbance(
        min(others / available, 1.0),
        min((after.stolen - before.stolen) / available, 1.0),
    )


def load_average() -> float:
    """Processes that ran or wanted to, over the last minute."""
    return os.getloadavg()[0]
