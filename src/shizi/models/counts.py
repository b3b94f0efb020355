"""How full the batches of a model are."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Batches:
    """What was run since the model was loaded.

    Attributes:
        batches: runs.
        lines: in them.
        pixels: of width of these lines.
        padding: pixels of width that were added to them.
    """

    batches: int = 0
    lines: int = 0
    pixels: int = 0
    padding: int = 0

    def text(self) -> str:
        """For a header of a message."""
        return f"{self.batches},{self.lines},{self.pixels},{self.padding}"

    @classmethod
    def parse(cls, text: object) -> Batches | None:
        """What `text` wrote; None for anything else."""
        parts = text.split(",") if isinstance(text, str) else []
        if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
            return None
        return cls(*map(int, parts))


class BatchCounter:
    """Counts batches of any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sum = Batches()

    def add(self, widths: list[int], padded: int) -> None:
        """A batch of lines of these widths, each padded to another."""
        used = sum(min(width, padded) for width in widths)
        with self._lock:
            now = self._sum
            self._sum = Batches(
                now.batches + 1,
                now.lines + len(widths),
                now.pixels + used,
                now.padding + padded * len(widths) - used,
            )

    @property
    def total(self) -> Batches:
        """Until now."""
        return self._sum
