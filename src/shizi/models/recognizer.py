"""Reading lines: crops to characters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shizi.imaging.crop import Pixels
from shizi.models.card import Card
from shizi.models.charset import Charset, read_charset
from shizi.models.ctc import Reading, best_path, decode
from shizi.models.normalize import Normalization
from shizi.runtime.base import Batch, Session

# (width, step): up to that width, crops are padded to a multiple of the step, whatever their neighbours, so that a line reads the
# same alone and in any batch. Steps grow with the width: a runtime prepares itself for every shape it meets and keeps what it
# prepared, so few shapes are faster and bound its memory.
_STEPS = ((320, 32), (640, 64), (1280, 128), (4096, 256))
_MIN_WIDTH, _MAX_WIDTH = 32, 4096
_MOST_SQUEEZED, _SQUEEZED = 0.88, 0.92
# Pixels of width in one batch. More does not run faster, and the output (18,710 classes a column) takes 9 kB a pixel.
_BATCH_WIDTH = 1280


class Recognizer:
    """A CTC recogniser behind a session."""

    def __init__(self, session: Session, card: Card, model: Path, pool: Executor, *, squeeze: bool = True) -> None:
        self._session = session
        self._squeeze = squeeze
        self._pool = pool
        self._normalization = Normalization.of(card)
        self.height = card.input.height or 48
        self.languages = card.languages
        self.charset: Charset = read_charset(model, card.charset or "metadata:character", card.classes)

    def width(self, aspect: float) -> int:
        """Pixels of width at which a line of this width : height is cut out.

        The recogniser reads letters that are a little narrower as well or better, and every pixel costs. So a line is squeezed
        onto the next lower step where that takes at most 12 %, which leaves no padding; else by 8 %.
        """
        natural = self.height * aspect
        if not self._squeeze:
            return int(np.clip(round(natural), 8, _MAX_WIDTH))
        step = _step(natural)
        lower = natural // step * step
        squeezed = lower if lower >= _MOST_SQUEEZED * natural else _SQUEEZED * natural
        return int(np.clip(round(squeezed), 8, _MAX_WIDTH))

    def __call__(self, crops: Sequence[Pixels], allowed: NDArray[np.intp] | None = None) -> list[Reading]:
        """Reads crops of (height, W, 3) RGB uint8, each of its own width.

        Args:
            crops: upright lines.
            allowed: classes that may be read (`Charset.allowed`); None for all.
        """
        buckets: defaultdict[int, list[int]] = defaultdict(list)
        for index, crop in enumerate(crops):
            buckets[_padded(crop.shape[1])].append(index)
        batches = [
            (width, part) for width, members in buckets.items() for part in _batches(members, _BATCH_WIDTH // width)
        ]
        # The longest first, so that no thread is left alone with it at the end.
        batches.sort(key=lambda batch: -batch[0] * len(batch[1]))

        def read(batch: tuple[int, list[int]]) -> list[Reading]:
            return self._read([crops[index] for index in batch[1]], batch[0], allowed)

        readings: list[Reading] = [Reading()] * len(crops)
        for (_, part), found in zip(batches, self._pool.map(read, batches), strict=True):
            for index, reading in zip(part, found, strict=True):
                readings[index] = reading
        return readings

    def _read(self, crops: Sequence[Pixels], width: int, allowed: NDArray[np.intp] | None) -> list[Reading]:
        batch = self._normalization.blank(len(crops), self.height, width)
        for target, crop in zip(batch, crops, strict=True):
            self._normalization.fill(target, crop)

        def paths(output: Batch) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
            return best_path(output, allowed)

        classes, scores = self._session.run(batch, paths)
        columns = classes.shape[1] / width
        return [
            decode(line, probability, crop.shape[1] * columns, self.charset)
            for line, probability, crop in zip(classes, scores, crops, strict=True)
        ]


def _step(width: float) -> int:
    return next((step for limit, step in _STEPS if width <= limit), _STEPS[-1][1])


def _padded(width: int) -> int:
    """The width of the input for a crop of this width."""
    step = _step(width)
    return max(_MIN_WIDTH, -(-width // step) * step)


def _batches(members: list[int], most: int) -> Iterator[list[int]]:
    """Splits crops of one width into batches of powers of two, the largest first, none above `most`."""
    start = 0
    while start < len(members):
        size = 1 << (max(1, min(len(members) - start, most)).bit_length() - 1)
        yield members[start : start + size]
        start += size
