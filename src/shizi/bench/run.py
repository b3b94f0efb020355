"""A whole bench: every measurement in turn, on engines that the caller makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shizi.bench import ablation, measure, peers, report
from shizi.bench.ablation import Variant
from shizi.bench.measure import Engine, Records
from shizi.bench.peers import Peer
from shizi.bench.report import Report
from shizi.errors import NotFound, ShiziError
from shizi.pipeline.tuning import Tuning
from shizi.runtime.choose import Choice
from shizi.types import ModelInfo


@dataclass(frozen=True, slots=True)
class Opened:
    """The engine to be measured, what records its runs, and what it is made of."""

    engine: Engine
    records: Records
    choice: Choice
    tier: str
    models: tuple[ModelInfo, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Attributes:
        documents: files by the names they go by.
        drawn: whether the bench drew them.
        rounds: how often each of them is read for each figure.
        make: an engine that differs from the one measured as a variant says; None leaves the ablation out.
        peers: other engines to measure.
    """

    documents: Mapping[str, Path]
    drawn: bool
    rounds: int
    make: Callable[[Variant], AbstractContextManager[Engine]] | None = None
    peers: tuple[Peer, ...] = ()

    def steps(self, choice: Choice) -> int:
        """Calls of `step` that a bench of documents without a fault makes at most."""
        changed = ablation.variants(choice, Tuning()) if self.make else ()
        rows = 1 + len(changed) + sum(not peer.missing for peer in self.peers)
        return self.rounds * (rows * len(self.documents) + 1)


def run(opened: Opened, plan: Plan, step: Callable[[str], None], refuse: Callable[[str, ShiziError], None]) -> Report:
    """Measures everything of the plan.

    Args:
        opened: the engine.
        plan: what to measure.
        step: is called with what is being measured, for a progress line.
        refuse: is called with the name of a document that cannot be read, which is then left out.

    Raises:
        NotFound: no document can be read.
    """
    engine, rounds = opened.engine, plan.rounds
    subjects, bad = measure.warm_up(engine, plan.documents)
    for name, error in bad.items():
        refuse(name, error)
    if not subjects:
        raise NotFound("none of the documents can be read, so there is nothing to measure")
    measure.read_all(engine, [subject.path for subject in subjects] * 2)  # two at a time, were there only one
    peak = report.peak_mb()  # before inputs are recorded, which takes memory of the bench's own
    found = [
        measure.measure(engine, opened.records, subject, rounds, lambda: step("pages and models"))
        for subject in subjects
    ]
    many = measure.many(engine, opened.records, subjects, rounds, lambda: step("many pages and models"))
    rows = [
        ablation.compare(engine, partial(plan.make, variant), variant, subjects, rounds, lambda: step("ablation"))
        for variant in ablation.variants(opened.choice, Tuning())
        if plan.make is not None
    ]
    others = [peers.compare(engine, peer, subjects, rounds, lambda: step("peers")) for peer in plan.peers]
    return Report(
        machine=report.machine(opened.choice, opened.tier, opened.models),
        drawn=plan.drawn,
        rounds=rounds,
        documents=tuple(found),
        many=many,
        peak_mb=peak,
        ablation=tuple(rows),
        peers=tuple(others),
    )
