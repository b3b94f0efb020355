"""One row per line of text, for spreadsheets (RFC 4180), in UTF-8 with a byte-order mark, so that Excel shows Chinese.

A text that a spreadsheet would run as a formula gets an apostrophe before it; plain numbers such as -12.50 do not.
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

    An apostrophe is also put before a text that begins with apostrophes and a formula, so that taking one away where a
    guarded text stands behind it always gives the text back.
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
