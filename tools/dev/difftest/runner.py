"""Building, compiling, running and judging random cases."""

from dataclasses import dataclass

import numpy as np

from . import decoders, layers
from .graph import OPSETS, make_model, save
from .oracle import Oracle, difference

FAMILIES = {"layer": layers.build, "decoder": decoders.build}
# How many cases share a compilation: a process and a link cost as much as the
# code of a few layers.
BATCH = {"layer": 12, "decoder": 1}


@dataclass(frozen=True)
class Case:
    """What reproduces a graph: its name is `family-opset-seed`."""

    family: str
    opset: int
    seed: int

    def __str__(self):
        return f"{self.family}-{self.opset}-{self.seed}"

    @staticmethod
    def parse(text):
        family, opset, seed = text.split("-")
        if family not in FAMILIES or int(opset) not in OPSETS:
            raise ValueError(text)
        return Case(family, int(opset), int(seed))

    def build(self, prefix=""):
        return FAMILIES[self.family](self.opset, self.seed, prefix)


@dataclass
class Failure:
    case: Case
    kind: str  # "refusal", "crash", "mismatch"
    message: str
    notes: list


def draw_batches(family, seed, count):
    """Batches of `count` cases in all, those of a batch with one opset."""
    rng = np.random.default_rng([0, seed])
    while count > 0:
        size = min(BATCH[family], count)
        count -= size
        opset = int(rng.choice(OPSETS))
        seeds = rng.integers(1 << 31, size=size)
        yield [Case(family, opset, int(s)) for s in seeds]


def expected_results(graph):
    """For each run, the outputs by name."""
    oracle = Oracle(make_model([graph], np.random.default_rng(0)))
    return [oracle.run(feeds) for feeds in graph.feeds]


def merge_runs(graphs):
    """Feeds for all graphs at once: one that has fewer runs repeats its last."""
    runs = max(len(graph.feeds) for graph in graphs)
    merged = []
    for run in range(runs):
        feeds = {}
        for graph in graphs:
            feeds.update(graph.feeds[min(run, len(graph.feeds) - 1)])
        merged.append(feeds)
    return merged


def compare(graph, results, expected):
    """Why a graph's outputs are wrong, or None.

    Where an activation may lie within rounding errors of a tie, one run may be
    off: the graph says so by `may_flip`.
    """
    problems = []
    for run, truth in enumerate(expected):
        for name, value in truth.items():
            problem = difference(results[run].get(name), value, graph.short)
            if problem:
                problems.append(f"run {run}: output '{name}' {problem}")
                break
    allowed = len(expected) // 3 if graph.may_flip else 0
    return problems[0] if len(problems) > allowed else None


class Runner:
    """Checks cases with a compiler; `folder` keeps what they leave behind."""

    def __init__(self, compiler, folder):
        self.compiler = compiler
        self.folder = folder
        self.compiled = 0

    def check(self, batch):
        """The failures of a batch."""
        graphs = [c.build(f"g{i}_" if len(batch) > 1 else "") for i, c in enumerate(batch)]
        rng = np.random.default_rng(batch[0].seed)
        stem = "batch" if len(batch) > 1 else str(batch[0])
        path = self.folder / f"{stem}.onnx"
        save(make_model(graphs, rng), path, external=bool(rng.random() < 0.2))
        self.compiled += 1
        status, text = self.compiler.compile(path, self.folder / stem)
        if status:
            return self._judge_refusal(batch, graphs, status, text)
        results = []
        for feeds in merge_runs(graphs):
            arrays, text = self.compiler.execute(self.folder / stem, feeds)
            if arrays is None:
                return self._judge_refusal(batch, graphs, -1, text)
            results.append(arrays)
        failures = []
        for case, graph in zip(batch, graphs):
            try:
                expected = expected_results(graph)
            except Exception as error:  # onnxruntime has no common class of errors
                failures.append(Failure(case, "no truth", str(error), graph.notes))
                continue
            problem = compare(graph, results, expected)
            if problem:
                failures.append(Failure(case, "mismatch", problem, graph.notes))
        return failures

    def _judge_refusal(self, batch, graphs, status, text):
        """Finds the cases at fault by doing each alone."""
        if len(batch) == 1:
            kind = "refusal" if status == 1 else "crash"
            return [Failure(batch[0], kind, f"status {status}: {text}", graphs[0].notes)]
        failures = [failure for case in batch for failure in self.check([case])]
        if not failures:
            failures = [Failure(case, "crash", f"only together: {text}", []) for case in batch]
        return failures
