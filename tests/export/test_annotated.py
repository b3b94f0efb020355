"""The annotated picture shows boxes where the lines are, and the text beside them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shizi.errors import InvalidRequest
from shizi.export import annotated
from shizi.export.annotated import MARGIN, STYLES, render, style_of
from shizi.export.base import Original
from shizi.imaging.limits import Limits
from shizi.types import Document, Line, Page, Polygon

WIDTH, HEIGHT = 1000, 800
SURE, DOUBTFUL, POOR = (style.colour for style in STYLES)


def original(width: int = WIDTH, height: int = HEIGHT, pages: int = 1) -> Original:
    out = io.BytesIO()
    frames = [Image.new("RGB", (width, height), "white") for _ in range(pages)]
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:])
    return Original(out.getvalue(), None, Limits())


def box(x: float, y: float, width: float, height: float) -> Polygon:
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


def drawn(*pages: Page, source: Original | None = None) -> NDArray[np.uint8]:
    data = render(Document(pages), source or original(pages=len(pages)))
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def panels(
    picture: NDArray[np.uint8], width: int = WIDTH, height: int = HEIGHT
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The page with boxes and the page with texts, found by their white corner."""
    top = int(np.flatnonzero((picture[:, MARGIN + width - 3] == 255).all(axis=1))[0])
    right = 2 * MARGIN + width
    return picture[top : top + height, MARGIN : MARGIN + width], picture[top : top + height, right : right + width]


def share(panel: NDArray[np.uint8], colour: tuple[int, int, int], x: int, y: int, width: int, height: int) -> float:
    return float((panel[y : y + height, x : x + width] == colour).all(axis=2).mean())


def test_a_line_has_its_box_in_the_page_and_its_text_beside_it() -> None:
    left, right = panels(drawn(Page(1, WIDTH, HEIGHT, lines=(Line("发票 Invoice", 0.95, box(200, 300, 400, 60)),))))
    assert share(left, SURE, 200, 299, 400, 3) > 0.6
    assert share(left, SURE, 200, 359, 400, 3) > 0.6
    assert (left[310:350, 210:590] == 255).all()
    assert (right[310:350, 205:590] < 100).any(axis=2).mean() > 0.05
    assert (right[:290] == 255).all()


def test_score_shows_by_colour_and_by_stroke() -> None:
    lines = tuple(Line("a", score, box(100, y, 600, 60)) for score, y in ((0.95, 100), (0.8, 300), (0.3, 500)))
    left, _ = panels(drawn(Page(1, WIDTH, HEIGHT, lines=lines)))
    strokes = [share(left, style.colour, 120, y, 560, 1) for style, y in zip(STYLES, (100, 300, 500), strict=True)]
    assert strokes[0] == 1.0
    assert 0.5 < strokes[1] < 0.8
    assert 0.2 < strokes[2] < 0.6
    assert [style_of(score).colour for score in (1.0, 0.9, 0.7, 0.69, -1.0)] == [SURE, SURE, DOUBTFUL, POOR, POOR]


def test_a_turned_page_is_shown_upright() -> None:
    # Text that runs downwards on the page: its own top left is at the top right.
    line = Line("发票", 0.95, ((700, 200), (700, 600), (640, 600), (640, 200)), 90.0)
    left, right = panels(drawn(Page(1, WIDTH, HEIGHT, 90, (line,))), HEIGHT, WIDTH)
    assert share(left, SURE, 200, 299, 400, 3) > 0.6
    assert (right[305:355, 205:330] < 100).any()
    assert (right[:290] == 255).all()


def test_pages_stand_below_each_other_up_to_a_limit() -> None:
    one = drawn(Page(1, WIDTH, HEIGHT))
    two = drawn(Page(1, WIDTH, HEIGHT), Page(2, WIDTH, HEIGHT))
    assert two.shape[0] > one.shape[0] + HEIGHT
    many = tuple(Page(number, WIDTH, HEIGHT) for number in range(1, 22))
    with pytest.raises(InvalidRequest, match="21 pages, a picture shows 1 to 20"):
        render(Document(many), original())


def test_the_picture_stays_small_however_large_the_pages_are() -> None:
    picture = drawn(Page(1, 6000, 5000), source=original(6000, 5000))
    assert picture.shape[1] < 2 * annotated.LONG_SIDE + 4 * MARGIN


def test_without_a_font_there_are_boxes_and_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(1, WIDTH, HEIGHT, lines=(Line("发票", 0.95, box(200, 300, 400, 60)),))
    full = drawn(page)
    monkeypatch.setattr(annotated, "find_font", lambda: None)
    picture = drawn(page)
    assert picture.shape[1] == WIDTH + 2 * MARGIN
    legend = picture[MARGIN + HEIGHT :]
    assert legend.shape[0] > 0
    assert share(panels(picture)[0], SURE, 200, 299, 400, 3) > 0.6
    assert full.shape[1] == 2 * WIDTH + 3 * MARGIN


def test_another_file_than_the_documents_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="give the file that the document was read from"):
        render(Document((Page(1, 500, 800),)), original())
