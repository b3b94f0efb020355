"""Ways in: pick, drop, paste, folders, camera; many at once; images and PDFs."""

from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.harness import Language, Theme, Watch, axe, give, until
from tests.e2e.test_serve import SAMPLES

INVOICE = "Qingshan Instruments"
RECEIPT = re.compile("HARBOUR LANE", re.IGNORECASE)
REPORT = "Water quality"


def entry(page: Page, name: str) -> Locator:
    """The document of that name in the list."""
    return page.locator("nav li").filter(has=page.get_by_text(name, exact=True))


def expect_read(page: Page, name: str, text: str | re.Pattern[str]) -> None:
    """It was read to the end, and its text is on the page when it is chosen."""
    expect(entry(page, name).locator("[data-state=done]")).to_be_attached()
    entry(page, name).locator("button").first.click()
    expect(page.get_by_text(text).first).to_be_attached()


def drop(page: Page, *paths: Path) -> None:
    """Drags files or folders of the machine into the middle of the page, as the system does."""
    size = page.viewport_size
    assert size is not None
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": size["width"] / 2, "y": size["height"] / 2}
        session.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})
        if kind == "dragOver":
            expect(page.get_by_text("Drop to read")).to_be_visible()
    expect(page.get_by_text("Drop to read")).to_have_count(0)


def test_files_that_are_picked_are_read_many_at_once(page: Page) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    assert chooser.value.is_multiple()
    chooser.value.set_files([SAMPLES / name for name in ("invoice.png", "receipt.jpg", "report.pdf")])
    expect_read(page, "invoice.png", INVOICE)
    expect_read(page, "receipt.jpg", RECEIPT)
    expect_read(page, "report.pdf", REPORT)
    expect(entry(page, "report.pdf")).to_contain_text("2 pages")
    page.get_by_role("button", name="Close the 3 that are done").click()
    expect(page.get_by_role("heading", name="Drop a scan here")).to_be_visible()
    expect(page.get_by_role("region", name="Recent").locator("li")).to_have_count(3)


def test_a_file_that_is_dropped_anywhere_is_read(page: Page) -> None:
    drop(page, SAMPLES / "invoice.png")
    expect_read(page, "invoice.png", INVOICE)
    drop(page, SAMPLES / "receipt.jpg")
    expect_read(page, "receipt.jpg", RECEIPT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two documents, one of them deeper, and a file that is none."""
    deep = tmp_path / "scans" / "more"
    deep.mkdir(parents=True)
    shutil.copy(SAMPLES / "invoice.png", tmp_path / "scans")
    shutil.copy(SAMPLES / "receipt.jpg", deep / "receipt 2.jpg")
    (deep / "notes.txt").write_text("no scan")
    (deep / ".hidden.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path / "scans"


@pytest.mark.parametrize("way", ["drop", "pick"])
def test_a_folder_is_read_with_all_that_lies_in_it(page: Page, folder: Path, way: str) -> None:
    if way == "drop":
        drop(page, folder)
    else:
        (folder / "more" / ".hidden.png").unlink()  # a dialogue of the system leaves it out
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose a folder").click()
        chooser.value.set_files(folder)
    expect(page.get_by_text("1 files of the folder were left out")).to_be_visible()
    expect_read(page, "invoice.png", INVOICE)
    expect_read(page, "receipt 2.jpg", RECEIPT)
    expect(page.locator("nav li")).to_have_count(2)


def test_a_screenshot_that_is_pasted_is_read(page: Page) -> None:
    picture = base64.b64encode((SAMPLES / "invoice.png").read_bytes()).decode()
    page.evaluate(
        """async picture => {
            const bytes = Uint8Array.from(atob(picture), letter => letter.charCodeAt(0))
            await navigator.clipboard.write([new ClipboardItem({'image/png': new Blob([bytes], {type: 'image/png'})})])
        }""",
        picture,
    )
    page.keyboard.press("Control+v")
    expect(page.locator("nav li")).to_contain_text(["Pasted"])
    expect(page.locator("nav li [data-state=done]")).to_be_attached()
    expect(page.get_by_text(INVOICE).first).to_be_attached()


_CAMERA = """() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 })
    const paper = canvas.getContext('2d')
    setInterval(() => {
        paper.fillStyle = 'white'
        paper.fillRect(0, 0, 1280, 720)
        paper.fillStyle = 'black'
        paper.font = '64px DejaVu Sans'
        paper.fillText('Parcel for Harbour Lane 42', 120, 300)
    }, 50)
    window.shown = canvas.captureStream(20)
    navigator.mediaDevices.getUserMedia = async () => window.shown
}"""


def test_a_photo_is_taken_taken_again_and_read(page: Page) -> None:
    page.evaluate(_CAMERA)
    page.get_by_role("button", name="Use the camera").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Take the photo").click()
    dialog.get_by_role("button", name="Take it again").click()
    dialog.get_by_role("button", name="Take the photo").click()
    assert axe(page) == []
    dialog.get_by_role("button", name="Read it").click()
    expect(dialog).to_have_count(0)
    expect(page.locator("nav li")).to_contain_text(["Photo"])
    expect(page.get_by_text("Harbour Lane 42").first).to_be_attached()
    assert page.evaluate("() => shown.getTracks().map(track => track.readyState)") == ["ended"]


def test_a_camera_that_may_not_be_used_is_said_in_words(page: Page) -> None:
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError') } }"
    )
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_role("dialog")).to_contain_text("may not use the camera")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_is_no_document_is_refused_in_words_and_costs_no_other(page: Page, tmp_path: Path) -> None:
    (tmp_path / "letter.pdf").write_text("no PDF at all")
    give(page, tmp_path / "letter.pdf", "invoice.png")
    expect(entry(page, "letter.pdf").locator("[data-state=failed]")).to_be_attached()
    expect_read(page, "invoice.png", INVOICE)
    entry(page, "letter.pdf").get_by_role("button", name="Close letter.pdf").click()
    expect(entry(page, "letter.pdf")).to_have_count(0)


def test_a_preview_answers_first_and_the_full_result_replaces_it(page: Page, tmp_path: Path) -> None:
    image = Image.open(SAMPLES / "invoice.png").convert("RGB")
    image.resize((image.width * 2, image.height * 2)).save(tmp_path / "large.png")
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/v1/preview" in request.url or "/v1/ocr" in request.url:
            asked.append(request.url.rsplit("/", 1)[1])

    page.on("request", note)

    held: list[Route] = []
    page.route("**/v1/ocr", lambda route: held.append(route))  # as if the full result took long
    with page.expect_response("**/v1/preview") as answer:
        give(page, tmp_path / "large.png")
    body = answer.value.json()
    assert body["preview"] is True
    assert max(body["pages"][0]["width"], body["pages"][0]["height"]) == 1024
    expect(entry(page, "large.png")).to_contain_text("Preview")
    expect(page.get_by_text(INVOICE).first).to_be_attached()
    until(page, lambda: bool(held))
    held[0].continue_()
    expect_read(page, "large.png", INVOICE)
    assert asked == ["preview", "ocr"]


def test_a_small_picture_needs_no_preview(page: Page, tmp_path: Path, watch: Watch) -> None:
    watch.allow("preview")  # none is asked for: the route would fail it
    page.route("**/v1/preview", lambda route: route.abort())
    Image.open(SAMPLES / "receipt.jpg").crop((200, 100, 1100, 600)).save(tmp_path / "small.png")
    give(page, tmp_path / "small.png")
    expect_read(page, "small.png", RECEIPT)
    assert watch.faults == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_everybody_can_use_the_ways_in(open_page: OpenPage, language: Language, theme: Theme, tmp_path: Path) -> None:
    page = open_page(language=language, theme=theme)
    expect(
        page.get_by_role("heading", name="Drop a scan here" if language == "en" else "将扫描件拖到此处")
    ).to_be_visible()
    assert axe(page) == []
    (tmp_path / "letter.pdf").write_text("no PDF at all")
    give(page, tmp_path / "letter.pdf", "invoice.png")
    expect(entry(page, "invoice.png").locator("[data-state=done]")).to_be_attached()
    listed = page.locator("aside#list")
    expect(listed).to_be_visible()
    assert axe(page) == []
