"""The words of a line as formats with positions need them, and the characters that a file format can hold."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shizi.types import Line, Polygon

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line with a place of its own.

    Attributes:
        text: not empty.
        polygon: four corners, clockwise from the text's own top-left corner.
        score: as in Word.
        space_after: True where white space stands before the next piece.
    """

    text: str
    polygon: Polygon
    score: float
    space_after: bool


def printable(text: str) -> str:
    """The text without what XML and PDF cannot hold: controls become spaces, half surrogate pairs U+FFFD."""
    return _UNPRINTABLE.sub(lambda match: " " if match.group() < "\u00a0" else "\ufffd", text)


def pieces(line: Line) -> list[Piece]:
    """The words of a line; the whole line as one piece where the words do not add up to its text; none without text."""
    text = printable(line.text)
    words = [(written, word) for word in line.words if (written := printable(word.text).strip())]
    found: list[Piece] = []
    cursor = 0
    for written, word in words:
        start = text.find(written, cursor)
        if start < 0 or text[cursor:start].strip():
            break
        cursor = start + len(written)
        found.append(Piece(written, word.polygon, word.score, text[cursor : cursor + 1].isspace()))
    if found and len(found) == len(words) and not text[cursor:].strip():
        return found
    whole = " ".join(text.split())
    return [Piece(whole, line.polygon, line.score, False)] if whole else []
