"""From characters with boxes to lines and words, and whether to trust them: pure functions, standard library only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

MAX_TURN = 2.0  # degrees by which characters of one line may differ
MAX_GAP = 2.5  # heights between two characters of one line; more is another column or cell
MAX_SHIFT = 0.6  # heights by which a character may stand higher or lower than the one before it (a superscript)
BAD_SHARE = 0.05
HIDDEN_SHARE = 0.1
OUTSIDE_SHARE = 0.3

Quad = list[list[float]]


@dataclass(frozen=True, slots=True)
class Char:
    """A character on the rendered page.

    Attributes:
        text: as Unicode; white space separates words, a line feed ends a line.
        angle: degrees, clockwise, by which it is turned.
        left: start along its own direction, in pixels; the axes are the page's, turned by angle around its corner.
        right: end along its own direction.
        top: upper end across its direction.
        bottom: lower end across its direction.
        bad: True where the font does not say which character it is.
        hidden: True where nobody can see it.
        outside: True where it lies outside of the page.
    """

    text: str
    angle: float = 0.0
    left: float = 0.0
    right: float = 0.0
    top: float = 0.0
    bottom: float = 0.0
    bad: bool = False
    hidden: bool = False
    outside: bool = False

    @property
    def height(self) -> float:
        """Across its own direction, in pixels."""
        return self.bottom - self.top

    @property
    def middle(self) -> tuple[float, float]:
        """Along and across its own direction."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def build_lines(chars: Iterable[Char]) -> list[dict[str, Any]]:
    """Lines as plain dictionaries (text, polygon, words, angle, vertical), in the order of the characters."""
    lines: list[dict[str, Any]] = []
    words: list[list[Char]] = []
    vertical = False
    space = False
    for char in chars:
        if char.text.isspace():
            space = True
            if char.text != "\n":
                continue
        if words and (char.text == "\n" or not (fit := _fit(words, char, vertical))):
            lines.append(_line(words, vertical))
            words, vertical = [], False
        if char.text == "\n":
            continue
        if words:
            vertical = fit == "vertical"
        if not words or space:
            words.append([])
        words[-1].append(char)
        space = False
    if words:
        lines.append(_line(words, vertical))
    return lines


def distrust(chars: Sequence[Char], scan: str) -> str:
    """Why this text is not what a person sees, "" where it is; scan says where it lies if an image covers the page."""
    seen = [char for char in chars if not char.text.isspace()]
    if not seen:
        return "the page has no text"
    if sum(char.bad for char in seen) > BAD_SHARE * len(seen):
        return "its fonts do not say which characters they show"
    if sum(char.hidden for char in seen) > HIDDEN_SHARE * len(seen):
        return f"its text is invisible{f' and lies {scan}' if scan else ''}: probably an earlier OCR"
    if sum(char.outside for char in seen) > OUTSIDE_SHARE * len(seen):
        return "its text lies outside of the page"
    return ""


def _fit(words: list[list[Char]], char: Char, vertical: bool) -> str:
    """How a character continues the line: "level", "vertical", or "" where it does not."""
    last = words[-1][-1]
    turn = abs((char.angle - last.angle + 180) % 360 - 180)
    height = max(char.height, last.height)
    if turn > MAX_TURN:
        return ""
    across = char.middle[1] - last.middle[1]
    gap = max(char.left - last.right, last.left - char.right, 0.0)
    if not vertical and abs(across) < MAX_SHIFT * height and gap < MAX_GAP * height:
        return "level"
    alone = len(words) == 1 and len(words[0]) == 1
    below = abs(char.middle[0] - last.middle[0]) < 0.3 * height and 0.5 * height < across < 1.8 * height
    return "vertical" if below and (vertical or alone) and _stackable(last) and _stackable(char) else ""


def _stackable(char: Char) -> bool:
    return ord(char.text[0]) >= 0x2E80


def _line(words: list[list[Char]], vertical: bool) -> dict[str, Any]:
    chars = [char for word in words for char in word]
    angle = chars[0].angle
    texts = ["".join(char.text for char in word) for word in words]
    return {
        "text": " ".join(texts),
        "polygon": _quad(chars, angle),
        "words": [[text, _quad(word, angle)] for text, word in zip(texts, words, strict=True)],
        "angle": angle % 360.0,
        "vertical": vertical,
    }


def _quad(chars: Sequence[Char], angle: float) -> Quad:
    left, right = min(char.left for char in chars), max(char.right for char in chars)
    top, bottom = min(char.top for char in chars), max(char.bottom for char in chars)
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return [[round(u * cosine - v * sine, 2), round(u * sine + v * cosine, 2)] for u, v in corners]
