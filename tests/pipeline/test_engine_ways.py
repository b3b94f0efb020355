"""Which way a page lies where there is little to go by: a single glyph, a stamp, a text layer, places alone."""

from __future__ import annotations

import pytest

from shizi import OCR
from tests.imaging.conftest import Sheet, write_pdf
from tests.pipeline.drawn import Piece, column, page, turned

LINES = ["Delivery of the goods within ten days", "请在三日内付款并保留收据", "Total amount due in March 1,234"]
CONTENT = "BT /F1 20 Tf 30 150 Td (First of all) Tj 0 -50 Td (the second line) Tj 0 -50 Td (ends the page) Tj ET"


@pytest.mark.parametrize("glyph", ["8", "7", "3"])
def test_a_page_with_a_single_digit_is_upright(ocr: OCR, glyph: str) -> None:
    (found,) = ocr.read(page(300, 200, [Piece(120, 70, glyph, 60, "en")])).pages
    assert (found.text, found.angle) == (glyph, 0)
    angle = found.lines[0].angle
    assert min(angle, 360 - angle) < 10  # the smallest box of a round glyph may lean a little


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_where_only_places_are_asked_for_the_classifier_says_which_way_a_page_lies(ocr: OCR, angle: int) -> None:
    image = turned(page(900, 300, column(60, 60, LINES, 36, 80)), angle)
    (found,) = ocr.read(image, recognize=False).pages
    assert (found.angle, found.text, len(found.lines)) == (angle, "", 3)
    assert {round(line.angle / 90) % 4 for line in found.lines} == {angle // 90}


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_turned_text_layer_is_read_in_order(ocr: OCR, rotate: int) -> None:
    (found,) = ocr.read(write_pdf([Sheet(CONTENT, rotate=rotate)])).pages
    assert found.text == "First of all\nthe second line\nends the page"
    assert found.angle == rotate
    assert {line.source for line in found.lines} == {"text-layer"}
    assert (found.width > found.height) == (rotate % 180 == 0)


@pytest.mark.parametrize("side", [60, 1010])
@pytest.mark.parametrize("turn", [90, 270])
def test_a_stamp_in_the_margin_comes_last(ocr: OCR, side: int, turn: int) -> None:
    image = page(1100, 420, column(160, 60, LINES, 36, 100))
    stamp = turned(page(300, 50, [Piece(10, 5, "RECEIVED 2026", 30, "en")]), turn)
    image.paste(stamp, (side, 60))
    (found,) = ocr.read(image).pages
    assert found.text.split("\n") == [*LINES, "RECEIVED 2026"]
    assert found.angle == 0
    assert round(found.lines[-1].angle) % 360 == pytest.approx(turn, abs=2)


@pytest.mark.parametrize("text", ["Confidential draft", "FORM 1040 A", "Received with thanks"])
def test_a_sideways_note_is_not_read_on_its_head(ocr: OCR, text: str) -> None:
    """Upside down, a few letters of these read surely."""
    image = page(1100, 460, column(160, 60, LINES, 36, 100))
    image.paste(turned(page(400, 50, [Piece(10, 5, text, 30, "en")]), 270), (1010, 30))
    (found,) = ocr.read(image).pages
    assert found.text.split("\n") == [*LINES, text]
