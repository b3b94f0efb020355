"""The pictures of the documentation: made here, from the samples alone.

`WRITE_SCREENSHOTS=docs/images pytest tests/e2e/page/test_screenshots.py` writes them; otherwise they are made and looked at only.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.harness import ROOT, Language, Theme, give

MOST_BYTES: Final = 200_000


def read(page: Page, *names: str) -> None:
    """Gives samples, and waits until the last one is there with its picture."""
    for name in names:
        give(page, name)
        expect(page).to_have_title(f"{name} – shizi")
    expect(page.locator(".ground canvas")).to_be_visible()


def looking(page: Page) -> None:
    """An English page: the line under the mouse is marked on both sides."""
    read(page, "receipt.jpg", "turned.png", "invoice.png")
    page.get_by_role("gridcell").filter(has_text="Portable spectrometer").hover()


def understanding(page: Page) -> None:
    """A Chinese page in the dark: how it was read, with the boxes of the detector."""
    read(page, "report.pdf")
    page.keyboard.press("d")
    page.get_by_role("button", name="逐阶段识别本页").click()
    expect(page.get_by_role("radio").first).to_be_visible()
    expect(page.locator("[data-part=boxes] .stage").first).to_be_attached()


def on_a_phone(page: Page) -> None:
    """One pane at a time."""
    read(page, "receipt.jpg")
    page.get_by_role("group", name="pane").get_by_role("button", name="Text").click()
    expect(page.get_by_role("gridcell").filter(has_text="Flat white")).to_be_visible()


SHOTS: Final[dict[str, tuple[Language, Theme, int, int, Callable[[Page], None]]]] = {
    "page.png": ("en", "light", 1280, 800, looking),
    "page-understand.png": ("zh", "dark", 1280, 800, understanding),
    "page-phone.png": ("en", "light", 390, 700, on_a_phone),
}


@pytest.mark.parametrize("name", SHOTS)
def test_the_pictures_of_the_documentation(open_page: OpenPage, name: str) -> None:
    language, theme, width, height, prepare = SHOTS[name]
    page = open_page(language, theme, width, height)
    prepare(page)
    page.wait_for_timeout(500)  # drawn sharp, and nothing moves any more
    picture = small(page.screenshot())
    assert len(picture) <= MOST_BYTES
    assert (ROOT / "docs" / "images" / name).stat().st_size <= MOST_BYTES
    if folder := os.environ.get("WRITE_SCREENSHOTS"):
        (ROOT / Path(folder) / name).write_bytes(picture)


def small(png: bytes) -> bytes:
    """The same with 256 colours."""
    out = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
