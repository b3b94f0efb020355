"""Where the invisible text stands: lines and words of a page as PDF text operators (ISO 32000-1, section 9.4).

Every word is set so that its box is covered exactly: its font size is the height of the box, the text is turned with
the box, and horizontal scaling stretches it to the width of the box. The space between two words is a character of its
own that fills the gap, so that a phrase is found and copied as it was written. Vertical lines are set as text that is
turned downwards: readers find and mark whole phrases in it, which they do not in columns of single characters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shizi.export.pdf.font import ASCENT, DESCENT, UNITS, Charset
from shizi.export.pdf.writer import number
from shizi.export.pieces import pieces
from shizi.types import Line, Point, Polygon

_LEAST = 0.5  # pixels; boxes without extent would make a singular text matrix


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that are set in one go.

    Attributes:
        text: what is set.
        origin: left end of the baseline, in pixels, y downwards.
        direction: unit vector along the baseline, y downwards.
        size: height of the box, in pixels: font ascent plus descent.
        width: pixels along the baseline.
    """

    text: str
    origin: Point
    direction: Point
    size: float
    width: float


def runs(line: Line) -> list[Run]:
    """The words of a line and the spaces between them; one run where the words do not add up to the line's text."""
    words = pieces(line)
    placed: list[Run] = []
    for index, word in enumerate(words):
        run = _place(word.text, _reading_frame(word.polygon, line.vertical))
        placed.append(run)
        if word.space_after and index + 1 < len(words):
            following = _place("", _reading_frame(words[index + 1].polygon, line.vertical))
            placed.append(_gap(run, following))
    return placed


def content(lines: Iterable[Sequence[Run]], charset: Charset, height: float, *, mode: int = 3) -> str:
    """Text operators for the lines of a page of `height` pixels, in units of pixels with y upwards; the font is /F.

    `mode` is the text rendering mode: 3, invisible, for all uses but a look at the boxes.
    """
    operators = ["BT", f"{mode} Tr"]
    for line in lines:
        operators += _line_operators(line, charset, height)
    operators.append("ET")
    return "\n".join(operators)


def _line_operators(line: Sequence[Run], charset: Charset, height: float) -> Iterator[str]:
    for run in line:
        cosine, sine = run.direction
        # y turns upwards: the sine of the angle changes its sign, and so does the position.
        matrix = (cosine, -sine, sine, cosine)
        scale = 100 * run.width / (charset.width(run.text) * run.size)
        yield " ".join(
            (
                f"/F {number(run.size)} Tf",
                *(number(value, 6) for value in matrix),
                f"{number(run.origin[0])} {number(height - run.origin[1])} Tm",
                f"{number(scale, 4)} Tz",
                f"{charset.encode(run.text)} Tj",
            )
        )


def _reading_frame(polygon: Polygon, vertical: bool) -> Polygon:
    """The corners, clockwise from where the run starts; a vertical column is taken as text turned by a right angle."""
    return polygon[1:] + polygon[:1] if vertical else polygon


def _place(text: str, polygon: Polygon) -> Run:
    top_left, top_right, bottom_right, bottom_left = polygon
    start = _middle(top_left, bottom_left)
    end = _middle(top_right, bottom_right)
    width = math.dist(start, end)
    direction = ((end[0] - start[0]) / width, (end[1] - start[1]) / width) if width > 0 else (1.0, 0.0)
    size = max((math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2, _LEAST)
    return Run(text, _baseline(start, direction, size), direction, size, max(width, _LEAST))


def _baseline(middle: Point, direction: Point, size: float) -> Point:
    """The point of the baseline below a point of the middle line."""
    down = size * ((ASCENT + DESCENT) / 2) / UNITS
    return middle[0] - direction[1] * down, middle[1] + direction[0] * down


def _gap(before: Run, after: Run) -> Run:
    """The space from the end of a run to the start of the next, along the first one's direction."""
    start = (
        before.origin[0] + before.direction[0] * before.width,
        before.origin[1] + before.direction[1] * before.width,
    )
    width = (after.origin[0] - start[0]) * before.direction[0] + (after.origin[1] - start[1]) * before.direction[1]
    return Run(" ", start, before.direction, before.size, max(width, _LEAST))


def _middle(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
