"""A text document (Office Open XML, ECMA-376): passages, headings and tables to work on, a page of it for each page.

It looks like a new document, not like the scan; what shows the scan is pdf. The same document gives the same bytes.
"""

from __future__ import annotations

import functools
import io
import zipfile
from datetime import datetime
from importlib import resources
from typing import Final

import docx
from docx.document import Document as Written
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.shared import Mm
from docx.text.paragraph import Paragraph

from shizi.export.base import Original
from shizi.export.blocks import Passage, blocks
from shizi.export.grid import grid
from shizi.export.pieces import printable
from shizi.types import Document, Page, Table

FONT: Final = "Calibri"
FONT_EAST_ASIA: Final = "SimSun"
SIDES: Final = (Mm(210), Mm(297))  # A4
MARGIN: Final = Mm(20)

_EPOCH: Final = datetime(2000, 1, 1)
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)


def render(document: Document, original: Original | None = None) -> bytes:  # noqa: ARG001 (as all exporters)
    """The document.

    Raises:
        InvalidRequest: a table of more cells than `shizi.export.grid` allows.
    """
    written = docx.Document(io.BytesIO(template()))
    _dress(written, document)
    for index, page in enumerate(document.pages):
        _write_page(written, page, is_first=index == 0)
    out = io.BytesIO()
    written.save(out)
    return _still(out)


@functools.cache
def template() -> bytes:
    """The empty document of the library; whoever may open no file later asks for it before."""
    return (resources.files("docx") / "templates" / "default.docx").read_bytes()


def _dress(written: Written, document: Document) -> None:
    """Paper, fonts, and properties that say nothing about who made it."""
    section = written.sections[0]
    first = document.pages[0] if document.pages else None
    lies = first is not None and (first.width > first.height) != (first.angle in (90, 270))
    short, long = SIDES
    section.page_width, section.page_height = (long, short) if lies else (short, long)
    section.orientation = WD_ORIENT.LANDSCAPE if lies else WD_ORIENT.PORTRAIT
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = MARGIN
    style = written.styles["Normal"]
    style.font.name = FONT
    style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT_EAST_ASIA)
    properties = written.core_properties
    properties.author = properties.comments = properties.title = ""
    properties.created = properties.modified = _EPOCH


def _write_page(written: Written, page: Page, *, is_first: bool) -> None:
    breaks = not is_first
    after_table = False
    for block in blocks(page):
        if isinstance(block, Passage):
            paragraph = written.add_paragraph(style=f"Heading {block.level}" if block.level else None)
            _write_rows(paragraph, block.rows)
            paragraph.paragraph_format.page_break_before = breaks or None
        elif block.cells:
            if breaks or after_table:  # a table cannot begin a page by itself, and two of them would become one
                written.add_paragraph().paragraph_format.page_break_before = breaks or None
            _write_table(written, block)
        after_table, breaks = isinstance(block, Table), False
    if breaks:  # nothing stands on it
        written.add_paragraph().paragraph_format.page_break_before = True


def _write_rows(paragraph: Paragraph, rows: tuple[str, ...]) -> None:
    run = paragraph.add_run()
    for index, row in enumerate(rows):
        if index:
            run.add_break()
        run.add_text(" ".join(printable(row).split()))


def _write_table(written: Written, table: Table) -> None:
    held = grid(table)
    made = written.add_table(held.rows, held.columns, style="Table Grid")
    slots = made._cells  # the library makes this list anew for each cell that is asked for
    for cell in held.cells:
        first = slots[cell.row * held.columns + cell.column]
        last = slots[(cell.row + cell.row_span - 1) * held.columns + cell.column + cell.column_span - 1]
        merged = first.merge(last) if first is not last else first
        _write_rows(merged.paragraphs[0], tuple(cell.text.split("\n")))


def _still(file: io.BytesIO) -> bytes:
    """The container without the time at which it was made."""
    out = io.BytesIO()
    with zipfile.ZipFile(file) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as still:
        for name in made.namelist():
            still.writestr(zipfile.ZipInfo(name, _ZIP_TIME), made.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
