"""From drafts to pages: polygons, words, order and text."""

from __future__ import annotations

import numpy as np
import pytest

from shizi.geometry import as_polygons, turn_corners, turn_page
from shizi.imaging.pages import LayerLine, PageImage, TextLayer
from shizi.pipeline.compose import compose
from shizi.pipeline.draft import Draft
from shizi.pipeline.options import ReadOptions
from shizi.types import Page, Word
from tests.pipeline.readings import reading

LINE = np.array([[10, 20], [210, 20], [210, 40], [10, 40]], dtype=np.float32)
PIXELS = np.zeros((300, 400, 3), dtype=np.uint8)
IMAGE = PageImage(3, PIXELS, 400, 300, None, ("a poor scan",))


def draft(*texts: str, score: float = 0.9) -> Draft:
    quads = np.stack([LINE + np.array([0, 40 * k]) for k in range(len(texts))]).astype(np.float32)
    made = Draft(PIXELS, quads, np.full(len(texts), 0.7, dtype=np.float32))
    made.readings.update({(k, 0): reading(text, score) for k, text in enumerate(texts)})
    return made


def composed(image: PageImage, made: Draft | None) -> Page:
    return compose(image, made, ReadOptions())


def test_a_page_carries_what_was_read_in_reading_order() -> None:
    made = draft("Dear Sir,", " thank you ", "Yours")
    made.quads[[0, 2]] = made.quads[[2, 0]]
    page = composed(IMAGE, made)
    assert (page.number, page.width, page.height, page.angle) == (3, 400, 300, 0)
    assert page.warnings == ("a poor scan",)
    assert page.text == "Yours\nthank you\nDear Sir,"
    assert [line.text for line in page.lines] == page.text.split("\n")
    assert page.lines[0].polygon == ((10, 20), (210, 20), (210, 40), (10, 40))
    assert {line.source for line in page.lines} == {"ocr"}
    assert page.lines[0].score == pytest.approx(0.9)


def test_noise_is_left_out() -> None:
    made = draft("sure", "unsure", "", "   ")
    made.readings[1, 0] = reading("unsure", 0.3)
    assert [line.text for line in composed(IMAGE, made).lines] == ["sure"]


def test_detection_alone_gives_places_and_its_own_score() -> None:
    page = compose(IMAGE, draft("a", "b"), ReadOptions(recognize=False))
    assert page.text == ""
    assert [(line.text, round(line.score, 2), line.words) for line in page.lines] == [("", 0.7, ())] * 2
    assert page.lines[0].polygon == ((10, 20), (210, 20), (210, 40), (10, 40))


@pytest.mark.parametrize(("quarters", "first"), [(0, (10, 20)), (1, (210, 20)), (2, (210, 40)), (3, (10, 40))])
def test_polygons_start_at_the_texts_own_top_left(quarters: int, first: tuple[float, float]) -> None:
    made = draft("text")
    made.turns[:] = made.quarters = quarters
    made.readings[0, quarters] = reading("text")
    page = composed(IMAGE, made)
    assert page.angle == page.lines[0].angle == 90 * quarters
    assert page.lines[0].polygon[0] == page.lines[0].words[0].polygon[0] == first


def layer_line(text: str, top: float) -> LayerLine:
    polygon = ((10.0, top), (210.0, top), (210.0, top + 20), (10.0, top + 20))
    return LayerLine(text, polygon, (Word(text, 1.0, polygon),), 0.0, False)


def layered(sound: bool) -> PageImage:
    layer = TextLayer((layer_line("above", 0), layer_line("below", 100)), sound, "" if sound else "odd", True, ())
    return PageImage(1, PIXELS, 400, 300, layer)


def test_a_sound_text_layer_is_taken_among_the_lines_that_were_read() -> None:
    page = composed(layered(True), draft("read"))
    expected = [("above", "text-layer"), ("read", "ocr"), ("below", "text-layer")]
    assert [(line.text, line.source) for line in page.lines] == expected
    assert page.warnings == ()


def test_a_text_layer_that_is_not_sound_is_left_out_and_that_is_said() -> None:
    page = composed(layered(False), draft("read"))
    assert [(line.text, line.source) for line in page.lines] == [("read", "ocr")]
    assert page.warnings == ("the text layer was not used: odd",)


def test_where_only_the_text_layer_is_wanted_it_is_given_with_a_warning() -> None:
    page = compose(layered(False), None, ReadOptions(text_layer="only"))
    assert page.text == "above\nbelow"
    assert page.warnings == ("the text layer may be wrong: odd",)
    bare = compose(IMAGE, None, ReadOptions(text_layer="only"))
    assert "the page has no text layer" in bare.warnings[-1]


def test_marks_that_are_no_text_do_not_turn_the_page() -> None:
    made = draft("", "")
    made.quarters = 1
    assert composed(IMAGE, made).angle == 0
    page = composed(layered(True), made)
    assert (page.angle, page.text) == (0, "above\nbelow")


def test_a_page_of_which_nothing_was_read() -> None:
    page = composed(IMAGE, None)
    assert (page.lines, page.text, page.angle) == ((), "", 0)


def turned_layer(quarters: int, *lines: tuple[str, int]) -> PageImage:
    """A page of 400 x 300 with a text layer, all of it turned clockwise; a line is its text and its own further turn."""
    made = []
    for row, (text, own) in enumerate(lines):
        high, wide = (200, 14) if own % 2 else (14, 200)
        quad = np.array([[(10, 40 * row), (10 + wide, 40 * row), (10 + wide, 40 * row + high), (10, 40 * row + high)]])
        quad = turn_page(turn_corners(quad.astype(np.float32), own), quarters, 400, 300)
        polygon = as_polygons(quad)[0]
        made.append(LayerLine(text, polygon, (Word(text, 1.0, polygon),), 90.0 * ((quarters + own) % 4), False))
    width, height = (400, 300) if quarters % 2 == 0 else (300, 400)
    layer = TextLayer(tuple(made), True, "", False, ())
    return PageImage(1, None, width, height, layer)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_turned_text_layer_turns_the_page(quarters: int) -> None:
    page = composed(turned_layer(quarters, ("first line", 0), ("second", 0), ("third of all", 0)), None)
    assert (page.text, page.angle) == ("first line\nsecond\nthird of all", 90 * quarters)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("own", [1, 3])
def test_a_stamp_in_the_margin_comes_last(quarters: int, own: int) -> None:
    page = composed(turned_layer(quarters, ("first line", 0), ("stamp", own), ("third of all", 0)), None)
    assert (page.text, page.angle) == ("first line\nthird of all\nstamp", 90 * quarters)


def test_a_text_layer_that_says_more_than_the_pixels_tells_how_the_page_lies() -> None:
    made = draft("8")
    made.turns[:] = made.quarters = 1
    made.readings[0, 1] = reading("8")
    assert composed(layered(True), made).angle == 0
    assert composed(IMAGE, made).angle == 90
