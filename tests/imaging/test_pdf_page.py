"""Text layers that are too large: left to OCR, or made smaller, but never larger than the pipe takes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pypdfium2
import pytest

from shizi.imaging import pdf_page
from shizi.imaging.decode import TextLayer, open_pages
from shizi.imaging.frames import MAX_HEADER, encoded
from shizi.imaging.pdf_content import scan_page
from shizi.imaging.pdf_page import MAX_CHARS, MAX_LAYER
from shizi.imaging.pdf_text import Char, build_lines

MakePdf = Callable[..., bytes]


def layer_of(data: bytes) -> TextLayer:
    (page,) = open_pages(data, text_layer="only")
    assert page.text_layer is not None
    return page.text_layer


def dense(count: int) -> str:
    """So many characters in rows of 300."""
    rows = (f"0 -1.5 Td ({'a' * min(300, count - start)}) Tj" for start in range(0, count, 300))
    return f"BT /F1 1 Tf 10 195 Td {' '.join(rows)} ET"


def test_a_page_of_too_many_characters_is_left_to_ocr(make_pdf: MakePdf) -> None:
    full = layer_of(make_pdf({"content": dense(29_700)}))  # pdfium counts its line breaks, too
    assert full.sound
    assert sum(len(line.text) for line in full.lines) == 29_700
    over = layer_of(make_pdf({"content": dense(30_001)}))
    assert (over.sound, over.lines) == (False, ())
    assert re.fullmatch(r"it has 30\d\d\d characters, more than 30000", over.reason)


def test_as_many_lines_as_characters_fit_through_the_pipe() -> None:
    chars = [Char("\U00020000", 30.0, 20000.11 + 40 * i, 20010.11 + 40 * i, 1.11, 11.11) for i in range(MAX_CHARS)]
    lines = build_lines(chars)
    assert len(lines) == MAX_CHARS
    assert len(encoded(lines)) < MAX_LAYER < MAX_HEADER


def test_a_layer_that_does_not_fit_through_the_pipe_is_left_out(
    make_pdf: MakePdf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_page, "MAX_LAYER", 1000)
    document = pypdfium2.PdfDocument(make_pdf({"content": "BT /F1 9 Tf 9 190 Td " + "0 -20 Td (word) Tj " * 9 + "ET"}))
    page = document[0]
    layer = pdf_page.text_layer(page.raw, scan_page(page.raw), (1, 0, 0, -1, 0, 200), (300, 200))
    document.close()
    assert (layer["sound"], layer["lines"], layer["reason"]) == (
        False,
        [],
        "its text and places take more than 1000 bytes",
    )


def test_many_images_are_told_as_one_box(make_pdf: MakePdf) -> None:
    content = " ".join(f"q 5 0 0 5 {10 + 7 * (i % 40)} {10 + 7 * (i // 40)} cm /Im Do Q" for i in range(1001))
    image = (4, 4, bytes(16))
    (box,) = layer_of(make_pdf({"content": content, "image": image})).image_boxes
    scale = 200 / 72
    assert box[0] == pytest.approx((10 * scale, (200 - 190) * scale), abs=1)
    assert box[2] == pytest.approx((288 * scale, (200 - 10) * scale), abs=1)
