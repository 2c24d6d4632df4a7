"""One run of the benchmark: makes, measures, and collects."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import Error
from . import cost
from .build import Builder, Program
from .machine import Peak, describe_machine, measure_peaks
from .measure import Series, measure
from .models import Model, Variant
from .peers import make_peers
from .rows import Measured, make_row
from .subjects import CompiledModel, PeerCommand, Subject, BenchTest

# Changes when a reader of the JSON would have to.
FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """What to measure."""

    models: tuple[Model, ...]
    variants: tuple[Variant, ...]
    tests: tuple[BenchTest, ...]
    threads: tuple[int, ...]
    rounds: int
    cache: Path
    rebuild: bool = False
    peers: tuple[str, ...] = ()
    peer_commands: tuple[PeerCommand, ...] = ()


@dataclass(frozen=True)
class _Entry:
    """A row to be: its subjects, one for each number of layers that is measured."""

    variant: Variant | None
    subjects: tuple[Subject, ...]
    linear_bytes: tuple[float, ...] = ()


def run_plan(
    plan: Plan,
    report: Callable[[str], None],
    keep: Callable[[dict], None] = lambda results: None,
) -> dict:
    """Returns the results as they go into JSON. Raises ternc.Error if a model cannot
    be made or run.

    `keep` is given what is known so far whenever a model was measured at one number
    of threads, for a caller that would not lose it where a later one fails.
    """
    try:
        plan.cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Error(f"{plan.cache}: error: {error.strerror}") from error
    machine = describe_machine()
    builder = Builder(plan.cache, plan.rebuild, report)
    notes: list[str] = []
    rows: list[dict] = []
    peaks: dict[int, Peak] | None = None

    def results() -> dict:
        return {
            "format": FORMAT,
            "machine": machine,
            "peaks": [asdict(peak) for peak in (peaks or {}).values()],
            "tests": [test.name for test in plan.tests],
            "variants": [variant.value for variant in plan.variants],
            "rounds": plan.rounds,
            "rows": list(rows),
            "notes": notes + _warnings(rows, machine),
        }

    for model in plan.models:
        entries = _entries(plan, model, builder, notes, report)
        if not entries:
            continue
        if peaks is None:
            peaks = _peaks(entries, plan.threads, notes)
        for threads in plan.threads:
            rows += _measure(plan, model, entries, threads, peaks.get(threads), report)
            keep(results())
    return results()


def _entries(
    plan: Plan,
    model: Model,
    builder: Builder,
    notes: list[str],
    report: Callable[[str], None],
) -> list[_Entry]:
    """What is measured of one model; a note for what is left out."""
    entries = []
    layers = model.measured_layers or (model.shape.layers,)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for variant in plan.variants:
        needed = _memory_of(model, variant, max(layers))
        if needed > memory:
            notes.append(
                f"{model.name} {variant.value} is left out: it needs "
                f"{needed / 1e9:.1f} GB of memory, the machine has {memory / 1e9:.1f}"
            )
            continue
        programs = [builder.build(model, variant, count) for count in layers]
        entries.append(_compiled(variant, programs))
    if model.measured_layers:
        if plan.peers:
            notes.append(f"{model.name}: peers are measured on whole models only")
        return entries
    for peer in plan.peers:
        for worker in make_peers(peer, model, plan.cache, report):
            entries.append(_Entry(None, (worker,)))
    entries += [_Entry(None, (command,)) for command in plan.peer_commands]
    return entries


def _memory_of(model: Model, variant: Variant, layers: int) -> float:
    """Bytes of the weights that are resident."""
    share = layers / model.shape.layers
    linear = cost.linear_bytes(model.shape, variant, ternary_bits=2) * share
    return linear + cost.head_bytes(model.shape)


def _compiled(variant: Variant, programs: Sequence[Program]) -> _Entry:
    return _Entry(
        variant,
        tuple(CompiledModel(variant.value, program) for program in programs),
        tuple(program.linear_bytes for program in programs),
    )


def _peaks(
    entries: Sequence[_Entry], threads: Sequence[int], notes: list[str]
) -> dict[int, Peak]:
    """By number of threads; empty, with a note, where they cannot be measured."""
    for entry in entries:
        if entry.variant is None:
            continue
        try:
            return measure_peaks(entry.subjects[0].program.path, threads)
        except Error as error:
            notes.append(f"the machine's peaks are not measured: {error}")
            return {}
    return {}


def _measure(
    plan: Plan,
    model: Model,
    entries: Sequence[_Entry],
    threads: int,
    peak: Peak | None,
    report: Callable[[str], None],
) -> list[dict]:
    subjects = [subject for entry in entries for subject in entry.subjects]
    all_series = iter(measure(subjects, plan.tests, threads, plan.rounds, report))
    found = []
    for entry in entries:
        series: tuple[Series, ...] = tuple(next(all_series) for _ in entry.subjects)
        found.append(
            Measured(model, entry.variant, series, entry.linear_bytes, plan.tests)
        )
    baselines = [measured for measured in found if measured.variant]
    return [make_row(measured, baselines, peak) for measured in found]


def _warnings(rows: Sequence[dict], machine: dict) -> list[str]:
    warnings = []
    if machine["load_average"] > 0.5:
        warnings.append(
            f"the machine was busy at the start: load {machine['load_average']:.1f}"
        )
    disturbed = sum(row["disturbed_runs"] for row in rows)
    if disturbed:
        runs = sum(row["runs"] for row in rows)
        others = max(row["others"] for row in rows)
        stolen = max(row["stolen"] for row in rows)
        warnings.append(
            f"{disturbed} of {runs} runs were disturbed: other processes took up to "
            f"{others:.0%} of the CPUs, the hypervisor up to {stolen:.0%}"
        )
    for row in rows:
        for name, test in row["tests"].items():
            if test["tokens_per_s"] is None:
                warnings.append(
                    f"{row['model']} {row['variant']} {name}, {row['threads']} threads: "
                    "no figure, as more layers took no more time"
                )
    return warnings
