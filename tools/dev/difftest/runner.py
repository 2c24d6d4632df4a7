"""Building, compiling, running and judging random cases."""

import re
from dataclasses import dataclass

import numpy as np

from . import chains, decoders, layers, operators
from .graph import ALL_OPSETS, OPSETS, make_model, save
from .oracle import NoTruth, Oracle, difference


@dataclass(frozen=True)
class Family:
    """`build(opset, seed, prefix)` makes a graph. `batch` of them share a
    compilation: a process and a link cost as much as the code of a few layers."""

    build: callable
    batch: int
    opsets: range


FAMILIES = {
    "layer": Family(layers.build, 12, OPSETS),
    "decoder": Family(decoders.build, 1, OPSETS),
    "operator": Family(operators.build, 50, ALL_OPSETS),
    "chain": Family(chains.build, 25, ALL_OPSETS),
}


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
        if family not in FAMILIES or int(opset) not in FAMILIES[family].opsets:
            raise ValueError(text)
        return Case(family, int(opset), int(seed))

    def build(self, prefix=""):
        return FAMILIES[self.family].build(self.opset, self.seed, prefix)


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
        size = min(FAMILIES[family].batch, count)
        count -= size
        opset = int(rng.choice(FAMILIES[family].opsets))
        seeds = rng.integers(1 << 31, size=size)
        yield [Case(family, opset, int(s)) for s in seeds]


def expected_results(graph):
    """For each run, the outputs by name; as often as there are truths."""
    oracle = Oracle(make_model([graph], np.random.default_rng(0)))
    return (list(runs) for runs in zip(*(oracle.truths(feeds) for feeds in graph.feeds)))


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


def judge(case, graph, results):
    """The failure of a case whose program ran, or None."""
    problems = []
    try:
        for expected in expected_results(graph):
            problems.append(compare(graph, results, expected))
            if problems[-1] is None:
                return None
    except NoTruth as error:
        return Failure(case, "no truth", str(error), graph.notes)
    return Failure(case, "mismatch", problems[0], graph.notes)


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
            failure = judge(case, graph, results)
            if failure:
                failures.append(failure)
        return failures

    def _judge_refusal(self, batch, graphs, status, text):
        """Finds the cases at fault by doing each alone: those that the message
        names, by the prefix of their values, or all."""
        if len(batch) == 1:
            try:
                next(expected_results(graphs[0]))
            except NoTruth as error:  # what nobody runs need not compile
                if status == 1:
                    return [Failure(batch[0], "no truth", str(error), graphs[0].notes)]
            kind = "refusal" if status == 1 else "crash"
            return [Failure(batch[0], kind, f"status {status}: {text}", graphs[0].notes)]
        named = {int(i) for i in re.findall(r"\bg(\d+)_", text)} & set(range(len(batch)))
        parts = [[case] for i, case in enumerate(batch) if i in named or not named]
        if named and len(named) < len(batch):
            parts.append([case for i, case in enumerate(batch) if i not in named])
        failures = [failure for part in parts for failure in self.check(part)]
        if not failures:
            failures = [Failure(case, "crash", f"only together: {text}", []) for case in batch]
        return failures
