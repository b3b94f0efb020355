"""Reading lines: crops to characters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from shizi.batching.claim import Claim
from shizi.imaging.crop import Crop
from shizi.models.card import Card
from shizi.models.charset import Charset
from shizi.models.counts import BatchCounter
from shizi.models.ctc import Reading, decode
from shizi.models.head import Columns, Head, MakeHead, WholeHead
from shizi.models.normalize import GREY
from shizi.models.streams import Streams
from shizi.runtime.base import Session

# (width, step): up to that width, crops are padded to a multiple of the step, whatever their neighbours, so that a line reads the
# same alone and in any batch. Steps grow with the width: a runtime prepares itself for every shape it meets and keeps what it
# prepared, so few shapes are faster and bound its memory.
_STEPS = ((320, 32), (640, 64), (1280, 128), (4096, 256))
_MIN_WIDTH, _MAX_WIDTH = 32, 4096
_MOST_SQUEEZED, _SQUEEZED = 0.91, 0.96
# (width, lines): up to that width so many lines are read at once, the rest of them one by one. More at once does not run faster,
# and each shape takes 5 MB and a moment the first time.
_BATCHES = ((256, 4), (512, 2))
# Each thread takes at least so many batches, where there are as many lines.
_TURNS = 3
# Sets of languages whose characters are not looked up again.
_HEADS = 16


class Recognizer:
    """A CTC recogniser behind a session.

    Args:
        session: the network, with or without its last layer (`load_recognizer`), loaded to take pixels (`SessionOptions.pixels`).
        card: says what it takes.
        charset: its characters.
        streams: where batches run.
        make_head: makes the last layer.
        squeeze: cut lines out a little narrower than they are.
    """

    def __init__(
        self,
        session: Session,
        card: Card,
        charset: Charset,
        streams: Streams,
        make_head: MakeHead = WholeHead,
        squeeze: bool = True,
    ) -> None:
        self._session = session
        self._squeeze = squeeze
        self._streams = streams
        self.height = card.input.height or 48
        self.languages = card.languages
        self.charset = charset
        self._make_head = make_head
        self._all = make_head(None)
        self.batches = BatchCounter()
        self._head = lru_cache(_HEADS)(self._new_head)

    def width(self, aspect: float) -> int:
        """Pixels of width at which a line of this width : height is cut out.

        The recogniser reads letters that are a little narrower as well or better, and every pixel costs. So a line is squeezed
        onto the next lower step where that takes at most 9 %, which leaves no padding; else by 4 %.
        """
        natural = self.height * aspect
        if not self._squeeze:
            return int(np.clip(round(natural), 8, _MAX_WIDTH))
        step = _step(natural)
        lower = natural // step * step
        squeezed = lower if lower >= _MOST_SQUEEZED * natural else _SQUEEZED * natural
        return int(np.clip(round(squeezed), 8, _MAX_WIDTH))

    def __call__(
        self, crops: Sequence[Crop], languages: frozenset[str] | None = None, claim: Claim | None = None
    ) -> list[Reading]:
        """Reads crops, each of its own width.

        Args:
            crops: lines to be cut out at `height`.
            languages: whose characters may be read; None for all.
            claim: of the request that they belong to; default: one of their own.

        Raises:
            InvalidRequest: a language is unknown.
            DeadlineExceeded: the request's time is over, or nobody waits for it.
        """
        if not crops:
            return []
        head = self._all if languages is None else self._head(languages)
        buckets: defaultdict[int, list[int]] = defaultdict(list)
        for index, crop in enumerate(crops):
            buckets[_padded(crop.width)].append(index)
        # What a thread gets at a time, that the others need not wait for it at the end.
        share = sum(width * len(members) for width, members in buckets.items()) / (_TURNS * self._streams.count)
        batches = [(width, part) for width, members in buckets.items() for part in _batches(members, width, share)]
        # The longest first, so that no thread is left alone with it at the end.
        batches.sort(key=lambda batch: -batch[0] * len(batch[1]))

        def look(number: int) -> Columns:
            width, part = batches[number]
            return self._look([crops[index] for index in part], width, head)

        shapes = [(len(part), width) for width, part in batches]
        costs = [lines * width for lines, width in shapes]
        found = self._streams.run(look, shapes, costs=costs, claim=claim)
        head.settle(found, self._streams, claim)
        for width, part in batches:
            self.batches.add([crops[index].width for index in part], width)
        return self._decode(crops, batches, found)

    def _decode(
        self, crops: Sequence[Crop], batches: Sequence[tuple[int, list[int]]], found: Sequence[Columns]
    ) -> list[Reading]:
        """The reading of each crop, from the columns of its batch."""
        counts = [
            (columns.classes.shape[1], width, part) for (width, part), columns in zip(batches, found, strict=True)
        ]
        decoded = decode(
            np.concatenate([columns.classes.ravel() for columns in found]),
            np.concatenate([columns.scores.ravel() for columns in found]),
            np.concatenate([columns.others.ravel() for columns in found]),
            np.array([count for count, _, part in counts for _ in part], dtype=np.intp),
            np.array([crops[index].width * (count / width) for count, width, part in counts for index in part]),
            self.charset,
        )
        readings = [Reading()] * len(crops)
        for index, reading in zip((index for _, part in batches for index in part), decoded, strict=True):
            readings[index] = reading
        return readings

    def _look(self, crops: Sequence[Crop], width: int, head: Head) -> Columns:
        batch = np.full((len(crops), self.height, width, 3), GREY, dtype=np.uint8)
        for target, crop in zip(batch, crops, strict=True):
            target[:, : crop.width] = crop.cut()
        return self._session.run(batch, head.look)

    def _new_head(self, languages: frozenset[str]) -> Head:
        return self._make_head(self.charset.allowed(languages))


def _step(width: float) -> int:
    return next((step for limit, step in _STEPS if width <= limit), _STEPS[-1][1])


def _padded(width: int) -> int:
    """The width of the input for a crop of this width."""
    step = _step(width)
    return max(_MIN_WIDTH, -(-width // step) * step)


def _batches(members: list[int], width: int, share: float) -> Iterator[list[int]]:
    """Splits crops of one width into batches of at most two sizes, none with more than a share of pixels but single lines."""
    most = next((lines for limit, lines in _BATCHES if width <= limit), 1)
    while most > 1 and most * width > share:
        most //= 2
    full = len(members) // most * most
    for start in range(0, full, most):
        yield members[start : start + most]
    for member in members[full:]:
        yield [member]
