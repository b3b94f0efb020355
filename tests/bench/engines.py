"""Engines that are measured in tests: they take as long as a clock of their own says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np

from shizi.errors import CorruptDocument, ShiziError
from shizi.runtime.base import Session, SessionOptions
from shizi.types import Document, Page


@dataclass
class Clock:
    """Time that passes only where a test lets it."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class FakeEngine:
    """Takes so many seconds for each document, by its name; those without are damaged. Runs a model if it has one."""

    clock: Clock
    seconds: Mapping[str, float]
    text: str = "text"
    pages: int = 1
    session: Session | None = None
    order: list[str] = field(default_factory=list)
    name: str = "ours"
    closed: bool = False

    def read(self, source: Path) -> Document:
        if source.stem not in self.seconds:
            raise CorruptDocument("it is damaged")
        self.order.append(self.name)
        self.clock.sleep(self.seconds[source.stem])
        if self.session is not None:
            self.session.run(np.zeros((2, 3, 48, 64), dtype=np.float32), lambda _output: None)
        pages = tuple(Page(number + 1, 10, 10, text=self.text) for number in range(self.pages))
        return Document(pages, timings_ms={"decode": 1.0, "recognize": 3.0})

    def read_many(self, sources: Iterable[Path]) -> Iterator[Document | ShiziError]:
        return map(self.read, sources)

    def __enter__(self) -> FakeEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True


def nothing() -> None:
    """A step that nobody watches."""


def options(concurrency: int = 1) -> SessionOptions:
    return SessionOptions(threads=1, concurrency=concurrency)
