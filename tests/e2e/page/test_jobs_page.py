"""Large files: jobs with real progress, which a reload does not stop; passwords; documents that the browser keeps."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, Request, expect
from pypdf import PdfReader, PdfWriter

from tests.e2e.page.harness import Watch, axe, give, until
from tests.e2e.test_serve import SAMPLES, Serve

PAGES = 20  # so many that progress is seen before they are read
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PDF of more than 4 MB, whose pages were scanned on speckled paper."""
    random = np.random.default_rng(7)
    font = ImageFont.truetype(FONT, 44)
    pages = []
    for number in range(1, PAGES + 1):
        paper = random.integers(200, 256, (1500, 1100, 3)).astype(np.uint8)
        image = Image.fromarray(paper)
        ImageDraw.Draw(image).text((90, 200), f"Chapter {number} of the harbour book", font=font, fill=(0, 0, 0))
        pages.append(image)
    file = tmp_path_factory.mktemp("book") / "book.pdf"
    pages[0].save(file, save_all=True, append_images=pages[1:], quality=88)
    assert file.stat().st_size > 4 * 2**20
    return file


# An order is taken, and the page does not hear of it.
DEAF = """() => {
    const real = window.fetch
    window.fetch = async (address, init) => {
        const answer = await real(address, init)
        return init?.method === 'POST' && String(address).endsWith('/v1/jobs') ? new Promise(() => {}) : answer
    }
}"""


def state(page: Page, name: str) -> str:
    row = page.locator("nav li").filter(has_text=name).locator("[data-state]")
    return row.get_attribute("data-state") or ""


def test_a_large_file_becomes_a_job_with_progress_that_a_reload_does_not_stop(page: Page, book: Path) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(f"{request.method} {request.url.rsplit('/v1/', 1)[-1]}")

    page.on("request", note)
    give(page, book)
    row = page.locator("nav li").filter(has_text="book.pdf")
    expect(row.locator("[data-state=job]")).to_be_attached()
    expect(row).to_contain_text(re.compile(rf"([1-9]|1\d) of {PAGES} pages"))
    expect(row.get_by_role("progressbar")).to_have_attribute("max", str(PAGES))
    expect(page.get_by_text("Chapter 1 of the harbour book").first).to_be_attached()  # while others are being read
    assert state(page, "book.pdf") == "job"
    page.reload()
    expect(row.locator("[data-state=done]")).to_be_attached()
    expect(row).to_contain_text(f"{PAGES} pages")
    expect(page.get_by_text("Chapter 1 of the harbour book").first).to_be_attached()
    assert [each for each in asked if each.startswith("POST")] == ["POST jobs"]
    assert any(each.endswith("/events") for each in asked)


def test_a_reload_in_the_middle_of_an_upload_orders_once(page: Page, book: Path, served: Serve) -> None:
    before = len(served.client.get("/v1/jobs").json()["jobs"])
    keys: list[str | None] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/v1/jobs"):
            keys.append(request.headers.get("idempotency-key"))

    page.on("request", note)
    page.evaluate(DEAF)
    give(page, book)
    until(page, lambda: len(served.client.get("/v1/jobs").json()["jobs"]) > before)
    page.reload()
    expect(page.locator("nav li").filter(has_text="book.pdf").locator("[data-state=done]")).to_be_attached()
    assert len(served.client.get("/v1/jobs").json()["jobs"]) == before + 1
    assert len(keys) == 2
    assert keys[0] == keys[1] is not None


def test_a_job_is_cancelled_here_and_on_the_server_and_read_again(page: Page, book: Path, served: Serve) -> None:
    give(page, book)
    row = page.locator("nav li").filter(has_text="book.pdf")
    expect(row).to_contain_text(re.compile(rf"\d of {PAGES} pages"))
    row.get_by_role("button", name="Cancel book.pdf").click()
    expect(row.locator("[data-state=cancelled]")).to_be_attached()
    until(page, lambda: served.client.get("/v1/jobs").json()["jobs"][0]["state"] == "cancelled")
    row.get_by_role("button", name="Read book.pdf again").click()
    expect(row.locator("[data-state=done]")).to_be_attached()


KEPT = """async () => {
    const open = indexedDB.open('shizi')
    await new Promise(done => { open.onsuccess = done })
    const all = open.result.transaction('rows').objectStore('rows').getAll()
    await new Promise(done => { all.onsuccess = done })
    return JSON.stringify(all.result) + JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage})
}"""


def test_an_encrypted_pdf_asks_for_its_password_and_keeps_it_nowhere(page: Page, tmp_path: Path, watch: Watch) -> None:
    watch.allow("422")
    writer = PdfWriter(clone_from=PdfReader(SAMPLES / "report.pdf"))
    writer.encrypt("sesame-42", algorithm="AES-256")
    locked = io.BytesIO()
    writer.write(locked)
    (tmp_path / "locked.pdf").write_bytes(locked.getvalue())
    give(page, tmp_path / "locked.pdf")
    dialog = page.get_by_role("dialog", name="Password needed")
    expect(dialog).to_contain_text("locked.pdf is encrypted")
    assert axe(page) == []
    dialog.get_by_label("Password").fill("mellon")
    dialog.get_by_role("button", name="Open").click()
    expect(dialog).to_contain_text("does not open it")
    with page.expect_request("**/v1/ocr") as sent:
        dialog.get_by_label("Password").fill("sesame-42")
        dialog.get_by_role("button", name="Open").click()
    assert "sesame-42" not in sent.value.url
    expect(page.locator("nav [data-state=done]")).to_be_attached()
    expect(page.get_by_text("Water quality").first).to_be_attached()
    until(page, lambda: '"state":"done"' in page.evaluate(KEPT))
    kept = page.evaluate(KEPT)
    assert "locked.pdf" in kept
    assert "sesame-42" not in kept
    page.reload()
    expect(page.get_by_text("Water quality").first).to_be_attached()  # the text is here, the picture needs it again
    expect(page.get_by_text("needs its password")).to_be_visible()
    page.get_by_role("main").get_by_role("button", name="Enter the password").click()
    dialog.get_by_label("Password").fill("sesame-42")
    dialog.get_by_role("button", name="Open").click()
    expect(page.locator(".ground canvas")).to_be_visible()
    expect(page.get_by_text("needs its password")).to_have_count(0)


def test_documents_are_kept_in_the_browser_until_they_are_cleared(page: Page) -> None:
    give(page, "invoice.png", "receipt.jpg")
    expect(page.locator("nav [data-state=done]")).to_have_count(2)
    page.get_by_role("button", name="Close invoice.png").click()
    page.get_by_role("button", name="Close receipt.jpg").click()
    recent = page.get_by_role("region", name="Recent")
    expect(recent).to_contain_text("receipt.jpg")
    page.reload()
    expect(recent).to_contain_text("invoice.png")
    with_text = page.get_by_text("Qingshan Instruments").first
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    recent.get_by_role("button", name="Open invoice.png again").click()
    expect(with_text).to_be_attached()
    assert not any("/v1/ocr" in url or "/v1/preview" in url for url in asked)
    recent.get_by_role("button", name="Clear").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete them").click()
    expect(recent).to_have_count(0)
    page.get_by_role("button", name="Close invoice.png").click()
    expect(recent).to_contain_text("invoice.png")
    expect(recent).not_to_contain_text("receipt.jpg")
    recent.get_by_role("button", name="Delete invoice.png from this browser").click()
    expect(recent).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="Drop a scan here")).to_be_visible()
    expect(page.get_by_text("invoice.png")).to_have_count(0)
