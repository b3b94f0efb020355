"""Correcting: a region that a person draws is read again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.e2e.page.harness import Watch, give, until
from tests.e2e.page.test_correct import editor, line, read, replace
from tests.e2e.test_serve import SAMPLES


def draw(page: Page, box: dict[str, float] | None, grow: float = 3) -> None:
    """Drags a rectangle around a place on the screen."""
    assert box is not None
    page.keyboard.press("r")
    expect(page.get_by_text("Drag a rectangle")).to_be_visible()
    page.mouse.move(box["x"] - grow, box["y"] - grow)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + grow, box["y"] + box["height"] + grow, steps=4)
    page.mouse.up()


def place_of(page: Page, text: str) -> dict[str, float]:
    """Where a line is on the screen, on the image."""
    line(page, text).click()
    chosen = page.locator("svg .selected")
    expect(chosen).to_have_count(1)
    box = chosen.bounding_box()
    assert box is not None
    x, y, wide, high = (box[name] for name in ("x", "y", "width", "height"))
    # of a line that is a little slanted: its neighbours reach into it
    if high < wide:
        return {"x": x, "y": y + 0.2 * high, "width": wide, "height": 0.6 * high}
    return {"x": x + 0.2 * wide, "y": y, "width": 0.6 * wide, "height": high}


def texts(page: Page) -> list[str]:
    return [re.sub(r"^corrected:\s+", "", text) for text in page.get_by_role("gridcell").all_inner_texts()]


def test_a_region_is_read_again_and_takes_the_place_of_what_was_there(page: Page) -> None:
    read(page)
    before = texts(page)
    box = place_of(page, "Flat white")
    page.keyboard.press("F2")
    replace(page, "something else")
    draw(page, box)
    expect(page.get_by_text("One line was read in the region.")).to_be_visible()
    expect(line(page, "Flat white")).to_be_visible()
    assert texts(page) == before


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_line_that_is_missing_is_found_again_in_its_place(page: Page, tmp_path: Path, turned: int) -> None:
    name = f"turned-{turned}.png"
    with Image.open(SAMPLES / "receipt.jpg") as image:
        image.rotate(-turned, expand=True).save(tmp_path / name)
    give(page, tmp_path / name)
    expect(page.locator("nav [data-state=done]")).to_be_attached()
    expect(page.get_by_role("gridcell").first).to_be_visible()
    before = texts(page)
    box = place_of(page, "17 Harbour Lane")
    page.keyboard.press("F2")
    replace(page, "")
    expect(line(page, "17 Harbour Lane")).to_have_count(0)
    draw(page, box)
    expect(line(page, "17 Harbour Lane")).to_be_visible()
    assert texts(page) == before
    page.keyboard.press("Control+z")
    expect(line(page, "17 Harbour Lane")).to_have_count(0)


def test_it_is_said_where_nothing_is_found(page: Page) -> None:
    read(page)
    before = texts(page)
    box = place_of(page, "17 Harbour Lane")
    draw(page, {**box, "x": box["x"] + box["width"] + 10, "width": 20.0}, grow=0)
    expect(page.get_by_text("No text was found in the region")).to_be_visible()
    assert texts(page) == before


def test_it_is_shown_that_it_is_read_and_what_went_wrong(page: Page, watch: Watch) -> None:
    watch.allow("503")
    read(page)
    box = place_of(page, "Flat white")
    page.keyboard.press("F2")
    replace(page, "my own")
    problem = '{"code": "OVERLOADED", "detail": "", "status": 503, "title": "", "retryable": true}'

    held: list[Route] = []
    page.route("**/v1/ocr*", lambda route: held.append(route))
    draw(page, box)
    expect(page.get_by_role("status").filter(has_text="Reading the region")).to_be_visible()
    until(page, lambda: bool(held))
    held[0].fulfill(status=503, body=problem)
    expect(page.get_by_text("The server is busy.")).to_be_visible()
    expect(line(page, "my own")).to_be_visible()
    expect(editor(page)).to_have_count(0)
