"""From the recogniser's probabilities to text: greedy CTC decoding (Graves et al., 2006) with the column of every character."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from shizi.models.charset import Charset

BLANK = 0
# Where no allowed character is as likely as this, the column shows a character of another language.
LIKELY = 0.05


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from one crop.

    Attributes:
        characters: as they came out, in the text's own direction.
        scores: probability of each character.
        starts: where each character's columns begin, as a fraction of the crop's width.
        ends: where they end, likewise.
        others: probability of the same character in the other script of Chinese, where the network was in doubt, else 0; empty
            where nothing is known of it.
    """

    characters: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    starts: tuple[float, ...] = ()
    ends: tuple[float, ...] = ()
    others: tuple[float, ...] = ()

    @property
    def text(self) -> str:
        """The characters in one string."""
        return "".join(self.characters)

    @property
    def score(self) -> float:
        """Mean probability of the characters; 0 for an empty reading."""
        return sum(self.scores) / len(self.scores) if self.scores else 0.0


def best_path(
    probabilities: NDArray[np.float32], allowed: NDArray[np.intp] | None
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The likeliest class of every column and its probability: (B, T, C) -> (B, T), (B, T).

    Args:
        probabilities: (B, T, C), softmax over the classes.
        allowed: the classes that may be read, ascending, the blank among them; None for all.
    """
    classes = probabilities.argmax(axis=2)
    if allowed is not None:
        # Nearly all columns are right as they are: only the others are looked at again, without copying the whole output.
        wrong = ~np.isin(classes, allowed)
        others = probabilities[wrong][:, allowed]
        best = others.argmax(axis=1)
        likely = np.take_along_axis(others, best[:, None], axis=1)[:, 0] >= LIKELY
        classes[wrong] = np.where(likely, allowed[best], BLANK)
    return classes, np.take_along_axis(probabilities, classes[:, :, None], axis=2)[:, :, 0]


def of_other_forms(
    probabilities: NDArray[np.float32], classes: NDArray[np.intp], others: NDArray[np.intp]
) -> NDArray[np.float32]:
    """The probability of each class's other form (`shizi.models.han`), 0 where it has none: (B, T, C), (B, T), (C,) -> (B, T)."""
    forms = others[classes]
    found = np.take_along_axis(probabilities, forms[:, :, None], axis=2)[:, :, 0]
    return np.where(forms == classes, np.float32(0), found)


def decode(
    classes: NDArray[np.intp],
    scores: NDArray[np.float32],
    others: NDArray[np.float32],
    lengths: NDArray[np.intp],
    used: NDArray[np.float64],
    charset: Charset,
) -> list[Reading]:
    """The readings of lines whose columns stand one line after the other: repeats merged, blanks dropped.

    All lines at once: a page has hundreds of them, and a dozen calls of numpy take longer than what they do for one.

    Args:
        classes: the likeliest class of every column, (S,).
        scores: its probability, (S,).
        others: see `of_other_forms`, (S,).
        lengths: columns of each line, at least one, (N,).
        used: columns of each that show the line (need not be whole); what lies to the right of them is padding, (N,).
        charset: the model's characters.
    """
    firsts = np.cumsum(lengths) - lengths
    begins = np.union1d(np.flatnonzero(classes[1:] != classes[:-1]) + 1, firsts)
    stops = np.append(begins[1:], len(classes))
    best = np.maximum.reduceat(scores, begins)
    # At its edges a sure character may look doubtful: only where it is likeliest counts.
    doubts = np.maximum.reduceat(np.where(scores == np.repeat(best, stops - begins), others, np.float32(0)), begins)
    shown = np.flatnonzero(classes[begins] != BLANK)
    begins, stops = begins[shown], stops[shown]
    owners = np.searchsorted(firsts, begins, side="right") - 1
    characters = [charset.characters[index] for index in classes[begins].tolist()]
    values = [
        best[shown].tolist(),
        np.minimum((begins - firsts[owners]) / used[owners], 1.0).tolist(),
        np.minimum((stops - firsts[owners]) / used[owners], 1.0).tolist(),
        doubts[shown].tolist(),
    ]
    cuts = pairwise(np.searchsorted(owners, np.arange(len(lengths) + 1)).tolist())
    return [
        Reading(tuple(characters[first:stop]), *(tuple(value[first:stop]) for value in values)) for first, stop in cuts
    ]
