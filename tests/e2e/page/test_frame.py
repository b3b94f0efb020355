"""The frame: columns, panes or tabs; splitters, themes, languages, keys; nothing is cut off on small screens."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.harness import Language, give
from tests.e2e.test_serve import SAMPLES

LONG = "Kostenvoranschlag_" + "sehr_lang_und_ohne_Leerzeichen_" * 6 + ".png"


def sideways(page: Page) -> int:
    """CSS pixels by which the page is wider than the window."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - innerWidth"))


def width(place: Locator) -> float:
    box = place.bounding_box()
    assert box is not None
    return box["width"]


def with_document(page: Page, name: str = "receipt.jpg") -> Page:
    give(page, name)
    expect(page).to_have_title(f"{name} – shizi")
    return page


def test_three_columns_whose_widths_are_kept(page: Page) -> None:
    with_document(page)
    texts = page.get_by_role("region", name="Text", exact=True)
    splitter = page.get_by_role("separator", name="Width of the text")
    before = width(texts)
    box = splitter.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, 400)
    page.mouse.down()
    page.mouse.move(box["x"] - 120, 420, steps=5)
    page.mouse.up()
    dragged = width(texts)
    assert 100 < dragged - before < 140
    page.reload()
    assert abs(width(with_document(page).get_by_role("region", name="Text", exact=True)) - dragged) < 8


def test_splitters_work_with_keys_alone(page: Page) -> None:
    with_document(page)
    column = page.locator("#list")
    splitter = page.get_by_role("separator", name="Width of the list")
    splitter.focus()
    before = width(column)
    page.keyboard.press("ArrowRight")
    assert width(column) == before + 12
    page.keyboard.press("Home")
    expect(splitter).to_have_attribute("aria-valuenow", "180")
    assert width(column) == 180
    page.keyboard.press("Enter")
    assert width(column) == 240
    splitter.dblclick()
    assert width(column) == 340


def test_the_list_folds_away_by_a_key(page: Page) -> None:
    with_document(page)
    page.keyboard.press("l")
    expect(page.locator("#list")).not_to_be_visible()
    expect(page.get_by_role("button", name="Add documents")).to_be_visible()
    page.keyboard.press("l")
    expect(page.locator("#list")).to_be_visible()


def test_two_panes_and_a_drawer_in_between(open_page: OpenPage) -> None:
    page = with_document(open_page(width=900))
    for name in ("Image", "Text"):
        expect(page.get_by_role("region", name=name, exact=True)).to_be_visible()
    documents = page.locator("#list")
    expect(documents).not_to_be_visible()
    page.get_by_role("button", name="Show or hide the list of documents").click()
    expect(documents).to_be_visible()
    page.keyboard.press("Escape")
    expect(documents).not_to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("wide", "high"), [(320, 640), (640, 400)], ids=["320 px", "200 % of 1280 x 800"])
def test_nothing_is_cut_off_on_small_screens(open_page: OpenPage, language: Language, wide: int, high: int) -> None:
    page = open_page(language, width=wide, height=high)
    assert sideways(page) <= 0
    file: Any = {"name": LONG, "mimeType": "image/png", "buffer": (SAMPLES / "receipt.jpg").read_bytes()}
    page.locator("input[type=file]").first.set_input_files([file])
    expect(page).to_have_title(f"{LONG} – shizi")
    tabs = page.get_by_role("group", name=re.compile("pane|窗格")).get_by_role("button")
    expect(tabs).to_have_count(3)
    for index, shown in ((0, "#list"), (1, ".pane.image"), (2, ".pane.text")):
        tabs.nth(index).click()
        expect(tabs.nth(index)).to_have_attribute("aria-pressed", "true")
        expect(page.locator(shown)).to_be_visible()
        assert sideways(page) <= 0
        assert beyond(page, page.locator(shown), wide) == []


@pytest.mark.parametrize("wide", [320, 390])
def test_menus_and_dialogs_fit_small_screens(open_page: OpenPage, wide: int) -> None:
    page = with_document(open_page(width=wide, height=640))
    for opener, opened in (("Export", "dialog"), ("Settings", "group"), ("Keys", "dialog")):
        page.get_by_role("banner").get_by_role("button", name=opener).click()
        menu = page.get_by_role(opened, name=opener)  # type: ignore[arg-type]
        expect(menu).to_be_visible()
        box = menu.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= wide
        assert box["y"] + box["height"] <= 640
        page.keyboard.press("Escape")
        expect(menu).not_to_be_visible()


def beyond(page: Page, pane: Locator, wide: int) -> list[str]:
    """Buttons and fields of a pane that reach out of the window, and are in nothing that scrolls to them."""
    handle = pane.element_handle()
    found = page.evaluate(
        """([pane, wide]) => [...pane.querySelectorAll('button, input, a, select, summary')].filter((each) => {
            const box = each.getBoundingClientRect()
            if (!box.width || getComputedStyle(each).visibility !== 'visible') return false
            for (let up = each.parentElement; up; up = up.parentElement)
                if (/auto|scroll/.test(getComputedStyle(up).overflowX) && up.scrollWidth > up.clientWidth) return false
            return box.right > wide + 1 || box.left < -1
        }).map((each) => each.outerHTML.slice(0, 120))""",
        [handle, wide],
    )
    return [str(each) for each in found]


def test_the_theme_follows_the_system_until_one_is_chosen(open_page: OpenPage) -> None:
    page = open_page(theme="dark")
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("radio", name="Dark").check()
    expect(root).to_have_attribute("data-theme", "dark")
    background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == background


def test_the_language_is_changed_in_place_and_kept(open_page: OpenPage) -> None:
    page = open_page("zh")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("button", name="设置").click()
    page.get_by_role("radio", name="English").check()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("button", name="Settings")).to_be_visible()
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_help_lists_the_keys_and_gives_the_focus_back(page: Page) -> None:
    with_document(page)
    opener = page.get_by_role("button", name="Keys")
    opener.click()
    dialog = page.get_by_role("dialog", name="Keys")
    for what in ("Show or hide the list of documents", "How it was read"):
        expect(dialog.get_by_text(what)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.help")).to_have_count(0)
    expect(opener).to_be_focused()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()


def test_the_first_tab_stop_skips_to_the_document(page: Page) -> None:
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the document")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_landmarks_and_headings_are_in_order(page: Page) -> None:
    with_document(page)
    for role in ("banner", "main", "complementary"):
        expect(page.get_by_role(role)).to_have_count(1)
    levels = page.evaluate(
        """() => [...document.querySelectorAll('h1, h2, h3, h4')].filter((each) => each.checkVisibility())
            .map((each) => Number(each.tagName[1]))"""
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_what_happens_is_spoken(page: Page) -> None:
    spoken = page.get_by_role("status").filter(has_text=re.compile(r"receipt\.jpg has been read: \d+ lines"))
    with_document(page)
    expect(spoken).to_have_count(1)
