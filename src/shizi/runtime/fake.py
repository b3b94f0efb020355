"""A runtime without a library: its models answer by a function, among them the ways in which a runtime fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shizi.errors import ModelLoadFailed, OutOfMemory
from shizi.runtime.base import Batch, Input, SessionOptions, T, as_numbers
from shizi.runtime.normalization import Normalization

Answer = Callable[[Batch], Batch]
"""Makes a model's output of its input; it may also raise."""


def out_of_memory(batch: Batch) -> Batch:
    """An answer that never comes, for want of memory.

    Raises:
        OutOfMemory: always.
    """
    raise OutOfMemory(f"the model could not run on a batch of shape {batch.shape}: it is made to fail")


def crash(batch: Batch) -> Batch:
    """An answer that never comes, for a fault of the runtime that nobody foresaw.

    Raises:
        ZeroDivisionError: always; no error of `shizi.errors`, as a fault would be.
    """
    raise ZeroDivisionError(f"the runtime crashed on a batch of shape {batch.shape}: it is made to crash")


@dataclass(frozen=True, slots=True)
class Slow:
    """An answer that comes late.

    Attributes:
        answer: what comes.
        seconds: how late.
        sleep: how to wait.
    """

    answer: Answer
    seconds: float
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, batch: Batch) -> Batch:
        """Waits, then answers."""
        self.sleep(self.seconds)
        return self.answer(batch)


class FakeSession:
    """A model that is a function of numbers; where pixels are given, of what the normalization makes of them."""

    def __init__(self, answer: Answer, pixels: Normalization | None = None) -> None:
        self._answer = answer
        self._pixels = pixels

    def run(self, batch: Input, read: Callable[[Batch], T]) -> T:
        """See `Session.run`. What `read` keeps of the output turns into NaN, as a real runtime's buffer is written over."""
        output = np.array(self._answer(as_numbers(batch, self._pixels)), dtype=np.float32)
        try:
            return read(output)
        finally:
            output.fill(np.nan)


class FakeRuntime:
    """Loads functions in place of models.

    Args:
        answers: by the model's file name or the beginning of it, such as "ppocrv6-small-det"; "" stands for all others.
    """

    name = "fake"

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = dict(answers)

    def load(self, model: Path, options: SessionOptions, *, content: bytes | None = None) -> FakeSession:
        """See `Runtime.load`; the file need not exist, and of the options only `pixels` change anything."""
        del content
        names = [name for name in self._answers if model.name.startswith(name)]
        if not names:
            known = ", ".join(sorted(self._answers)) or "none at all"
            raise ModelLoadFailed(f"no answer is known for {model.name}; known are {known}")
        return FakeSession(self._answers[max(names, key=len)], options.pixels)
