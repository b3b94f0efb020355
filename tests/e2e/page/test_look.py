"""The image: boxes, marks on both sides, zoom, panning, drawing a region, keys."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.harness import axe, give, until
from tests.e2e.page.looking import Json, answered, blank_png, box, document_of, key_of, line_of, read, shown, view
from tests.e2e.test_serve import SAMPLES, Serve

HOVERED = re.compile(r"\bhovered\b")
SELECTED = re.compile(r"\bselected\b")


@pytest.fixture(scope="module")
def invoice(served: Serve) -> Json:
    answer = served.client.post("/v1/ocr", files={"file": (SAMPLES / "invoice.png").read_bytes()})
    document: dict[str, Any] = answer.json()
    return document


def opened(page: Page, document: Json) -> None:
    """Shows the invoice with what was read from it before: most tests here need no other reading."""
    answered(page, document, "invoice.png", (SAMPLES / "invoice.png").read_bytes())
    shown(page, len(document["pages"][0]["lines"]))


def zoom(page: Page) -> int:
    return int(page.get_by_role("button", name="Actual size").inner_text().split()[0])


def scrolled(page: Page) -> tuple[float, float]:
    x, y = view(page).evaluate("view => [view.scrollLeft, view.scrollTop]")
    return x, y


def middle(place: Locator) -> tuple[float, float]:
    found = place.bounding_box()
    assert found is not None
    return found["x"] + found["width"] / 2, found["y"] + found["height"] / 2


def test_hovering_or_selecting_on_either_side_marks_the_other(page: Page, invoice: Json) -> None:
    opened(page, invoice)
    key = key_of(invoice, "Qingshan Instruments")
    row = page.get_by_role("region", name="Text", exact=True).locator(f'[data-key="{key}"]')
    page.mouse.move(*middle(box(page, key)))
    expect(row).to_have_attribute("data-hovered", "")
    expect(box(page, key)).to_have_class(HOVERED)
    page.mouse.move(2, 2)
    expect(box(page, key)).not_to_have_class(HOVERED)
    row.hover()
    expect(box(page, key)).to_have_class(HOVERED)
    page.mouse.click(*middle(box(page, key)))
    expect(row).to_have_attribute("data-selected", "")
    expect(box(page, key)).to_have_class(SELECTED)
    expect(view(page)).to_have_css("outline-style", "none")
    other = key_of(invoice, "Thermostatic")
    page.get_by_role("region", name="Text", exact=True).locator(f'[data-key="{other}"]').click()
    expect(box(page, other)).to_have_class(SELECTED)
    expect(box(page, key)).not_to_have_class(SELECTED)


def test_a_line_that_is_selected_in_the_text_scrolls_into_view(page: Page, invoice: Json) -> None:
    opened(page, invoice)
    page.keyboard.press("1")
    key = f"1:{len(invoice['pages'][0]['lines'])}"
    expect(box(page, key)).not_to_be_in_viewport()
    row = page.get_by_role("region", name="Text", exact=True).locator(f'[data-key="{key}"]')
    row.scroll_into_view_if_needed()
    row.click()
    expect(box(page, key)).to_be_in_viewport(ratio=0.9)


def test_confidence_is_told_by_colour_and_by_pattern(page: Page) -> None:
    scores = {"sure": 0.99, "unsure": 0.85, "doubtful": 0.4}
    lines = [line_of(word, (100, 100 + 80 * k), (300, 40), score) for k, (word, score) in enumerate(scores.items())]
    answered(page, document_of(lines, width=600, height=400), "scores.png", blank_png(600, 400))
    shown(page, 3)
    looks = [
        box(page, f"1:{number}").evaluate(
            "box => [getComputedStyle(box).stroke, getComputedStyle(box).strokeDasharray]"
        )
        for number in (1, 2, 3)
    ]
    assert len({colour for colour, _ in looks}) == 3
    assert len({pattern for _, pattern in looks}) == 3
    assert looks[0][1] == "none"
    for number, band in enumerate(scores, 1):
        expect(box(page, f"1:{number}")).to_have_class(re.compile(band))
        expect(page.get_by_text(f"1 {band}", exact=True)).to_be_visible()


def test_one_key_hides_the_boxes_and_shows_them_again(page: Page, invoice: Json) -> None:
    opened(page, invoice)
    key = key_of(invoice, "Remarks")
    stroke = "box => getComputedStyle(box).stroke"
    assert box(page, key).evaluate(stroke) != "none"
    page.keyboard.press("b")
    expect(page.get_by_role("button", name="Show boxes")).to_have_attribute("aria-pressed", "false")
    assert box(page, key).evaluate(stroke) == "none"
    page.keyboard.press("b")
    assert box(page, key).evaluate(stroke) != "none"


def test_zoom_by_keys_buttons_and_wheel_keeps_what_is_under_the_mouse(page: Page, invoice: Json) -> None:
    opened(page, invoice)
    fitted = zoom(page)
    page.keyboard.press("+")
    assert zoom(page) > fitted
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert zoom(page) < fitted
    page.keyboard.press("1")
    assert zoom(page) == 100
    page.keyboard.press("0")
    expect(page.get_by_role("button", name="Fit page")).to_have_attribute("aria-pressed", "true")
    assert view(page).evaluate("view => view.scrollHeight <= view.clientHeight")
    page.get_by_role("button", name="Fit width").click()
    assert zoom(page) == fitted
    target = box(page, key_of(invoice, "Portable spectrometer"))
    x, y = middle(target)
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    for _ in range(4):
        page.mouse.wheel(0, -60)
    page.keyboard.up("Control")
    until(page, lambda: zoom(page) > 2 * fitted)
    after = middle(target)
    assert abs(after[0] - x) < 4
    assert abs(after[1] - y) < 4


def test_panning_by_wheel_keys_hand_and_middle_button(page: Page, invoice: Json) -> None:
    opened(page, invoice)
    page.keyboard.press("1")
    x, y = middle(view(page))
    page.mouse.move(x, y)
    start = scrolled(page)
    page.mouse.wheel(0, 120)
    until(page, lambda: scrolled(page)[1] >= start[1] + 100)
    view(page).focus()
    before = scrolled(page)
    page.keyboard.press("ArrowRight")
    assert scrolled(page)[0] > before[0]
    for button, held in (("middle", None), ("left", "h"), ("left", " ")):
        if held:
            page.keyboard.down(held)
        before = scrolled(page)
        page.mouse.move(x, y)
        page.mouse.down(button="middle" if button == "middle" else "left")
        page.mouse.move(x - 50, y - 70, steps=4)
        page.mouse.up(button="middle" if button == "middle" else "left")
        moved = scrolled(page)
        assert (round(moved[0] - before[0]), round(moved[1] - before[1])) == (50, 70), (button, held)
        assert page.evaluate("() => getSelection().isCollapsed")
        if held:
            page.keyboard.up(held)
        if held == "h":
            page.keyboard.press("h")
        page.mouse.move(x, y)
        view(page).evaluate("(view, [x, y]) => view.scrollTo(x, y)", list(before))


def test_a_page_that_lies_on_its_side_is_shown_upright(page: Page, served: Serve) -> None:
    document = served.client.post("/v1/ocr", files={"file": (SAMPLES / "turned.png").read_bytes()}).json()
    assert document["pages"][0]["angle"] == 90
    read(page, document, "turned.png")
    upright = box(page, key_of(document, "Notice of power outage"))
    until(page, lambda: (upright.bounding_box() or {"width": 0, "height": 1})["width"] > 100)
    found = upright.bounding_box()
    assert found is not None
    assert found["width"] > 4 * found["height"]
    page.keyboard.press("t")
    until(
        page,
        lambda: (upright.bounding_box() or {"height": 0})["height"] > 4 * (upright.bounding_box() or found)["width"],
    )


def test_a_drawn_region_is_read_again(page: Page, invoice: Json) -> None:
    opened(page, invoice)
    page.unroute("**/v1/ocr")
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "/v1/ocr" in request.url else None)
    found = box(page, key_of(invoice, "Qingshan Instruments")).bounding_box()
    assert found is not None
    page.keyboard.press("r")
    region = page.locator('[data-part="region"]')
    page.mouse.move(found["x"] - 6, found["y"] - 6)
    page.mouse.down()
    page.mouse.move(found["x"] + found["width"] + 6, found["y"] + found["height"] + 6, steps=4)
    page.mouse.up()
    expect(region).to_have_count(0)
    until(page, lambda: len(asked) > 0)
    page.keyboard.press("r")
    expect(region).to_be_visible()
    page.keyboard.press("Escape")
    expect(region).to_have_count(0)


def test_a_region_is_drawn_with_keys_alone(page: Page, invoice: Json) -> None:
    opened(page, invoice)
    page.unroute("**/v1/ocr")
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "/v1/ocr" in request.url else None)
    page.keyboard.press("r")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    for _ in range(5):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    until(page, lambda: len(asked) > 0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_view(open_page: OpenPage, invoice: Json, theme: str) -> None:
    page = open_page(theme="dark" if theme == "dark" else "light")
    opened(page, invoice)
    page.unroute("**/v1/ocr")
    give(page, "report.pdf")
    page.get_by_text("report.pdf").first.click()
    expect(page.get_by_role("option")).to_have_count(2)
    assert axe(page) == []
