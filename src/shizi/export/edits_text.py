"""The text of a page whose lines were edited: what stood between lines stays, be it a space, a line end or an empty line."""

from __future__ import annotations

from collections.abc import Sequence

from shizi.export.paragraphs import same_row
from shizi.types import Page

# What a line was, None where it was added, and what it is now, empty where it was removed.
Piece = tuple[str | None, str]


def followed(text: str, pieces: Sequence[Piece], page: Page) -> str:
    """The text of the page after its lines were edited.

    Args:
        text: before it.
        pieces: of each line, in their order.
        page: with its new lines.
    """
    gaps = _gaps(text, [was for was, _ in pieces if was])
    return _recomposed(page) if gaps is None else _walked(gaps, pieces)


def _gaps(text: str, lines: Sequence[str]) -> list[str] | None:
    """What stands before each line, and behind the last one; None where the text is not made of these lines and white space."""
    gaps = []
    cursor = 0
    for line in lines:
        stripped = line.strip()
        start = text.find(stripped, cursor)
        if start < 0 or text[cursor:start].strip():
            return None
        gaps.append(text[cursor:start])
        cursor = start + len(stripped)
    return None if text[cursor:].strip() else [*gaps, text[cursor:]]


def _walked(gaps: Sequence[str], pieces: Sequence[Piece]) -> str:
    before = iter(gaps)
    leading = gaps[0] if len(gaps) > 1 else ""
    out: list[str] = []
    least = ""  # what has to stand before the next line, because of lines that went or came
    for was, now in pieces:
        gap = next(before) if was else "\n"
        now = now.strip()
        if not was and not now:
            continue
        least = _stronger(least, gap)
        if now:
            out.append((least if out else leading) + now)
            least = "" if was else "\n"
    return "".join(out) + (gaps[-1] if out else "")


def _stronger(one: str, other: str) -> str:
    return max(one, other, key=lambda gap: (gap.count("\n"), len(gap)))


def _recomposed(page: Page) -> str:
    """A row a line, as pages are composed: lines of one row with a space between them."""
    lines = [line for line in page.lines if line.text.strip()]
    out = ""
    for index, line in enumerate(lines):
        if index:
            out += " " if same_row(lines[index - 1], line, page) else "\n"
        out += line.text.strip()
    return out
