"""WCAG 2.2 A and AA by axe-core, in both languages and themes, in every state that a person meets."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.harness import Language, Watch, axe, give

NAMES: Final = {
    "settings": {"en": "Settings", "zh": "设置"},
    "keys": {"en": "Keys", "zh": "快捷键"},
    "take": {"en": "Export", "zh": "导出"},
}


def empty(page: Page, language: Language) -> None:
    expect(page.get_by_role("main").get_by_role("button").first).to_be_visible()
    page.get_by_role("button", name=NAMES["settings"][language]).click()


def document(page: Page, language: Language) -> None:  # noqa: ARG001 (as the others)
    give(page, "receipt.jpg")
    expect(page).to_have_title("receipt.jpg – shizi")
    expect(page.get_by_role("grid").get_by_role("row").first).to_be_visible()
    expect(page.locator(".ground canvas")).to_be_visible()
    page.keyboard.press("d")
    expect(page.locator("#debug-title")).to_be_visible()


def editing(page: Page, language: Language) -> None:
    document(page, language)
    page.get_by_role("gridcell").filter(has_text="Flat white").click()
    page.keyboard.press("Enter")
    expect(page.locator("main textarea, main input[type=text], main [contenteditable]").first).to_be_visible()


def dialog(page: Page, language: Language) -> None:
    document(page, language)
    page.get_by_role("button", name=NAMES["keys"][language]).click()
    expect(page.locator("dialog[open]")).to_be_visible()


def taking(page: Page, language: Language) -> None:
    document(page, language)
    page.get_by_role("button", name=NAMES["take"][language]).first.click()


def running(page: Page, language: Language) -> None:
    page.route("**/v1/ocr", lambda _: None)  # never answered
    page.route("**/v1/preview", lambda _: None)
    give(page, "receipt.jpg")
    expect(page).to_have_title(re.compile("reading" if language == "en" else "识别中"))


STATES: Final[dict[str, Callable[[Page, Language], None]]] = {
    state.__name__: state for state in (empty, document, editing, dialog, taking, running)
}


def faults(page: Page) -> list[str]:
    """In both themes."""
    found = []
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        found += [f"{theme}: {fault}" for fault in axe(page)]
    return found


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_finds_nothing(open_page: OpenPage, language: Language, state: str) -> None:
    page = open_page(language)
    STATES[state](page, language)
    assert faults(page) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_finds_nothing_where_something_went_wrong(
    open_page: OpenPage, watch: Watch, tmp_path: Path, language: Language
) -> None:
    watch.allow("415")  # of the picture, which no browser shows and the server neither
    page = open_page(language)
    letter = tmp_path / "letter.txt"
    letter.write_bytes(b"not a picture")
    give(page, letter)
    expect(page.get_by_role("alert").first).to_be_visible()
    page.locator("summary").first.click()
    assert faults(page) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_finds_nothing_on_a_small_screen(open_page: OpenPage, language: Language) -> None:
    page = open_page(language, width=390)
    give(page, "receipt.jpg")
    expect(page).to_have_title("receipt.jpg – shizi")
    expect(page.locator(".ground canvas")).to_be_visible()
    tabs = page.locator("button[aria-pressed]").filter(has_text=re.compile("^(Documents|Image|Text|文档|图像|文字)$"))
    for index in range(tabs.count()):
        tabs.nth(index).click()
        assert faults(page) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_finds_nothing_while_signing_in(open_page: OpenPage, watch: Watch, language: Language) -> None:
    watch.allow("401")
    page = open_page(language)
    body = {
        "type": "urn:shizi:error:UNAUTHENTICATED",
        "title": "Unauthenticated",
        "status": 401,
        "detail": "say who you are, with an API key or a token",
        "code": "UNAUTHENTICATED",
        "number": 4010,
        "request_id": "0123456789abcdef",
        "retryable": False,
    }
    page.route("**/v1/**", lambda route: route.fulfill(status=401, json=body))
    give(page, "receipt.jpg")
    expect(page.locator("dialog[open]").get_by_role("textbox")).to_be_visible()
    assert faults(page) == []
