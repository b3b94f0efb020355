"""One line on a terminal that says how far a batch is."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, TextIO

import click

WIDTH: Final = 24
CLEAR: Final = "\r\x1b[K"


class Progress:
    """A progress line on `stream`; silent where `shown` is False. Messages go through it, so that they do not mix."""

    def __init__(self, total: int, stream: TextIO, shown: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._stream = stream
        self._shown = shown and total > 1
        self._clock = clock
        self._start = clock()
        self._done = 0
        self._failed = 0

    def __enter__(self) -> Progress:
        self._draw("")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def advance(self, name: str, failed: bool) -> None:
        """One more file is finished."""
        self._done += 1
        self._failed += failed
        self._draw(name)

    def say(self, message: str) -> None:
        """Print a line above the progress line."""
        self._clear()
        click.echo(message, file=self._stream)
        self._draw("")

    def _clear(self) -> None:
        if self._shown:
            self._stream.write(CLEAR)
            self._stream.flush()

    def _draw(self, name: str) -> None:
        if self._shown:
            width = shutil.get_terminal_size().columns
            line = progress_line(self._done, self._total, self._failed, self._clock() - self._start, name)
            self._stream.write(CLEAR + shorten(line, width - 1))
            self._stream.flush()


def progress_line(done: int, total: int, failed: int, seconds: float, name: str) -> str:
    """The line itself: a bar, counts, the time left (from the second file on), and the file that was finished last."""
    filled = WIDTH * done // total
    bar = "█" * filled + "░" * (WIDTH - filled)
    parts = [f"{bar} {done}/{total}"]
    if failed:
        parts.append(f"{failed} failed")
    if 1 < done < total:
        parts.append(f"{_duration(seconds / done * (total - done))} left")
    if name:
        parts.append(name)
    return "  ".join(parts)


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"


def shorten(text: str, most: int) -> str:
    """Cut to a number of terminal columns."""
    if columns(text) <= most:
        return text
    while text and columns(text) >= most:
        text = text[:-1]
    return f"{text}…"


def columns(text: str) -> int:
    """What a text takes on a terminal; Chinese characters take two columns each."""
    return sum(2 if ord(character) >= 0x2E80 else 1 for character in text)
