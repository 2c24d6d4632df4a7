"""Draws results; needs matplotlib, which is asked for only here."""

from __future__ import annotations

from pathlib import Path

from ..errors import Error

_FORMATS = ("svg", "png")


def require_matplotlib() -> None:
    """Raises ternc.Error where it is missing, before anything is measured."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise Error(
            "--plots needs matplotlib: pip install -r tools/bench/requirements.txt"
        ) from error


def draw(results: dict, folder: Path) -> list[Path]:
    """Writes, for every test, a figure of the speed of all rows with the range of
    the rounds. Returns the files. Raises ternc.Error if they cannot be written."""
    require_matplotlib()
    import matplotlib

    matplotlib.use("Agg")
    # Text stays text, and equal results give equal files.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "tern"})
    from matplotlib import pyplot

    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for test in results["tests"]:
            figure = _speed(pyplot, results, test)
            for kind in _FORMATS:
                files.append(folder / f"{test}.{kind}")
                metadata = {"Date": None} if kind == "svg" else None
                figure.savefig(files[-1], metadata=metadata)
            pyplot.close(figure)
    except OSError as error:
        raise Error(f"{folder}: error: {error.strerror}") from error
    return files


def _speed(pyplot, results: dict, test: str):
    """Bars of tokens a second: a group for each model and number of threads."""
    groups = list(
        dict.fromkeys((row["model"], row["threads"]) for row in results["rows"])
    )
    names = list(dict.fromkeys(row["variant"] for row in results["rows"]))
    figure, axes = pyplot.subplots(
        figsize=(max(6.0, 1.6 * len(groups)), 4.0), layout="constrained"
    )
    width = 0.8 / len(names)
    for i, name in enumerate(names):
        places, heights, below, above = [], [], [], []
        for row in results["rows"]:
            found = row["tests"][test]
            if row["variant"] != name or found["tokens_per_s"] is None:
                continue
            group = groups.index((row["model"], row["threads"]))
            places.append(group + (i - (len(names) - 1) / 2) * width)
            heights.append(found["tokens_per_s"])
            below.append(found["tokens_per_s"] - found["lowest"])
            above.append(found["highest"] - found["tokens_per_s"])
        axes.bar(places, heights, width, yerr=(below, above), label=name, capsize=2)
    labels = [f"{model}\n{threads} threads" for model, threads in groups]
    axes.set_xticks(range(len(groups)), labels)
    # Models differ by orders of magnitude.
    axes.set_yscale("log")
    axes.set_ylabel("tokens/s")
    axes.set_title(f"{test}, {results['machine']['cpu']}")
    axes.legend()
    return figure
