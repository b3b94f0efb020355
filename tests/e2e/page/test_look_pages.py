"""Documents of many pages: thumbnails, page numbers, and that five hundred of them stay usable."""

from __future__ import annotations

import io
import re
import time

from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from tests.e2e.page.harness import give
from tests.e2e.page.looking import answered, document_of, line_of, pdf_of, scan_pdf, shown, view
from tests.e2e.test_serve import SAMPLES

MANY = 500
# As many as fit into the strip, and one beyond each end.
MOST_DRAWN = 12


def current(page: Page) -> str:
    return page.get_by_role("textbox", name="Page number").input_value()


def test_pages_are_turned_by_keys_numbers_and_thumbnails(page: Page) -> None:
    give(page, "report.pdf")
    expect(page.get_by_role("option")).to_have_count(2)
    view(page).focus()
    page.keyboard.press("PageDown")
    assert current(page) == "2"
    expect(page.get_by_role("option", selected=True)).to_have_attribute("aria-label", "2")
    page.keyboard.press("[")
    assert current(page) == "1"
    page.get_by_role("textbox", name="Page number").fill("2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("option", selected=True)).to_have_attribute("aria-label", "2")
    page.get_by_role("option").first.click()
    assert current(page) == "1"
    page.get_by_role("listbox", name="Pages").press("ArrowDown")
    assert current(page) == "2"


def ink(page: Page) -> tuple[float, float]:
    """The share of dark pixels of the picture that is shown, and its height by its width."""
    picture = page.locator(".sheet .ground canvas")
    expect(picture).to_be_attached()
    dark, ratio = picture.evaluate(
        """canvas => {
          const copy = Object.assign(document.createElement('canvas'), { width: 200, height: 283 })
          const context = copy.getContext('2d')
          context.drawImage(canvas, 0, 0, 200, 283)
          const { data } = context.getImageData(0, 0, 200, 283)
          let dark = 0
          for (let at = 0; at < data.length; at += 4) if (data[at] < 160) dark += 1
          return [dark / (200 * 283), canvas.height / canvas.width]
        }"""
    )
    return dark, ratio


def test_a_pdf_is_drawn_by_the_browser(page: Page) -> None:
    give(page, "report.pdf")
    dark, ratio = ink(page)
    assert 0.005 < dark < 0.3
    assert abs(ratio - 297 / 210) < 0.01


def test_a_scan_in_jpeg_2000_is_drawn_without_anything_from_elsewhere(page: Page) -> None:
    picture = Image.new("L", (595, 842), 255)
    ImageDraw.Draw(picture).rectangle((0, 0, 594, 210), fill=0)
    answered(
        page, document_of([line_of("half", (10, 10), (90, 20))], width=595, height=842), "scan.pdf", scan_pdf(picture)
    )
    shown(page, 1)
    dark, _ = ink(page)
    assert abs(dark - 0.25) < 0.02


def test_five_hundred_pages_stay_usable(page: Page) -> None:
    lines = [[line_of(f"Page {number}", (330, 500), (600, 170))] for number in range(1, MANY + 1)]
    answered(page, document_of(*lines, width=1653, height=2339), "long.pdf", pdf_of(MANY))
    shown(page, 1)
    expect(page.get_by_text("/ 500")).to_be_visible()
    options = page.get_by_role("option")
    assert 3 <= options.count() <= MOST_DRAWN
    drawn = page.locator(".thumbnail:not(.empty)")
    expect(drawn.first).to_be_visible()
    started = time.monotonic()
    page.get_by_role("textbox", name="Page number").fill("400")
    page.keyboard.press("Enter")
    expect(page.locator('[data-part="text"]')).to_have_text(re.compile("Page 400"))
    expect(page.get_by_role("option", selected=True)).to_be_in_viewport()
    expect(page.locator(".sheet .ground canvas")).to_be_attached()
    jump = time.monotonic() - started
    expect(page.locator('.item[aria-selected="true"] .thumbnail:not(.empty)')).to_be_visible()
    strip = page.get_by_role("listbox", name="Pages")
    started = time.monotonic()
    strip.evaluate(
        """async strip => {
          for (let at = 0; at < strip.scrollHeight; at += strip.scrollHeight / 60) {
            strip.scrollTop = at
            await new Promise(requestAnimationFrame)
          }
          strip.scrollTop = 0
        }"""
    )
    expect(page.locator("#thumbnail-1 .thumbnail:not(.empty)")).to_be_visible()
    settled = time.monotonic() - started
    assert options.count() <= MOST_DRAWN
    print(f"500 pages: jump to page 400 {jump:.2f} s, through all thumbnails and back {settled:.2f} s")


def test_a_picture_that_the_browser_cannot_show_comes_from_the_server(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/render" in request.url else None)
    stream = io.BytesIO()
    with Image.open(SAMPLES / "invoice.png") as image:
        image.save(stream, "TIFF", compression="tiff_lzw")
    field = page.locator("input[type=file]:not([webkitdirectory]):not([capture])").first
    field.set_input_files({"name": "invoice.tiff", "mimeType": "image/tiff", "buffer": stream.getvalue()})
    expect(page.locator(".sheet .ground canvas")).to_be_attached()
    assert asked
