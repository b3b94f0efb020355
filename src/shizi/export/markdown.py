"""CommonMark with the tables of GitHub: paragraphs by geometry, larger lines as headings, the text itself untouched.

Whatever a Markdown reader would take for markup is escaped, so that it shows the characters that stood on the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shizi.export.base import Original, encode
from shizi.export.blocks import blocks
from shizi.export.pieces import printable
from shizi.types import Document, Page, Table

PAGE_BREAK = "---"

_SPECIAL = re.compile(r"[\\`*_\[\]<#~|]|&(?=[#\w])")
_AT_START = re.compile(r"^(?:[-+=>:]|(\d{1,9})(?=[.)]))")


def render(document: Document, original: Original | None = None) -> bytes:  # noqa: ARG001 (as all exporters)
    """Markdown in UTF-8; pages are parted by a thematic break."""
    return encode(f"\n\n{PAGE_BREAK}\n\n".join("\n\n".join(_blocks(page)) for page in document.pages).strip() + "\n")


def _blocks(page: Page) -> Iterator[str]:
    for block in blocks(page):
        if isinstance(block, Table):
            yield _table(block)
        elif block.level:
            yield "#" * block.level + " " + escape(block.rows[0])
        else:
            yield "  \n".join(_escape_start(escape(row)) for row in block.rows)


def escape(text: str) -> str:
    """A text that shows as it is inside of a line of Markdown; white space becomes single spaces."""
    return _SPECIAL.sub(lambda match: "\\" + match.group(), " ".join(printable(text).split()))


def _escape_start(row: str) -> str:
    return _AT_START.sub(lambda match: f"{match[1]}\\" if match[1] else f"\\{match[0]}", row)


def _table(table: Table) -> str:
    """A table of GitHub's Markdown: the first row is its head; a cell's text stands in the first slot of its span."""
    columns = max((cell.column + cell.column_span for cell in table.cells), default=1)
    rows = max((cell.row + cell.row_span for cell in table.cells), default=1)
    slots = [[""] * columns for _ in range(rows)]
    for cell in table.cells:
        slots[cell.row][cell.column] = escape(cell.text)
    lines = ["| " + " | ".join(row) + " |" for row in slots]
    return "\n".join([lines[0], "|" + " --- |" * columns, *lines[1:]])
