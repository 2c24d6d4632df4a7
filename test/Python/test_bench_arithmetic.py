"""What the benchmark computes, against numbers worked out by hand."""

import pytest

from ternc.bench import cost
from ternc.bench.disturbance import (
    CpuTimes,
    Disturbance,
    disturbance_between,
    parse_cpu_times,
)
from ternc.bench.models import MODELS, Shape, Variant, extrapolate
from ternc.bench.report import format_table
from ternc.bench.subjects import parse_test
from ternc.bench.summary import median_ratio, summarize

# 2 heads of 4, 1 of them for keys: q 8x6, k and v 4x6, o 6x8, gate and up 10x6, down
# 6x10; 48 + 24 + 24 + 48 + 60 + 60 + 60 = 324 weights a layer.
SMALL = Shape(
    layers=3, hidden=6, inner=10, heads=2, kv_heads=1, head_dim=4, vocab=20
)


def test_matrices_and_weights_of_a_small_shape():
    assert SMALL.matrices() == [
        (8, 6), (4, 6), (4, 6), (6, 8), (10, 6), (10, 6), (6, 10),
    ]  # fmt: skip
    assert (SMALL.linear_weights, SMALL.head_weights) == (3 * 324, 120)


def test_weights_of_published_shapes():
    weights = {name: model.shape.linear_weights for name, model in MODELS.items()}
    assert weights["2b4t"] == 2_084_044_800  # arXiv 2504.12285's model, counted
    # 24 x (4 x 1536² + 3 x 1536 x 4096); 40 x (4 x 5120² + 3 x 5120 x 13824).
    assert weights["700m"] == 24 * (9_437_184 + 18_874_368)
    assert weights["13b"] == 40 * (104_857_600 + 212_336_640)
    assert 65e9 < weights["70b"] < 71e9


def test_bytes():
    # 972 weights: 2 bits, a byte and 48 + 3 more rows' scales, two bytes.
    assert cost.linear_bytes(SMALL, Variant.TERNARY, 2) == 243
    assert cost.linear_bytes(SMALL, Variant.TERNARY, 1.6) == pytest.approx(194.4)
    assert cost.linear_bytes(SMALL, Variant.INT8, 2) == 972 + 4 * 3 * 48
    assert cost.linear_bytes(SMALL, Variant.FP16, 2) == 1944
    assert cost.linear_bytes(SMALL, Variant.BF16, 2) == 1944
    assert cost.head_bytes(SMALL) == 240
    # At position 5: 5 keys and 5 values of 4 floats in each of 3 layers.
    assert cost.cache_bytes(SMALL, 5) == 5 * 2 * 4 * 4 * 3
    # At position 5: 2 heads, 5 dot products of 4, and as many again.
    assert cost.attention_multiplications(SMALL, 5) == 3 * 2 * 2 * 5 * 4


def test_energy_of_one_small_model():
    energy = cost.ENERGY["45nm"]
    shape = Shape(1, 2, 3, 1, 1, 2, 4)
    # q, k, v, o 2x2; gate and up 3x2; down 2x3: 4 x 2, 2 x 3 and 4 additions, 34
    # multiplications without ternary weights, 31 scales with; a head of 4x2.
    head = 4 * 0.4 + 8 * 1.1
    fp16 = (4 * 2 + 2 * 3 + 4) * 0.4 + (4 * 4 + 3 * 6) * 1.1 + head
    ternary = (4 * 2 + 2 * 3 + 4) * 0.03 + (4 * 4 + 3 * 5) * 1.1 + head
    int8 = (4 * 2 + 2 * 3 + 4) * 0.1 + (4 * 4 + 3 * 6) * 0.2 + (4 * 4 + 3 * 5) * 1.1 + head
    for variant, picojoules in (
        (Variant.FP16, fp16),
        (Variant.BF16, fp16),
        (Variant.TERNARY, ternary),
        (Variant.INT8, int8),
    ):
        found = cost.energy_per_token(shape, variant, energy)
        assert found == pytest.approx(picojoules * 1e-12), variant


def test_energy_of_large_products_is_bitnets_headline():
    """arXiv 2402.17764: 71.4 times less for products of matrices at 7 nm."""
    shape = Shape(1, 1 << 20, 1 << 20, 1, 1, 1 << 20, 1)
    energy = cost.ENERGY["7nm"]
    ratio = cost.energy_per_token(shape, Variant.FP16, energy) / cost.energy_per_token(
        shape, Variant.TERNARY, energy
    )
    assert ratio == pytest.approx(71.4, abs=0.1)


def test_memory_energy():
    # 64 bits of DRAM cost 1.3 nJ.
    assert cost.memory_energy(8, cost.ENERGY["45nm"]) == pytest.approx(1.3e-9)


def test_extrapolation_is_a_straight_line():
    assert extrapolate(10.0, 16.0, (1, 4), 40) == 10 + 2 * 39
    assert extrapolate(10.0, 16.0, (1, 4), 1) == 10
    assert extrapolate(10.0, 16.0, (1, 4), 4) == 16
    assert extrapolate(10.0, 10.0, (1, 4), 40) is None


def test_summaries():
    found = summarize([4.0, 1.0, 2.0, 8.0])
    assert (found.median, found.lowest, found.highest, found.count) == (3.0, 1.0, 8.0, 4)
    assert found.spread == pytest.approx(7 / 3)
    assert summarize([5.0]).spread == 0


def test_ratio_is_the_median_of_the_rounds_ratios():
    # The ratio of the medians would be 12 / 4.
    assert median_ratio([12, 10, 100], [4, 5, 1]) == 3
    assert median_ratio([12, 10, 40], [4, 5, 10]) == 3
    assert median_ratio([8, 12, 10], [2, 6, 5]) == 2
    with pytest.raises(ValueError):
        median_ratio([1, 2], [1])


STAT = "cpu  1000 200 300 9000 50 7 3 400 11 0\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5\n"


def test_cpu_times_are_read():
    times = parse_cpu_times(STAT, ticks=100, clock=5.0, cpus=2)
    # User, nice, system, irq and softirq; guests are part of user.
    assert times == CpuTimes(busy=15.1, stolen=4.0, clock=5.0, cpus=2)


def test_disturbance():
    before = CpuTimes(busy=10.0, stolen=1.0, clock=100.0, cpus=2)
    after = CpuTimes(busy=25.0, stolen=1.4, clock=110.0, cpus=2)
    # 20 s of CPU were there, 15 were used, 12 by the program.
    found = disturbance_between(before, after, own_seconds=12.0)
    assert found.others == pytest.approx(0.15)
    assert found.stolen == pytest.approx(0.02)
    assert found.is_notable
    alone = disturbance_between(before, after, own_seconds=15.5)
    assert alone.others == 0
    assert not alone.is_notable
    assert Disturbance(0.0, 0.03).is_notable
    assert not Disturbance(0.05, 0.02).is_notable


def test_tests_are_parsed():
    assert (parse_test("pp512").kind, parse_test("pp512").tokens) == ("pp", 512)
    assert parse_test("tg1").name == "tg1"
    # Tokens 0 to 127.
    assert parse_test("tg128").mean_position == 63.5
    for wrong in ("", "pp", "pp0", "tg-1", "xx5", "pp5x", "pp05"):
        with pytest.raises(ValueError, match="expected ppN or tgN"):
            parse_test(wrong)


def test_tables_are_aligned():
    table = format_table(["a", "bb", "n"], [["long", "x", "1"], ["y", "z", "22"]])
    assert table.splitlines() == [
        "| a    | bb |  n |",
        "| ---- | -- | -: |",
        "| long | x  |  1 |",
        "| y    | z  | 22 |",
    ]
