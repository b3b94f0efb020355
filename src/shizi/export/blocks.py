"""A page as a person would set it again: passages, headings and tables in reading order, by geometry alone."""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shizi.export.paragraphs import Box, paragraphs, same_row, text_height, upright
from shizi.types import Line, Page, Table

HEADING = ((2.0, 1), (1.45, 2))  # height against the median line of the page, and the level
LEAST_LINES_FOR_HEADINGS = 3
MOST_LINES_OF_HEADING = 3
LEAST_COLUMN = 18.0  # heights; in narrower ones, as in forms, each line stays a line
FULL = 2.5  # heights; a line that ends this near to the edge of its column reaches it

_NO_SPACE_BETWEEN = re.compile(
    "[\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines that belong together.

    Attributes:
        rows: texts, each of which stands on a line of its own; white space in them is that of the document.
        level: of a heading, 1 or 2; 0 for running text.
    """

    rows: tuple[str, ...]
    level: int = 0


def blocks(page: Page) -> Iterator[Passage | Table]:
    """The blocks of a page; lines inside of a table are left to it, and tables without lines come last."""
    median = statistics.median(map(text_height, page.lines)) if page.lines else 0.0
    waiting = list(page.tables)
    for group in paragraphs(page):
        outside: list[Line] = []
        for line in group:
            table = next((table for table in page.tables if _is_inside(line, table, page)), None)
            if table is None:
                outside.append(line)
            elif table in waiting:
                yield from _passages(outside, page, median)
                outside = []
                waiting.remove(table)
                yield table
        yield from _passages(outside, page, median)
    yield from waiting


def _passages(lines: Sequence[Line], page: Page, median: float) -> Iterator[Passage]:
    lines = [line for line in lines if line.text.strip()]
    if not lines:
        return
    level = _level(lines, page, median)
    if level:
        yield Passage((" ".join(line.text for line in lines),), level)
        return
    flows = _flows(lines, [upright(line.polygon, page) for line in lines])
    rows = [lines[0].text]
    for before, after in itertools.pairwise(lines):
        if same_row(before, after, page):
            rows[-1] += " " + after.text
        elif flows:
            rows[-1] = rows[-1].rstrip() + _joint(before.text, after.text) + after.text.lstrip()
        else:
            rows.append(after.text)
    yield Passage(tuple(rows))


def _level(lines: Sequence[Line], page: Page, median: float) -> int:
    if len(page.lines) < LEAST_LINES_FOR_HEADINGS or len(lines) > MOST_LINES_OF_HEADING:
        return 0
    ratio = min(map(text_height, lines)) / max(median, 1.0)
    return next((level for least, level in HEADING if ratio >= least), 0)


def _flows(lines: Sequence[Line], boxes: Sequence[Box]) -> bool:
    """Whether the lines are broken only because their column ends: every one but the last reaches its edge."""
    height = statistics.median(map(text_height, lines))
    if lines[0].vertical:
        ends, start = [box.bottom for box in boxes], min(box.top for box in boxes)
    else:
        ends, start = [box.right for box in boxes], min(box.left for box in boxes)
    wide = max(ends) - start >= LEAST_COLUMN * height
    return wide and min(ends[:-1], default=0.0) >= max(ends) - FULL * height


def _joint(before: str, after: str) -> str:
    last, first = before.rstrip()[-1:], after.lstrip()[:1]
    if _NO_SPACE_BETWEEN.match(last) or _NO_SPACE_BETWEEN.match(first):
        return ""
    return "" if last in "-\u2010" and first.islower() else " "


def _is_inside(line: Line, table: Table, page: Page) -> bool:
    box, frame = upright(line.polygon, page), upright(table.polygon, page)
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return frame.left <= x <= frame.right and frame.top <= y <= frame.bottom
