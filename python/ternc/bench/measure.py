"""Measures subjects side by side and puts what was found into rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .disturbance import Disturbance
from .subjects import Sample, Subject, BenchTest


@dataclass
class Series:
    """All samples of one subject at one number of threads, in the order of rounds."""

    subject: Subject
    threads: int
    samples: list[Sample] = field(default_factory=list)
    first_tokens: list[float] = field(default_factory=list)

    def rates(self, test: BenchTest) -> list[float]:
        return [sample.rates[test.name] for sample in self.samples]

    @property
    def peak_rss(self) -> int:
        return max(sample.peak_rss for sample in self.samples)

    @property
    def disturbances(self) -> list[Disturbance]:
        return [sample.disturbance for sample in self.samples]


def measure(
    subjects: Sequence[Subject],
    tests: Sequence[BenchTest],
    threads: int,
    rounds: int,
    report: Callable[[str], None] = lambda message: None,
) -> list[Series]:
    """Runs every subject once a round, in turn: A B A B, not A A B B, so that what
    changes in the machine meets all of them. Raises ternc.Error if one fails."""
    series = [Series(subject, threads) for subject in subjects]
    for i in range(rounds):
        for one in series:
            report(f"{one.subject.name}, {threads} threads, round {i + 1} of {rounds}")
            one.samples.append(one.subject.measure(tests, threads))
            first = one.subject.first_token(threads)
            if first is not None:
                one.first_tokens.append(first)
    return series
