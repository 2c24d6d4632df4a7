"""Summaries of few, noisy measurements."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    """The median of some measurements, and how far they lie apart."""

    median: float
    lowest: float
    highest: float
    count: int

    @property
    def spread(self) -> float:
        """The range over the median: 0.1 is 10 % from the lowest to the highest."""
        return (self.highest - self.lowest) / self.median if self.median else 0.0


def summarize(values: Sequence[float]) -> Summary:
    """Requires at least one value."""
    return Summary(statistics.median(values), min(values), max(values), len(values))


def median_ratio(values: Sequence[float], baseline: Sequence[float]) -> float:
    """The median of the ratios round by round: what disturbs a whole round moves
    both sides of its ratio. Requires as many of both, and a positive baseline."""
    ratios = [value / base for value, base in zip(values, baseline, strict=True)]
    return statistics.median(ratios)
