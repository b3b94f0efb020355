"""Reading lines: crops to characters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
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
# Pixels of width in one batch. More does not run faster, and the output (18,710 classes a column) takes 9 kB a pixel.
_BATCH_WIDTH = 2560


class Recognizer:
    """A CTC recogniser behind a session."""

    def __init__(self, session: Session, card: Card, model: Path) -> None:
        self._session = session
        self._normalization = Normalization.of(card)
        self.height = card.input.height or 48
        self.languages = card.languages
        self.charset: Charset = read_charset(model, card.charset or "metadata:character", card.classes)

    def width(self, aspect: float) -> int:
        """Pixels of width at which a line of this width : height is cut out."""
        return int(np.clip(round(self.height * aspect), 8, _MAX_WIDTH))

    def __call__(self, crops: Sequence[Pixels], allowed: NDArray[np.intp] | None = None) -> list[Reading]:
        """Reads crops of (height, W, 3) RGB uint8, each of its own width.

        Args:
            crops: upright lines.
            allowed: classes that may be read (`Charset.allowed`); None for all.
        """
        buckets: defaultdict[int, list[int]] = defaultdict(list)
        for index, crop in enumerate(crops):
            buckets[_padded(crop.shape[1])].append(index)
        readings: list[Reading] = [Reading()] * len(crops)
        for width, members in sorted(buckets.items()):
            waiting = iter(members)
            for size in _batch_sizes(len(members), max(1, _BATCH_WIDTH // width)):
                part = list(islice(waiting, size))
                for index, reading in zip(part, self._read([crops[k] for k in part], width, allowed), strict=True):
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


def _padded(width: int) -> int:
    """The width of the input for a crop of this width."""
    step = next(step for limit, step in _STEPS if width <= limit)
    return max(_MIN_WIDTH, -(-width // step) * step)


def _batch_sizes(count: int, most: int) -> Iterator[int]:
    """Splits `count` crops into batches of powers of two, the largest first, none above `most`."""
    while count:
        size = 1 << (min(count, most).bit_length() - 1)
        yield size
        count -= size
