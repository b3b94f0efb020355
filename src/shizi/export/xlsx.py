"""A workbook (Office Open XML, ECMA-376): a sheet for each table, and one with all lines.

Every text is written as a text: a spreadsheet runs none of them, guesses no dates, and makes no links. The same document gives the
same bytes.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from shizi.errors import InvalidRequest
from shizi.export.base import Original
from shizi.export.grid import grid
from shizi.export.pieces import printable
from shizi.types import Document, Line, Page, Table

MOST_ROWS: Final = 1_048_576  # of a sheet, as all of Excel's limits here
LONGEST_TEXT: Final = 32_767  # characters of a cell
MOST_SHEETS: Final = 2_000  # more than that nobody opens
COLUMNS: Final = ("page", "line", "text", "score")
WIDEST: Final = 80.0  # characters of a column; longer texts are wrapped
NARROWEST: Final = 6.0

_EPOCH: Final = datetime(2000, 1, 1)
_OPTIONS: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


def render(document: Document, original: Original | None = None) -> bytes:  # noqa: ARG001 (as all exporters)
    """The workbook; the sheets of tables come first.

    Raises:
        InvalidRequest: more rows, sheets or characters in a cell than Excel takes.
    """
    tables = [(page, number, table) for page in document.pages for number, table in enumerate(page.tables, start=1)]
    lines = sum(len(page.lines) for page in document.pages)
    if len(tables) >= MOST_SHEETS:
        raise InvalidRequest(f"the document has {len(tables)} tables, a workbook takes {MOST_SHEETS - 1}: choose pages")
    if lines >= MOST_ROWS:
        raise InvalidRequest(f"the document has {lines} lines, a sheet takes {MOST_ROWS - 1}: choose pages, or use csv")
    out = io.BytesIO()
    book = Workbook(out, _OPTIONS)
    book.set_properties({"created": _EPOCH})
    head = book.add_format({"bold": True, "bottom": 1, "valign": "top"})
    body = book.add_format({"text_wrap": True, "valign": "top"})
    for page, number, table in tables:
        _write_table(book.add_worksheet(f"Page {page.number} table {number}"), table, body)
    _write_lines(book.add_worksheet("Lines"), document, head, body)
    book.close()
    return out.getvalue()


def _write_lines(sheet: Worksheet, document: Document, head: Format, body: Format) -> None:
    for column, name in enumerate(COLUMNS):
        sheet.write_string(0, column, name, head)
    widest = NARROWEST
    for row, (page, number, line) in enumerate(_lines(document), start=1):
        text = _held(printable(line.text), f"line {number} of page {page.number}")
        sheet.write_number(row, 0, page.number, body)
        sheet.write_number(row, 1, number, body)
        sheet.write_string(row, 2, text, body)
        sheet.write_number(row, 3, round(float(line.score), 4), body)
        widest = max(widest, width_of(text))
    sheet.set_column(0, 1, NARROWEST)
    sheet.set_column(2, 2, min(widest, WIDEST) + 2)
    sheet.set_column(3, 3, NARROWEST + 2)
    sheet.freeze_panes(1, 0)


def _lines(document: Document) -> Iterator[tuple[Page, int, Line]]:
    return ((page, number, line) for page in document.pages for number, line in enumerate(page.lines, start=1))


def _write_table(sheet: Worksheet, table: Table, body: Format) -> None:
    held = grid(table)
    widths = [NARROWEST] * held.columns
    for cell in held.cells:
        text = _held(cell.text, f"the cell in row {cell.row + 1}, column {cell.column + 1} of a table")
        if cell.row_span > 1 or cell.column_span > 1:
            last = (cell.row + cell.row_span - 1, cell.column + cell.column_span - 1)
            # The range is made first and its text written over it: what merges also guesses what a text may mean.
            sheet.merge_range(cell.row, cell.column, *last, "", body)
        sheet.write_string(cell.row, cell.column, text, body)
        if cell.column_span == 1:
            longest = max(map(width_of, text.split("\n")))
            widths[cell.column] = max(widths[cell.column], longest)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(width, WIDEST) + 2)
    if held.rows > 1 and all(cell.row_span == 1 for cell in held.cells if cell.row == 0):
        sheet.freeze_panes(1, 0)


def _held(text: str, where: str) -> str:
    if len(text.encode("utf-16-le")) > 2 * LONGEST_TEXT:
        raise InvalidRequest(
            f"{where} has more than {LONGEST_TEXT} characters, which no cell of a sheet holds: use csv"
        )
    return text


def width_of(text: str) -> float:
    """Widths of a digit that a text takes: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
