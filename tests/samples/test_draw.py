"""The samples are what their script draws, and the engine reads what stands on them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path

import pypdfium2
import pytest

from samples.draw import HERE, draw_all
from shizi import OCR

NAMES = ("invoice.png", "receipt.jpg", "report.pdf", "turned.png")


@pytest.fixture(scope="module")
def ocr() -> OCR:
    return OCR()


def truth(name: str) -> str:
    return (HERE / "expected" / f"{name}.txt").read_text(encoding="utf-8")


def characters(text: str) -> Counter[str]:
    return Counter(re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)))


def share_found(wanted: str, found: str) -> float:
    want, have = characters(wanted), characters(found)
    return (want & have).total() / want.total()


def test_drawing_again_gives_the_same_texts_and_pages(tmp_path: Path) -> None:
    drawn = draw_all(tmp_path)
    assert tuple(path.name for path in drawn) == NAMES
    for name in NAMES:
        assert (tmp_path / "expected" / f"{name}.txt").read_text(encoding="utf-8") == truth(name)
        assert (tmp_path / name).stat().st_size < 400_000


def test_drawing_is_deterministic(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in draw_all(tmp_path / "a")]
    assert [path.read_bytes() for path in draw_all(tmp_path / "b")] == first


@pytest.mark.parametrize("name", NAMES)
def test_the_text_of_every_sample_is_read(ocr: OCR, name: str) -> None:
    document = ocr.read(HERE / name)
    assert share_found(truth(name), document.text) > 0.97


def test_the_invoice_reads_row_by_row(ocr: OCR) -> None:
    lines = ocr.read(HERE / "invoice.png").text.splitlines()
    assert "3 石英比色皿 10 mm Quartz cuvette 60 支 128.00 7,680.00" in lines
    assert any("65,569.38" in line and "Total" in line for line in lines)


def test_the_receipt_reads_row_by_row_although_askew(ocr: OCR) -> None:
    lines = ocr.read(HERE / "receipt.jpg").text.splitlines()
    assert "1 x Almond croissant 3.25" in lines
    assert "TOTAL EUR 27.89" in lines


def test_the_report_has_a_text_layer_and_a_scan(ocr: OCR) -> None:
    first, second = ocr.read(HERE / "report.pdf").pages
    assert {line.source for line in first.lines} == {"text-layer"}
    assert {line.source for line in second.lines} == {"ocr"}
    assert first.text.splitlines()[0] == "Water quality of the lower Aster"
    columns = second.text
    assert (
        columns.index("面以下") < columns.index("主要结果") < columns.index("Equipment") < columns.index("October 2026")
    )


def test_the_turned_page_is_found_out(ocr: OCR) -> None:
    (page,) = ocr.read(HERE / "turned.png").pages
    assert page.angle == 90
    assert page.text.splitlines()[:2] == ["停电通知", "Notice of power outage"]


def test_the_first_page_of_the_report_holds_text_and_the_second_none() -> None:
    document = pypdfium2.PdfDocument(HERE / "report.pdf")
    texts = [page.get_textpage().get_text_range() for page in document]
    assert "412 samples" in texts[0]
    assert texts[1] == ""
