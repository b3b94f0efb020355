"""From the characters of lines to their words, and to the parts of the lines that show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from shizi.geometry import Quads, as_polygons, slices, turn_corners
from shizi.models.ctc import Reading
from shizi.types import Word

Indices = NDArray[np.intp]
Numbers = NDArray[np.float64]


def words_of(readings: Sequence[Reading], sideways: Quads, vertical: NDArray[np.bool_]) -> list[tuple[Word, ...]]:
    """The words of each line, parted at its spaces, with the part of the line's quadrilateral that shows each.

    All lines of a page at once: it has hundreds of words, and a call of numpy takes longer than working out one of them.

    Args:
        readings: of N lines.
        sideways: their corners in the direction in which each was read, (N, 4, 2).
        vertical: the characters stand upright, so that a word's polygon starts a quarter-turn back, (N,).
    """
    characters = [character for reading in readings for character in reading.characters]
    lines = np.repeat(np.arange(len(readings)), np.array([len(reading.characters) for reading in readings], np.intp))
    middles = (_joined(reading.starts for reading in readings) + _joined(reading.ends for reading in readings)) / 2
    firsts, lasts = _groups(np.array([not character.isspace() for character in characters], np.bool_), lines)
    owners = lines[firsts]
    starts, ends = _edges(middles, lines, firsts, lasts)
    parts = slices(sideways[owners], starts.astype(np.float32), ends.astype(np.float32))
    polygons = as_polygons(turn_corners(parts, -vertical[owners].astype(np.intp)))
    texts = ["".join(characters[first : last + 1]) for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]
    scores = _means(_joined(reading.scores for reading in readings), firsts, lasts).tolist()
    words = [Word(text, score, polygon) for text, score, polygon in zip(texts, scores, polygons, strict=True)]
    cuts = np.searchsorted(owners, np.arange(len(readings) + 1)).tolist()
    return [tuple(words[start:stop]) for start, stop in pairwise(cuts)]


def _joined(values: Iterable[Sequence[float]]) -> Numbers:
    return np.array([value for some in values for value in some], dtype=np.float64)


def _groups(shown: NDArray[np.bool_], lines: Indices) -> tuple[Indices, Indices]:
    """The first and the last character of each of W words: two (W,).

    Args:
        shown: characters that are no spaces, (S,).
        lines: the line of each, (S,).
    """
    joined = shown[1:] & shown[:-1] & (lines[1:] == lines[:-1])
    first, last = shown.copy(), shown.copy()
    first[1:] &= ~joined
    last[:-1] &= ~joined
    return np.flatnonzero(first), np.flatnonzero(last)


def _edges(middles: Numbers, lines: Indices, firsts: Indices, lasts: Indices) -> tuple[Numbers, Numbers]:
    """Where each word begins and ends, in fractions of its line's width: two (W,)."""
    owners = lines[firsts]
    halves = _half_pitches(middles, lines, firsts, lasts)
    ends = np.minimum(middles[lasts] + halves, 1.0)
    follows = owners[1:] == owners[:-1]
    between = np.where(follows, (middles[lasts[:-1]] + middles[firsts[1:]]) / 2, 1.0)
    ends[:-1] = np.minimum(ends[:-1], between)
    before = np.append(0.0, np.where(follows, ends[:-1], 0.0))[: len(firsts)]
    return np.maximum(before, middles[firsts] - halves), ends


def _half_pitches(middles: Numbers, lines: Indices, firsts: Indices, lasts: Indices) -> Numbers:
    """How far each word reaches beyond the middle of its last character: CTC marks the middles of characters, not their edges.

    Half the distance of its characters; of all characters of the line where it is a single one, and all the line where that is.
    """
    pitches = np.diff(middles)
    beginnings, counts = np.unique(lines, return_index=True, return_counts=True)[1:]
    of_lines = _medians(pitches, beginnings, counts - 1)[np.searchsorted(beginnings, firsts, side="right") - 1]
    return np.where(firsts == lasts, of_lines, _medians(pitches, firsts, lasts - firsts)) / 2


def _medians(values: Numbers, firsts: Indices, counts: Indices) -> Numbers:
    """Of runs of values that begin at given places; 1 for those of none."""
    found = values[_runs(firsts, counts)]
    found = found[np.lexsort((found, np.repeat(np.arange(len(counts)), counts)))]
    some = counts > 0
    low = (np.cumsum(counts) - counts + (counts - 1) // 2)[some]
    medians = np.ones(len(counts))
    medians[some] = (found[low] + found[low + (counts[some] + 1) % 2]) / 2
    return medians


def _means(values: Numbers, firsts: Indices, lasts: Indices) -> Numbers:
    counts = lasts - firsts + 1
    owners = np.repeat(np.arange(len(counts)), counts)
    return np.bincount(owners, values[_runs(firsts, counts)], len(counts)) / counts


def _runs(firsts: Indices, counts: Indices) -> Indices:
    """So many whole numbers in a row from each of these on, one run after the other."""
    numbers: Indices = np.arange(counts.sum()) + np.repeat(firsts - (np.cumsum(counts) - counts), counts)
    return numbers
