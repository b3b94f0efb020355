"""Text that is selected on the image is the text that was read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page.harness import give, until
from tests.e2e.page.looking import (
    answered,
    blank_png,
    columns_png,
    copied,
    document_of,
    key_of,
    line_of,
    read,
    share_of_words,
    shown,
    view,
)
from tests.e2e.test_serve import SAMPLES, Serve

POEM = ("春眠不觉晓处处闻啼鸟", "夜来风雨声花落知多少", "白日依山尽黄河入海流")
LEAST = 0.98


@pytest.mark.parametrize("name", ["invoice.png", "receipt.jpg", "turned.png", "report.pdf"])
def test_all_words_of_a_page_can_be_selected(page: Page, served: Serve, name: str) -> None:
    document = served.client.post("/v1/ocr", files={"file": (SAMPLES / name).read_bytes()}).json()
    read(page, document, name)
    for each in document["pages"]:
        shown(page, len(each["lines"]))
        wanted = "\n".join(line["text"] for line in each["lines"])
        until(page, lambda wanted=wanted: share_of_words(copied(page), wanted) >= LEAST)  # type: ignore[misc]
        assert len(copied(page).split("\n")) == len(each["lines"])
        page.keyboard.press("PageDown")


def test_vertical_text_is_selected_in_its_columns(page: Page, served: Serve) -> None:
    content = columns_png(POEM)
    document = served.client.post("/v1/ocr", files={"file": content}).json()
    assert all(line["vertical"] for line in document["pages"][0]["lines"])
    answered(page, document, "poem.png", content)
    shown(page, len(POEM))
    assert copied(page).split("\n") == list(POEM)
    words = page.locator('[data-part="text"] .word')
    for index, line in enumerate(document["pages"][0]["lines"]):
        text, polygon = (
            words.nth(index).bounding_box(),
            page.locator(f'polygon[data-key="1:{index + 1}"]').bounding_box(),
        )
        assert text is not None
        assert polygon is not None
        assert text["height"] > 5 * text["width"], line["text"]
        assert abs(text["y"] - polygon["y"]) < 0.1 * polygon["height"]
        assert abs(text["x"] - polygon["x"]) < 0.5 * polygon["width"]


def test_a_drag_selects_from_word_to_word_and_a_double_click_selects_one(page: Page) -> None:
    lines = [line_of("alpha beta gamma", (100, 100), (600, 40)), line_of("delta epsilon zeta", (100, 180), (600, 40))]
    answered(page, document_of(lines, width=800, height=600), "greek.png", blank_png(800, 600))
    shown(page, 2)
    words = page.locator('[data-part="text"] .word')
    beta, epsilon = words.nth(1).bounding_box(), words.nth(4).bounding_box()
    assert beta is not None
    assert epsilon is not None
    selection = "() => getSelection().toString().trim().split(/\\s+/)"
    page.mouse.move(beta["x"] + 1, beta["y"] + beta["height"] / 2)
    page.mouse.down()
    page.mouse.move(epsilon["x"] - 2, epsilon["y"] + 4, steps=6)
    page.mouse.up()
    assert page.evaluate(selection) == ["beta", "gamma", "delta"]
    assert view(page).evaluate("view => view.scrollTop") == 0
    assert words.nth(1).evaluate("word => getComputedStyle(word).cursor") == "text"
    page.mouse.dblclick(epsilon["x"] + epsilon["width"] / 3, epsilon["y"] + epsilon["height"] / 2)
    assert page.evaluate(selection) == ["epsilon"]
    give(page, "turned.png")
    page.get_by_text("turned.png").first.click()
    assert page.evaluate("() => getSelection().isCollapsed")


def test_boxes_of_text_lie_on_the_words_of_a_slanted_page(page: Page, served: Serve) -> None:
    document = served.client.post("/v1/ocr", files={"file": (SAMPLES / "receipt.jpg").read_bytes()}).json()
    read(page, document, "receipt.jpg")
    line = key_of(document, "HARBOUR LANE")
    expect(page.locator(f'.line[data-key="{line}"] .word')).to_have_count(3)
    slant = page.locator(f'.line[data-key="{line}"] .word').first.evaluate(
        "word => { const m = new DOMMatrix(getComputedStyle(word).transform); return Math.atan2(m.b, m.a) * 180 / Math.PI }"
    )
    number = int(line.split(":")[1])
    assert abs(slant - document["pages"][0]["lines"][number - 1]["angle"]) < 1.5
