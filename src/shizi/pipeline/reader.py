"""Reading the lines of drafts: which way each of them lies, and what it says."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from shizi.batching.claim import Claim
from shizi.geometry import sizes, slices, turn_corners
from shizi.imaging.crop import Crop
from shizi.models.direction import DirectionClassifier
from shizi.models.recognizer import Recognizer
from shizi.pipeline.draft import CLEARLY_LONG, Draft

# A reading below it may be one of a line that lies another way.
_DOUBTFUL = 0.75
# Characters of a vertical line that are looked at one by one, upright.
_PROBES = 4

Request = tuple[Draft, int, int]  # a line of a draft, and the quarter-turns at which to read it


class LineReader:
    """The recogniser and the direction classifier for the lines of one request.

    Attributes:
        claim: of the request.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        direction: DirectionClassifier | None,
        languages: frozenset[str] | None = None,
        claim: Claim | None = None,
    ) -> None:
        self._recognizer = recognizer
        self._direction = direction
        self._languages = languages
        self.claim = claim or Claim()

    def read(self, requests: Iterable[Request]) -> None:
        """Fills in the readings asked for that are not there yet, of all drafts together."""
        missing = [(draft, line, turn) for draft, line, turn in requests if (line, turn) not in draft.readings]
        readings = self._recognizer(self._crops(missing), self._languages, self.claim)
        for (draft, line, turn), reading in zip(missing, readings, strict=True):
            draft.readings[line, turn] = reading

    def read_rest(self, drafts: Sequence[Draft]) -> None:
        """Reads every line at its turn, and the doubtful ones the other way up where the classifier sees reason to."""
        self.read((draft, line, int(draft.turns[line])) for draft in drafts for line in range(len(draft.quads)))
        self._straighten(drafts)
        if self._direction is None:
            return
        doubtful = [
            (draft, line)
            for draft in drafts
            for line in range(len(draft.quads))
            if (draft.reading(line).score < _DOUBTFUL or _across(draft, line)) and not draft.vertical[line]
        ]
        turned = self.upside_down([(draft, line, int(draft.turns[line])) for draft, line in doubtful])
        flipped = [
            (draft, line, (int(draft.turns[line]) + 2) % 4)
            for (draft, line), flag in zip(doubtful, turned, strict=True)
            if flag
        ]
        self.read(flipped)
        for draft, line, turn in flipped:
            if weight(draft, line, turn) > weight(draft, line, int(draft.turns[line])):
                draft.turns[line] = turn

    def _straighten(self, drafts: Sequence[Draft]) -> None:
        """Lets short pieces lie as their page does where they read as well so: a narrow glyph looks like a turned one."""
        short = [
            (draft, int(line), draft.quarters)
            for draft in drafts
            for line in np.flatnonzero((draft.aspects < CLEARLY_LONG) & (draft.turns != draft.quarters))
        ]
        self.read(short)
        for draft, line, turn in short:
            if weight(draft, line, turn) >= 0.9 * weight(draft, line, int(draft.turns[line])):
                draft.turns[line] = turn

    def upside_down(self, requests: Sequence[Request]) -> list[bool]:
        """What the classifier says of lines at these turns; nothing is upside down without it."""
        if self._direction is None or not requests:
            return [False] * len(requests)
        return [bool(share > 0.5) for share in self._direction([crop.cut() for crop in self._crops(requests)])]

    def mark_vertical(self, drafts: Sequence[Draft]) -> None:
        """Tells vertical lines from turned ones: the recogniser reads both alike, but only in a vertical line is a single
        character, cut out upright, still the same character."""
        probes = [
            (draft, line, position)
            for draft in drafts
            for line in np.flatnonzero(draft.tall).tolist()
            if draft.turns[line] == 1
            for position in _ideographs(draft.reading(line).characters)
        ]
        readings = self._recognizer([self._cell(*probe) for probe in probes], self._languages, self.claim)
        votes: dict[tuple[int, int], list[bool]] = {}
        for (draft, line, position), reading in zip(probes, readings, strict=True):
            same = reading.text == draft.reading(line).characters[position]
            votes.setdefault((id(draft), line), []).append(same)
        for draft in drafts:
            for line in range(len(draft.quads)):
                ballot = votes.get((id(draft), line), [])
                draft.vertical[line] = 2 * sum(ballot) > len(ballot)

    def _crops(self, requests: Sequence[Request]) -> list[Crop]:
        if not requests:
            return []
        turns = np.array([turn for _, _, turn in requests], dtype=np.intp)
        quads = turn_corners(np.stack([draft.quads[line] for draft, line, _ in requests]), turns)
        widths, heights = sizes(quads)
        aspects = (widths / np.maximum(heights, np.float32(1e-3))).tolist()
        return [
            draft.crop(line, quad, self._recognizer.height, self._recognizer.width(aspect))
            for (draft, line, _), quad, aspect in zip(requests, quads, aspects, strict=True)
        ]

    def _cell(self, draft: Draft, line: int, position: int) -> Crop:
        """One character of a vertical line, upright."""
        reading = draft.reading(line)
        sideways = turn_corners(draft.quads[line : line + 1], 1)[0]
        length, across = (float(side[0]) for side in sizes(sideways[None]))
        centre = (reading.starts[position] + reading.ends[position]) / 2
        half = 0.55 * across / max(length, 1e-3)
        start, end = (np.array([edge], dtype=np.float32) for edge in (max(0.0, centre - half), min(1.0, centre + half)))
        cell = turn_corners(slices(sideways[None], start, end), -1)[0]
        return draft.crop(line, cell, self._recognizer.height, self._recognizer.height)


def _across(draft: Draft, line: int) -> bool:
    """Nothing tells which way a line across the page's text lies, and on its head a few of its letters may read surely."""
    return int(draft.turns[line] - draft.quarters) % 2 == 1


def weight(draft: Draft, line: int, turn: int) -> float:
    """How much was read: the expected number of right characters. A wrong turn yields few, though sometimes sure of itself."""
    reading = draft.readings[line, turn]
    return sum(score for score, char in zip(reading.scores, reading.characters, strict=True) if not char.isspace())


def _ideographs(characters: Sequence[str]) -> list[int]:
    """Positions of up to `_PROBES` characters that look different when they lie on their side."""
    found = [
        k
        for k, char in enumerate(characters)
        if char and unicodedata.name(char[0], "").startswith(("CJK UNIFIED", "HIRAGANA", "KATAKANA", "HANGUL"))
    ]
    return found[:: max(1, len(found) // _PROBES)][:_PROBES]
