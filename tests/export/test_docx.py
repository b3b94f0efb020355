"""Text documents as a word processor reads them."""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import replace

import docx
import pytest
from docx.table import Table as WordTable
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import InvalidRequest
from shizi.export.docx import render
from shizi.types import Cell, Document, Line, Page, Polygon, Table


def box(top: float, left: float = 50.0, right: float = 900.0, height: float = 20.0) -> Polygon:
    return ((left, top), (right, top), (right, top + height), (left, top + height))


def written(*pages: Page) -> list[str]:
    """Paragraphs as text, "¶" before one that begins a page, "#" before a heading; tables as their rows."""
    found = []
    for block in docx.Document(io.BytesIO(render(Document(pages)))).iter_inner_content():
        if isinstance(block, WordTable):
            found += [" | ".join(cell.text for cell in row.cells) for row in block.rows]
            continue
        style = block.style
        heading = "#" if style is not None and str(style.name).startswith("Heading") else ""
        found.append(("¶" if block.paragraph_format.page_break_before else "") + heading + block.text)
    return found


def test_passages_headings_and_pages() -> None:
    first = Page(
        1,
        1000,
        1400,
        lines=(
            Line("年度报告", 1, box(50, height=60)),
            Line("The harbour was", 1, box(200)),
            Line("busy in 2026.", 1, box(225, right=300)),
            Line("Name:", 1, box(400, right=120)),
            Line("港口", 1, box(425, right=120)),
        ),
    )
    second = Page(2, 1000, 1400, lines=(Line("Page two", 1, box(50)),))
    assert written(first, second, replace(second, number=3, lines=())) == [
        "#年度报告",
        "The harbour was busy in 2026.",
        "Name:\n港口",
        "¶Page two",
        "¶",
    ]


def test_tables_are_tables_in_their_place() -> None:
    frame = box(200, height=100)
    cells = (
        Cell("Item", frame, 0, 0),
        Cell("Sum", frame, 0, 1),
        Cell("合计", frame, 1, 0, column_span=2),
        Cell("a\nb", frame, 2, 0),
    )
    table = Table(frame, cells)
    page = Page(
        1,
        1000,
        1400,
        lines=(Line("Before", 1, box(50)), Line("Item", 1, box(210)), Line("After", 1, box(500))),
        tables=(table, replace(table, polygon=box(900))),
    )
    rows = ["Item | Sum", "合计 | 合计", "a\nb | "]
    assert written(page) == ["Before", *rows, "After", *rows]
    assert written(replace(page, lines=()), replace(page, lines=())) == [*rows, "", *rows, "¶", *rows, "", *rows]


def test_a_table_without_bounds_is_refused() -> None:
    page = Page(1, 100, 100, tables=(Table(box(0), (Cell("x", box(0), 10**9, 0),)),))
    with pytest.raises(InvalidRequest, match="1000000001 rows"):
        render(Document((page,)))


@given(st.text(st.characters(), max_size=30))
def test_any_text_makes_a_document(text: str) -> None:
    found = written(Page(1, 1000, 1400, lines=(Line(f"a{text}\x00\ufffe\ud800z", 1, box(50)),)))
    assert len(found) == 1
    assert found[0][0] + found[0][-1] == "az"


def test_paper_lies_as_the_first_page_does() -> None:
    for page, lies in (
        (Page(1, 1400, 1000), True),
        (Page(1, 1400, 1000, angle=90), False),
        (Page(1, 900, 1000), False),
    ):
        section = docx.Document(io.BytesIO(render(Document((page,))))).sections[0]
        assert section.page_width is not None
        assert section.page_height is not None
        assert (section.page_width > section.page_height) is lies


def test_the_same_document_gives_the_same_bytes_and_names_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document((Page(1, 100, 100, lines=(Line("发票", 1, box(5)),)),))
    data = render(document)
    now = time.localtime(time.time() + 90_000)
    monkeypatch.setattr(time, "localtime", lambda *_: now)
    assert render(document) == data
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert "python-docx" not in file.read("docProps/core.xml").decode()
        assert 'w:eastAsia="SimSun"' in file.read("word/styles.xml").decode()
