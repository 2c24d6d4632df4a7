"""One row of results: a form of a model at a number of threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import cost
from .machine import Peak
from .measure import Series
from .models import Model, Variant, extrapolate
from .subjects import BenchTest
from .summary import median_ratio, summarize


@dataclass(frozen=True)
class Measured:
    """What the row is made of: one series, or two of fewer layers than the model."""

    model: Model
    variant: Variant | None  # None: not compiled by Tern
    series: tuple[Series, ...]
    linear_bytes: tuple[float, ...]  # of each series; empty if not known
    tests: tuple[BenchTest, ...]

    @property
    def name(self) -> str:
        return self.variant.value if self.variant else self.series[0].subject.name

    def rates(self, test: BenchTest) -> list[float | None]:
        """Tokens a second of the whole model by round. None where noise hides what
        a layer takes."""
        if len(self.series) == 1:
            return list(self.series[0].rates(test))
        few, many = (
            [1 / rate for rate in series.rates(test)] for series in self.series
        )
        times = (self._whole(*pair) for pair in zip(few, many, strict=True))
        return [None if time is None else 1 / time for time in times]

    def whole(self, values: Sequence[float]) -> float | None:
        """Of the whole model, where `values` are of each series."""
        if len(values) != len(self.series):
            return None
        return values[0] if len(values) == 1 else self._whole(*values)

    def _whole(self, few: float, many: float) -> float | None:
        layers = self.model.measured_layers
        return extrapolate(few, many, layers, self.model.shape.layers)


def make_row(
    measured: Measured, baselines: Sequence[Measured], peak: Peak | None
) -> dict:
    """The row as it goes into JSON; docs/Performance.md describes the keys.
    `baselines` are forms of the same model that ran in the same rounds."""
    shape, variant = measured.model.shape, measured.variant
    linear = measured.whole(measured.linear_bytes)
    files = [series.subject.file_bytes for series in measured.series]
    firsts = [series.first_tokens for series in measured.series]
    disturbances = [d for series in measured.series for d in series.disturbances]
    return {
        "model": measured.model.name,
        "variant": measured.name,
        "threads": measured.series[0].threads,
        "layers": shape.layers,
        "measured_layers": measured.model.measured_layers,
        "tests": {
            test.name: _test(measured, test, linear, baselines, peak)
            for test in measured.tests
        },
        "linear_bytes": linear,
        "head_bytes": cost.head_bytes(shape) if variant else None,
        "peak_rss_bytes": measured.whole([s.peak_rss for s in measured.series]),
        "file_bytes": measured.whole(files) if all(files) else None,
        "first_token_s": (
            measured.whole([summarize(first).median for first in firsts])
            if all(firsts)
            else None
        ),
        "energy_j_per_token": _energies(measured, linear),
        "runs": len(disturbances),
        "disturbed_runs": sum(d.is_notable for d in disturbances),
        "others": max(d.others for d in disturbances),
        "stolen": max(d.stolen for d in disturbances),
    }


def _test(
    measured: Measured,
    test: BenchTest,
    linear: float | None,
    baselines: Sequence[Measured],
    peak: Peak | None,
) -> dict:
    rates = measured.rates(test)
    known = [rate for rate in rates if rate is not None]
    if not known:
        return {"tokens_per_s": None, "runs": rates}
    found = summarize(known)
    result = {
        "tokens_per_s": found.median,
        "lowest": found.lowest,
        "highest": found.highest,
        "spread": found.spread,
        "runs": rates,
        "ratio_to": _ratios(rates, test, baselines),
    }
    if measured.variant is None:
        return result
    shape, position = measured.model.shape, test.mean_position
    # As llama-bench does, the head is computed for a prompt's last token only.
    multiplications = shape.linear_weights
    if test.kind == "tg":
        multiplications += shape.head_weights
        result |= _traffic(shape, linear, position, found.median, peak)
    result["gmac_per_s"] = multiplications * found.median / 1e9
    integers = measured.variant in (Variant.TERNARY, Variant.INT8)
    if peak and integers and test.kind == "pp":
        result["share_of_int8_peak"] = result["gmac_per_s"] / peak.int8_gmac_per_s
        if peak.int8_tile_gmac_per_s:
            tiles = peak.int8_tile_gmac_per_s
            result["share_of_tile_peak"] = result["gmac_per_s"] / tiles
    return result


def _traffic(shape, linear, position, rate, peak) -> dict:
    """What decoding reads, and its share of what the machine can read."""
    if linear is None:
        return {}
    num_bytes = linear + cost.head_bytes(shape) + cost.cache_bytes(shape, position)
    result = {"bytes_per_token": num_bytes, "gb_per_s": num_bytes * rate / 1e9}
    if peak:
        result["share_of_bandwidth"] = result["gb_per_s"] / peak.read_gb_per_s
    return result


def _ratios(rates, test: BenchTest, baselines: Sequence[Measured]) -> dict[str, float]:
    ratios = {}
    for baseline in baselines:
        others = baseline.rates(test)
        pairs = [(a, b) for a, b in zip(rates, others) if a is not None and b]
        if pairs:
            ratios[baseline.name] = median_ratio(*zip(*pairs))
    return ratios


def _energies(measured: Measured, linear: float | None) -> dict | None:
    shape, variant = measured.model.shape, measured.variant
    if variant is None:
        return None
    result = {}
    for process, energy in cost.ENERGY.items():
        result[process] = cost.energy_per_token(shape, variant, energy)
    if linear is not None:
        num_bytes = linear + cost.head_bytes(shape)
        result["memory"] = cost.memory_energy(num_bytes, cost.ENERGY["45nm"])
    return result
