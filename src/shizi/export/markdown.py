"""CommonMark with the tables of GitHub: paragraphs by geometry, larger lines as headings, the text itself untouched.

Whatever a Markdown reader would take for markup is escaped, so that it shows the characters that stood on the page.
"""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Iterator, Sequence

from shizi.export.base import Original, encode
from shizi.export.paragraphs import Box, paragraphs, same_row, text_height, upright
from shizi.export.pieces import printable
from shizi.types import Document, Line, Page, Table

PAGE_BREAK = "---"
HEADING = ((2.0, "# "), (1.45, "## "))  # height against the median line of the page, and the mark
LEAST_LINES_FOR_HEADINGS = 3
MOST_LINES_OF_HEADING = 3
LEAST_COLUMN = 18.0  # heights; in narrower ones, as in forms, each line stays a line
FULL = 2.5  # heights; a line that ends this near to the edge of its column reaches it

_SPECIAL = re.compile(r"[\\`*_\[\]<#~|]|&(?=[#\w])")
_AT_START = re.compile(r"^(?:[-+=>:]|(\d{1,9})(?=[.)]))")
_NO_SPACE_BETWEEN = re.compile(
    "[\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)


def render(document: Document, original: Original | None = None) -> bytes:  # noqa: ARG001 (as all exporters)
    """Markdown in UTF-8; pages are parted by a thematic break."""
    return encode(f"\n\n{PAGE_BREAK}\n\n".join("\n\n".join(_blocks(page)) for page in document.pages).strip() + "\n")


def _blocks(page: Page) -> Iterator[str]:
    median = statistics.median(map(text_height, page.lines)) if page.lines else 0.0
    waiting = list(page.tables)
    for group in paragraphs(page):
        outside: list[Line] = []
        for line in group:
            table = next((table for table in page.tables if _is_inside(line, table, page)), None)
            if table is None:
                outside.append(line)
            elif table in waiting:
                yield from _paragraph(outside, page, median)
                outside = []
                waiting.remove(table)
                yield _table(table)
        yield from _paragraph(outside, page, median)
    yield from map(_table, waiting)


def _paragraph(lines: Sequence[Line], page: Page, median: float) -> Iterator[str]:
    lines = [line for line in lines if line.text.strip()]
    if not lines:
        return
    mark = _heading_mark(lines, page, median)
    if mark:
        yield mark + " ".join(escape(line.text) for line in lines)
        return
    flows = _flows(lines, [upright(line.polygon, page) for line in lines])
    rows = [escape(lines[0].text)]
    for before, after in itertools.pairwise(lines):
        text = escape(after.text)
        if same_row(before, after, page):
            rows[-1] += " " + text
        elif flows:
            rows[-1] += _joint(before.text, after.text) + text
        else:
            rows.append(text)
    yield "  \n".join(_escape_start(row) for row in rows)


def _heading_mark(lines: Sequence[Line], page: Page, median: float) -> str:
    if len(page.lines) < LEAST_LINES_FOR_HEADINGS or len(lines) > MOST_LINES_OF_HEADING:
        return ""
    ratio = min(map(text_height, lines)) / max(median, 1.0)
    return next((mark for least, mark in HEADING if ratio >= least), "")


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


def escape(text: str) -> str:
    """A text that shows as it is inside of a line of Markdown; white space becomes single spaces."""
    return _SPECIAL.sub(lambda match: "\\" + match.group(), " ".join(printable(text).split()))


def _escape_start(row: str) -> str:
    return _AT_START.sub(lambda match: f"{match[1]}\\" if match[1] else f"\\{match[0]}", row)


def _is_inside(line: Line, table: Table, page: Page) -> bool:
    box, frame = upright(line.polygon, page), upright(table.polygon, page)
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return frame.left <= x <= frame.right and frame.top <= y <= frame.bottom


def _table(table: Table) -> str:
    """A table of GitHub's Markdown: the first row is its head; a cell's text stands in the first slot of its span."""
    columns = max((cell.column + cell.column_span for cell in table.cells), default=1)
    rows = max((cell.row + cell.row_span for cell in table.cells), default=1)
    slots = [[""] * columns for _ in range(rows)]
    for cell in table.cells:
        slots[cell.row][cell.column] = escape(cell.text)
    lines = ["| " + " | ".join(row) + " |" for row in slots]
    return "\n".join([lines[0], "|" + " --- |" * columns, *lines[1:]])
