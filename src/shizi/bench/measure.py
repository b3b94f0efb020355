"""Times of an engine: each page, many pages, and against its models run alone."""

from __future__ import annotations

import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shizi.bench.recording import MAX_BYTES, Recording, Run, replay
from shizi.errors import ShiziError
from shizi.types import Document

# Pages that `read_many` reads in a round, at least.
_LEAST = 24
# What the models are given for all documents together; see `MAX_BYTES` for one of them.
_MAX_BYTES = 1 << 30

Clock = Callable[[], float]
Step = Callable[[], None]
"""Called after each reading or replay, for a progress line."""


class Engine(Protocol):
    """What is measured."""

    def read(self, source: Path, /) -> Document:
        """See `shizi.OCR.read`."""
        ...

    def read_many(self, sources: Iterable[Path], /) -> Iterator[Document | ShiziError]:
        """See `shizi.OCR.read_many`."""
        ...


class Records(Protocol):
    """What remembers the models' runs (`shizi.bench.recording.Recorder`)."""

    def record(self, most: int = MAX_BYTES) -> AbstractContextManager[Recording]:
        """Remembers every run until the block ends, if the inputs are no more than so many bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Subject:
    """A document to be measured: the name it goes by in reports, its file, and its number of pages."""

    name: str
    path: Path
    pages: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One document, warm; milliseconds.

    Attributes:
        read_ms: for the whole document, one value for each round.
        stages_ms: means over the rounds.
        models_ms: each model run alone on what it was given, by its name, medians of the rounds; empty where no model ran, or
            where its inputs were too many to be kept.
        runs: how often each model ran at each shape.
    """

    name: str
    pages: int
    read_ms: tuple[float, ...]
    stages_ms: Mapping[str, float]
    models_ms: Mapping[str, float]
    runs: tuple[Mapping[str, object], ...]

    @property
    def median_ms(self) -> float:
        """Of the rounds, for the whole document."""
        return statistics.median(self.read_ms)

    @property
    def ratio(self) -> float | None:
        """End to end ÷ pure model time."""
        return self.median_ms / total if (total := sum(self.models_ms.values())) else None


def warm_up(engine: Engine, subjects: Mapping[str, Path]) -> tuple[list[Subject], dict[str, ShiziError]]:
    """Reads every document once; returns those that can be read, and why the others cannot."""
    good: list[Subject] = []
    bad: dict[str, ShiziError] = {}
    for name, path in subjects.items():
        try:
            good.append(Subject(name, path, max(1, len(engine.read(path).pages))))
        except ShiziError as error:
            bad[name] = error
    return good, bad


def measure(
    engine: Engine, records: Records, subject: Subject, rounds: int, step: Step, clock: Clock = time.perf_counter
) -> Measured:
    """Reads a document, then runs its models alone on the very same batches, in turn: a slow moment falls on both."""
    with records.record() as recording:
        engine.read(subject.path)
    reads: list[float] = []
    alone: defaultdict[str, list[float]] = defaultdict(list)
    stages: defaultdict[str, float] = defaultdict(float)
    for _ in range(rounds):
        start = clock()
        document = engine.read(subject.path)
        reads.append(1000 * (clock() - start))
        for stage, value in document.timings_ms.items():
            stages[stage] += value / rounds
        for model, seconds in replay(recording.runs, clock).items():
            alone[model].append(1000 * seconds)
        step()
    models = {model: statistics.median(values) for model, values in alone.items()}
    return Measured(subject.name, subject.pages, tuple(reads), dict(stages), models, shapes(recording.runs))


def per_page(found: Sequence[Measured]) -> list[float]:
    """Milliseconds per page, one value for each round and page: a document's time divided by its pages."""
    return [value / one.pages for one in found for value in one.read_ms for _ in range(one.pages)]


@dataclass(frozen=True, slots=True)
class Many:
    """Documents two at a time, warm; one value for each round.

    Attributes:
        pages_per_second: of `read_many`.
        ratios: its time ÷ pure model time of the same documents; empty where no model ran for one of them, or their inputs
            were too many to be kept.
    """

    pages_per_second: tuple[float, ...]
    ratios: tuple[float, ...]


def read_all(engine: Engine, paths: Sequence[Path]) -> None:
    """Reads documents by `read_many`.

    Raises:
        ShiziError: a document could not be read.
    """
    for document in engine.read_many(paths):
        if isinstance(document, ShiziError):
            raise document


def many(
    engine: Engine,
    records: Records,
    subjects: Sequence[Subject],
    rounds: int,
    step: Step,
    clock: Clock = time.perf_counter,
) -> Many:
    """Reads all documents by `read_many` and runs their models alone, document by document, in turn.

    The documents stand in the list again and again, so that the beginning and the end, where only one is worked on, weigh little.

    Raises:
        ShiziError: a document could not be read.
    """
    recordings = _recordings(engine, records, subjects)
    pages = sum(subject.pages for subject in subjects)
    times = max(2, -(-_LEAST // pages))
    paths = [subject.path for subject in subjects] * times

    def models() -> float:
        return times * sum(sum(replay(recording.runs, clock).values()) for recording in recordings)

    rates: list[float] = []
    ratios: list[float] = []
    before = models()
    for _ in range(rounds):
        start = clock()
        read_all(engine, paths)
        taken = clock() - start
        rates.append(times * pages / taken)
        # Between two runs of the models: the machine may become slower or faster meanwhile.
        after = models()
        if recordings:
            ratios.append(2 * taken / (before + after))
        before = after
        step()
    return Many(tuple(rates), tuple(ratios))


def _recordings(engine: Engine, records: Records, subjects: Sequence[Subject]) -> list[Recording]:
    """What the models are given for each document; nothing where one gives them nothing, or all of them too much."""
    found: list[Recording] = []
    for subject in subjects:
        with records.record(_MAX_BYTES - sum(one.bytes for one in found)) as recording:
            engine.read(subject.path)
        if not recording.runs:
            return []
        found.append(recording)
    return found


def shapes(runs: Sequence[Run]) -> tuple[Mapping[str, object], ...]:
    """How often each model ran at each shape, the most frequent first."""
    counts = Counter((run.model.name, run.batch.shape) for run in runs)
    return tuple(
        {"model": model, "shape": list(shape), "runs": count} for (model, shape), count in counts.most_common()
    )
