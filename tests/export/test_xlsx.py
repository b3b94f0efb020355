"""Workbooks as a spreadsheet reads them: by the parts of the file, with the standard library."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.errors import InvalidRequest
from shizi.export import xlsx
from shizi.export.xlsx import render, width_of
from shizi.types import Cell, Document, Line, Page, Table

BOX = ((10.0, 10.0), (90.0, 10.0), (90.0, 30.0), (10.0, 30.0))
NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def document(*texts: str, tables: tuple[Table, ...] = ()) -> Document:
    return Document((Page(3, 100, 100, lines=tuple(Line(text, 0.93517, BOX) for text in texts), tables=tables),))


def sheets(data: bytes) -> dict[str, dict[str, str | float]]:
    """Name of the sheet → place → value, with texts looked up where they are kept."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        shared = ET.fromstring(file.read("xl/sharedStrings.xml"))
        texts = ["".join(part.text or "" for part in item.iter(f"{{{NS['m']}}}t")) for item in shared]
        book = ET.fromstring(file.read("xl/workbook.xml"))
        found: dict[str, dict[str, str | float]] = {}
        for number, sheet in enumerate(book.iterfind("m:sheets/m:sheet", NS), start=1):
            root = ET.fromstring(file.read(f"xl/worksheets/sheet{number}.xml"))
            assert root.find(".//m:f", NS) is None, "a formula"
            assert root.find(".//m:hyperlink", NS) is None, "a link"
            found[sheet.attrib["name"]] = {
                cell.attrib["r"]: texts[int(value)] if cell.attrib.get("t") == "s" else float(value)
                for cell in root.iterfind(".//m:c", NS)
                if (value := cell.findtext("m:v", None, NS)) is not None
            }
        return found


def test_lines_have_their_page_number_and_score() -> None:
    assert sheets(render(document("发票 Invoice", "12.50"))) == {
        "Lines": {
            "A1": "page", "B1": "line", "C1": "text", "D1": "score",
            "A2": 3.0, "B2": 1.0, "C2": "发票 Invoice", "D2": 0.9352,
            "A3": 3.0, "B3": 2.0, "C3": "12.50", "D3": 0.9352,
        }
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+49 170",
        "-5",
        "@SUM(A1)",
        "00123",
        "1E5",
        "http://example.com",
        "{=A1}",
        "=HYPERLINK(1)",
        "_x0041_",
        "a\x07b",
    ],
)
def test_a_text_stays_the_text_that_it_is(text: str) -> None:
    assert sheets(render(document(text)))["Lines"]["C2"] in (text, text.replace("_x", "_x005F_x"), "a b")


@given(st.text(max_size=40), st.text(st.characters(), max_size=10))
def test_any_text_makes_a_readable_workbook(one: str, other: str) -> None:
    held = sheets(render(document(one, other + "\x00\ufffe\ud800")))
    assert held["Lines"]["A3"] == 3.0


def test_each_table_has_a_sheet_with_its_merged_cells() -> None:
    cells = (
        Cell("品名 Item", BOX, 0, 0),
        Cell("数量", BOX, 0, 1),
        Cell("=A1", BOX, 1, 0, column_span=2),
        Cell("合计\n120.00", BOX, 2, 0, row_span=2),
        Cell("over it", BOX, 3, 0, column_span=2),
    )
    data = render(document("Invoice", tables=(Table(BOX, cells),)))
    held = sheets(data)
    assert list(held) == ["Page 3 table 1", "Lines"]
    assert held["Page 3 table 1"] == {
        "A1": "品名 Item", "B1": "数量", "A2": "=A1", "A3": "合计\n120.00\nover it",
    }  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        xml = file.read("xl/worksheets/sheet1.xml").decode()
    assert re.findall(r'mergeCell ref="(.*?)"', xml) == ["A2:B2", "A3:A4"]
    assert 'state="frozen"' in xml


def test_columns_are_as_wide_as_chinese_is() -> None:
    assert width_of("发票 12") == 7
    with zipfile.ZipFile(io.BytesIO(render(document("发票" * 10)))) as file:
        wide = re.search(r'<col min="3" max="3" width="([\d.]+)"', file.read("xl/worksheets/sheet1.xml").decode())
    assert wide is not None
    assert 42 <= float(wide[1]) < 44


def test_what_excel_cannot_hold_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidRequest, match=r"line 1 of page 3 has more than 32767 characters.*csv"):
        render(document("x" * 32_768))
    assert len(render(document("x" * 32_767))) > 1000
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    assert sheets(render(document("a", "b")))["Lines"]["C3"] == "b"
    with pytest.raises(InvalidRequest, match="has 3 lines, a sheet takes 2"):
        render(document("a", "b", "c"))
    monkeypatch.setattr(xlsx, "MOST_SHEETS", 1)
    with pytest.raises(InvalidRequest, match="1 tables"):
        render(document(tables=(Table(BOX, ()),)))


def test_the_same_document_gives_the_same_bytes() -> None:
    twice = document("发票", tables=(Table(BOX, (Cell("a", BOX, 0, 0),)),))
    assert render(twice) == render(replace(twice))
