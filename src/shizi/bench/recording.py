"""A runtime that remembers what its models were given, so that the models can be run on it again by themselves."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shizi.runtime.base import Batch, Input, Runtime, Session, SessionOptions, T

# A page's inputs take 2 to 11 MB, in float32 four times as much; a document of hundreds of pages would fill the memory.
MAX_BYTES = 1 << 29
_HASH = re.compile("-[0-9a-f]{12}$")


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A loaded model.

    Attributes:
        name: of its file, without suffix and hash; with a number where it is a part of one.
        session: the runtime's own.
        options: it was loaded with.
    """

    name: str
    session: Session
    options: SessionOptions


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A model and the batch that it was given."""

    model: Model
    batch: Input


@dataclass(slots=True)
class Recording:
    """Runs in the order in which they began; empty and `overflown` where they would have taken more than `most` bytes."""

    most: int = MAX_BYTES
    runs: list[Run] = field(default_factory=list)
    bytes: int = 0
    overflown: bool = False

    def add(self, model: Model, batch: Input) -> None:
        """Keeps a copy: the engine may write into its batch again."""
        self.bytes += batch.nbytes
        if self.bytes > self.most:
            self.overflown = True
            self.runs.clear()
        if not self.overflown:
            self.runs.append(Run(model, batch.copy()))


class Recorder:
    """Wraps a runtime; an engine that is given it works as with the runtime itself."""

    def __init__(self, runtime: Runtime) -> None:
        self.name = runtime.name
        self._runtime = runtime
        self._recording: Recording | None = None
        self._parts: Counter[str] = Counter()

    def load(self, model: Path, options: SessionOptions, *, content: bytes | None = None) -> _Session:
        """See `Runtime.load`; parts of a file are numbered as they come."""
        name = _HASH.sub("", model.stem)
        if content is not None:
            self._parts[name] += 1
            name = f"{name} part {self._parts[name]}"
        session = self._runtime.load(model, options, content=content)
        return _Session(Model(name, session, options), self._current)

    @contextmanager
    def record(self, most: int = MAX_BYTES) -> Iterator[Recording]:
        """Remembers every run until the block ends; the runs of all threads, so only one document is to be read meanwhile.

        Args:
            most: bytes of inputs; where they are more, none are kept.
        """
        self._recording = recording = Recording(min(most, MAX_BYTES))
        try:
            yield recording
        finally:
            self._recording = None

    def _current(self) -> Recording | None:
        return self._recording


class _Session:
    def __init__(self, model: Model, current: Callable[[], Recording | None]) -> None:
        self._model = model
        self._current = current

    def run(self, batch: Input, read: Callable[[Batch], T]) -> T:
        """See `Session.run`."""
        recording = self._current()
        if recording is not None:
            recording.add(self._model, batch)
        return self._model.session.run(batch, read)


def replay(runs: Sequence[Run], clock: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """Seconds that each model takes for its own runs, by its name: the pure model time.

    Model after model, each on its batches back to back, as many at a time as the engine may run; outputs are not looked at.
    """
    parts: dict[Model, list[Input]] = {}
    for run in runs:
        parts.setdefault(run.model, []).append(run.batch)
    seconds: dict[str, float] = {}
    for model, batches in parts.items():
        seconds[model.name] = seconds.get(model.name, 0.0) + _replay(model, batches, clock)
    return seconds


def _replay(model: Model, batches: Sequence[Input], clock: Callable[[], float]) -> float:
    def run(batch: Input) -> None:
        model.session.run(batch, lambda _output: None)

    if model.options.concurrency == 1 or len(batches) == 1:
        start = clock()
        for batch in batches:
            run(batch)
        return clock() - start
    # The largest first, so that no thread is left alone with it: else the models would seem slower than they are.
    ordered = sorted(batches, key=lambda batch: -batch.size)
    with ThreadPoolExecutor(model.options.concurrency, "shizi-replay") as pool:
        start = clock()
        for _ in pool.map(run, ordered):
            pass
        return clock() - start
