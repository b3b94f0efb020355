"""One row per line of text, for spreadsheets (RFC 4180), in UTF-8 with a byte-order mark, so that Excel shows Chinese.

A text that a spreadsheet would run as a formula gets an apostrophe before it; plain numbers such as -12.50 do not. So does what would
be one in a cell of its own, for spreadsheets that part cells at semicolons and tabs, as they do in many countries.
"""

from __future__ import annotations

import csv
import io
import re

from shizi.export.base import Original, encode
from shizi.types import Document

COLUMNS = ("page", "line", "text", "score", "angle", "source", "x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4")

_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*%?")
_SEPARATOR = re.compile(r"[;\t\r\n]")
_INSIDE = re.compile(
    r"(?<![\s\"';])([\s\"';]+)(?=[=+\-@＝＋－＠])(?!" + _NUMBER.pattern + r"(?:[;\t\r\n]|\Z))"
)  # what separates, and a formula behind it


def render(document: Document, original: Original | None = None) -> bytes:  # noqa: ARG001 (as all exporters)
    """Rows with a header; `line` counts from 1 on each page, x1 to y4 are the corners as in `Line.polygon`."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for page in document.pages:
        for index, line in enumerate(page.lines, start=1):
            corners = (f"{value:.2f}" for point in line.polygon for value in point)
            text = guarded(line.text)
            writer.writerow((page.number, index, text, f"{line.score:.4f}", f"{line.angle:.2f}", line.source, *corners))
    return b"\xef\xbb\xbf" + encode(out.getvalue())


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet runs.

    An apostrophe is also put where apostrophes and a formula stand already, so that taking one away from each such place always
    gives the text back.
    """
    first = "'" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else ""
    return first + _INSIDE.sub(_guarded_inside, text)


def _guarded_inside(match: re.Match[str]) -> str:
    return f"{match[1]}'" if _SEPARATOR.search(match[1]) else match[1]
