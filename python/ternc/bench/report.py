"""Prints results as tables of text."""

from __future__ import annotations

from collections.abc import Sequence

# What a cell says where nothing is known.
_UNKNOWN = "-"


def format_results(results: dict) -> str:
    """All tables, each after a line that says what it shows."""
    parts = [_machine(results)]
    for test in results["tests"]:
        parts.append(_speed(results, test))
    parts.append(_sizes(results))
    parts += [f"note: {note}" for note in results["notes"]]
    return "\n\n".join(parts)


def _machine(results: dict) -> str:
    machine = results["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cpus']} CPUs ({', '.join(machine['features'])}), "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB, {machine['system']}, "
        f"{machine['date']}, load {machine['load_average']:.1f}"
    ]
    for peak in results["peaks"]:
        tiles = peak.get("int8_tile_gmac_per_s")
        in_tiles = f", {tiles:.0f} in tiles" if tiles else ""
        lines.append(
            f"{peak['threads']} threads: reads {peak['read_gb_per_s']:.1f} GB/s, "
            f"multiplies int8 at {peak['int8_gmac_per_s']:.0f} GMAC/s{in_tiles} "
            f"({peak['level']})"
        )
    return "\n".join(lines)


def _speed(results: dict, test: str) -> str:
    baselines = results["variants"]
    is_prompt = test.startswith("pp")
    share = "% of int8 peak" if is_prompt else "% of bandwidth"
    head = ["model", "form", "threads", "tokens/s", "spread %", share]
    head += [f"x {name}" for name in baselines]
    rows = []
    for row in results["rows"]:
        found = row["tests"][test]
        key = "share_of_int8_peak" if is_prompt else "share_of_bandwidth"
        cells = [
            _model(row),
            row["variant"],
            str(row["threads"]),
            _number(found["tokens_per_s"], 1),
            _number(found.get("spread"), 0, 100),
            _number(found.get(key), 0, 100),
        ]
        ratios = found.get("ratio_to", {})
        cells += [_number(ratios.get(name), 2) for name in baselines]
        rows.append(cells)
    return f"{test}\n" + format_table(head, rows)


def _sizes(results: dict) -> str:
    head = [
        "model", "form", "threads", "weights MB", "read MB/token", "peak RSS MB",
        "file MB", "first token s", "mJ/token 45 nm", "7 nm", "memory mJ/token",
    ]  # fmt: skip
    rows = []
    for row in results["rows"]:
        energy = row["energy_j_per_token"] or {}
        read = [t.get("bytes_per_token") for t in row["tests"].values()]
        rows.append(
            [
                _model(row),
                row["variant"],
                str(row["threads"]),
                _number(row["linear_bytes"], 0, 1e-6),
                _number(next(filter(None, read), None), 0, 1e-6),
                _number(row["peak_rss_bytes"], 0, 1e-6),
                _number(row["file_bytes"], 0, 1e-6),
                _number(row["first_token_s"], 2),
                *(
                    _number(energy.get(key), 3, 1e3)
                    for key in ("45nm", "7nm", "memory")
                ),
            ]
        )
    return "sizes and estimates\n" + format_table(head, rows)


def _model(row: dict) -> str:
    """An asterisk marks what is extrapolated."""
    return row["model"] + ("*" if row["measured_layers"] else "")


def _number(value: float | None, digits: int, factor: float = 1.0) -> str:
    return _UNKNOWN if value is None else f"{value * factor:.{digits}f}"


def format_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width, in Markdown: text to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    # The first two columns are names.
    aligned = [
        [
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        ]
        for row in (head, *rows)
    ]
    rule = ["-" * width if i < 2 else "-" * (width - 1) + ":" for i, width in
            enumerate(widths)]  # fmt: skip
    lines = [aligned[0], rule, *aligned[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
