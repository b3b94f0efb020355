"""From the recogniser's probabilities to text: greedy CTC decoding (Graves et al., 2006) with the column of every character."""

from __future__ import annotations

from dataclasses import dataclass

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
    used: float,
    charset: Charset,
    others: NDArray[np.float32] | None = None,
) -> Reading:
    """One line's reading: repeats merged, blanks dropped.

    Args:
        classes: (T,) likeliest class of every column.
        scores: (T,) its probability.
        used: columns that show the line (need not be whole); what lies to the right of them is padding.
        charset: the model's characters.
        others: (T,) see `of_other_forms`.
    """
    changes = np.flatnonzero(classes[1:] != classes[:-1]) + 1
    begins, stops = np.concatenate([[0], changes]), np.concatenate([changes, [len(classes)]])
    best = np.maximum.reduceat(scores, begins)
    keep = classes[begins] != BLANK
    doubts: tuple[float, ...] = ()
    if others is not None:
        doubts = tuple(np.maximum.reduceat(_at_best(others, scores, best, stops - begins), begins)[keep].tolist())
    return Reading(
        tuple(charset.characters[index] for index in classes[begins[keep]]),
        tuple(best[keep].tolist()),
        tuple(np.minimum(begins[keep] / used, 1.0).tolist()),
        tuple(np.minimum(stops[keep] / used, 1.0).tolist()),
        doubts,
    )


def _at_best(
    others: NDArray[np.float32], scores: NDArray[np.float32], best: NDArray[np.float32], lengths: NDArray[np.intp]
) -> NDArray[np.float32]:
    """The other forms' probabilities where a character is likeliest, else 0: at its edges a sure one may look doubtful."""
    return np.where(scores == np.repeat(best, lengths), others, np.float32(0))
