"""From the characters of a line to its words, and to the parts of the line that show them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shizi.geometry import Quads, as_polygons, slices, turn_corners
from shizi.models.ctc import Reading
from shizi.types import Word


class Span(NamedTuple):
    """A word, and where it begins and ends, in fractions of the line's width."""

    text: str
    score: float
    start: float
    end: float


def words_of(readings: Sequence[Reading], sideways: Quads, vertical: NDArray[np.bool_]) -> list[tuple[Word, ...]]:
    """The words of each line, parted at its spaces, with the part of the line's quadrilateral that shows each.

    All lines of a page at once: it has hundreds of words, and a call of numpy takes longer than working out one of them.

    Args:
        readings: of N lines.
        sideways: their corners in the direction in which each was read, (N, 4, 2).
        vertical: the characters stand upright, so that a word's polygon starts a quarter-turn back, (N,).
    """
    spans = [spans_of(reading) for reading in readings]
    owners = np.repeat(np.arange(len(spans)), np.array([len(line) for line in spans], dtype=np.intp))
    edges = np.array([(span.start, span.end) for line in spans for span in line], dtype=np.float32).reshape(-1, 2)
    parts = slices(sideways[owners], edges[:, 0], edges[:, 1])
    polygons = iter(as_polygons(turn_corners(parts, -vertical[owners].astype(np.intp))))
    return [tuple(Word(span.text, span.score, next(polygons)) for span in line) for line in spans]


def spans_of(reading: Reading) -> list[Span]:
    """The words of a line and where they stand, from left to right."""
    middles = [(start + end) / 2 for start, end in zip(reading.starts, reading.ends, strict=True)]
    groups = _groups(reading.characters)
    spans = []
    edge = 0.0
    for number, (first, stop) in enumerate(groups):
        # Of the word itself; of the whole line where it is a single character.
        half = _half_pitch(middles[first:stop] if stop - first > 1 else middles)
        start, end = max(edge, middles[first] - half), min(middles[stop - 1] + half, 1.0)
        if number + 1 < len(groups):
            end = min(end, (middles[stop - 1] + middles[groups[number + 1][0]]) / 2)
        score = sum(reading.scores[first:stop]) / (stop - first)
        spans.append(Span("".join(reading.characters[first:stop]), score, start, end))
        edge = end
    return spans


def _groups(characters: Sequence[str]) -> list[tuple[int, int]]:
    """The first character of each word, and the one after its last."""
    spaces = [-1, *(index for index, char in enumerate(characters) if char.isspace()), len(characters)]
    return [(before + 1, after) for before, after in pairwise(spaces) if after > before + 1]


def _half_pitch(middles: Sequence[float]) -> float:
    """How far a word reaches beyond the middle of its last character: CTC marks the middles of characters, not their edges."""
    pitches = [after - before for before, after in pairwise(middles)]
    return median(pitches) / 2 if pitches else 0.5
