"""Taking: copy, download in every format, one or all documents; with the corrections in each."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pypdfium2
import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Download, Page, expect

from tests.e2e.page.harness import Watch, axe, give
from tests.e2e.page.test_correct import line, read, replace
from tests.e2e.test_serve import SAMPLES, Serve

CORRECTED = "2 x Flat White 咖啡"
ENDINGS = {"text": "txt", "alto": "alto.xml", "annotated": "annotated.png"}


def menu(page: Page) -> None:
    page.get_by_role("button", name="Export").first.click()
    expect(page.get_by_role("dialog", name="Export")).to_be_visible()


def choose(page: Page, extension: str) -> None:
    page.get_by_role("dialog", name="Export").get_by_role(
        "button", name=re.compile(rf"^\.{re.escape(extension)} ")
    ).click()


def taken(page: Page, extension: str) -> Download:
    menu(page)
    with page.expect_download() as download:
        choose(page, extension)
    return download.value


def bytes_of(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def clipboard(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def corrected(page: Page) -> None:
    read(page)
    line(page, "Flat white").dblclick()
    replace(page, CORRECTED)
    expect(line(page, CORRECTED)).to_be_visible()


def xml_text(data: bytes, *parts: str) -> str:
    """The text of some of the XML files of an office document."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if name in parts]
        assert names
        return "\n".join("".join(ElementTree.fromstring(archive.read(name)).itertext()) for name in names)


def text_of(data: bytes, name: str) -> str:
    """All text of a file, however it is packed."""
    if name == "pdf":
        with pypdfium2.PdfDocument(data) as document:
            return "\n".join(page.get_textpage().get_text_range() for page in document)
    if name == "xlsx":
        return xml_text(data, "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml")
    if name == "docx":
        return xml_text(data, "word/document.xml")
    if name in ("hocr", "alto"):
        root = ElementTree.fromstring(data)
        words = [value for element in root.iter() for key, value in element.attrib.items() if key == "CONTENT"]
        return " ".join([*words, *root.itertext()])
    return data.decode("utf-8-sig")


def test_a_correction_is_in_every_format(page: Page, served: Serve) -> None:
    corrected(page)
    formats = served.client.get("/v1/capabilities").json()["formats"]
    assert {"text", "json", "md", "csv", "xlsx", "docx", "hocr", "alto", "pdf", "annotated"} <= set(formats)
    for name in sorted(set(formats) - {"annotated"}):
        ending = ENDINGS.get(name, name)
        download = taken(page, ending)
        assert download.suggested_filename == f"receipt.{ending}"
        words = " ".join(text_of(bytes_of(download), name).split())
        for word in CORRECTED.split():
            assert word in words, name
        assert "Flat white" not in words, name
        assert "HARBOUR" in words, name  # a PDF may have it in an order of its own
        expect(page.get_by_role("dialog", name="Export")).to_be_hidden()


def test_a_correction_is_in_the_annotated_picture(page: Page) -> None:
    read(page)
    before = Image.open(io.BytesIO(bytes_of(taken(page, "annotated.png"))))
    line(page, "Flat white").dblclick()
    replace(page, CORRECTED)
    after = Image.open(io.BytesIO(bytes_of(taken(page, "annotated.png"))))
    assert before.size == after.size
    assert ImageChops.difference(before.convert("RGB"), after.convert("RGB")).getbbox() is not None


def test_a_line_that_was_removed_is_in_no_text(page: Page) -> None:
    read(page)
    line(page, "Flat white").dblclick()
    replace(page, "")
    text = bytes_of(taken(page, "txt")).decode()
    assert "Flat white" not in text
    assert "Oat latte" in text


def test_the_text_is_copied_by_button_and_by_key(page: Page) -> None:
    corrected(page)
    page.keyboard.press("Control+Shift+C")
    expect(page.get_by_text(re.compile(r"Copied: \d+ characters"))).to_be_visible()
    copied = clipboard(page)
    assert CORRECTED in copied
    assert copied == bytes_of(taken(page, "txt")).decode().rstrip("\n")
    page.evaluate("navigator.clipboard.writeText('')")
    menu(page)
    page.get_by_role("button", name="Text", exact=True).click()
    expect(page.get_by_role("dialog", name="Export")).to_be_hidden()
    assert clipboard(page) == copied


def test_markdown_is_copied(page: Page) -> None:
    corrected(page)
    menu(page)
    page.get_by_role("dialog", name="Export").get_by_role("button", name="Markdown", exact=True).click()
    expect(page.get_by_text(re.compile(r"Copied: \d+ characters"))).to_be_visible()
    copied = clipboard(page)
    assert CORRECTED in copied
    assert copied == bytes_of(taken(page, "md")).decode()


def test_text_is_copied_where_the_browser_has_no_clipboard_for_pages(page: Page) -> None:
    """As over HTTP in a network of one's own."""
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined })")
    page.reload()
    corrected(page)
    page.keyboard.press("Control+Shift+C")
    expect(page.get_by_text(re.compile(r"Copied: \d+ characters"))).to_be_visible()
    page.get_by_role("searchbox").focus()
    page.keyboard.press("Control+v")
    expect(page.get_by_role("searchbox")).to_have_value(re.compile(CORRECTED))


@pytest.mark.parametrize("ending", ["txt", "pdf"])
def test_all_documents_are_taken_as_one_archive(page: Page, tmp_path: Path, ending: str) -> None:
    other = tmp_path / "receipt.png"
    with Image.open(SAMPLES / "receipt.jpg") as image:
        image.resize((image.width // 2, image.height // 2)).save(other)
    read(page)
    line(page, "Flat white").dblclick()
    replace(page, CORRECTED)
    give(page, other)
    expect(page.locator("nav [data-state=done]")).to_have_count(2)
    menu(page)
    page.get_by_role("radio", name="All 2").check()
    with page.expect_download() as download:
        choose(page, ending)
    assert re.fullmatch(r"shizi-\w+-\d{4}-\d\d-\d\d\.zip", download.value.suggested_filename)
    with zipfile.ZipFile(io.BytesIO(bytes_of(download.value))) as archive:
        assert sorted(archive.namelist()) == [f"receipt (2).{ending}", f"receipt.{ending}"]
        texts = [text_of(archive.read(name), ending) for name in (f"receipt.{ending}", f"receipt (2).{ending}")]
    assert ["咖啡" in text for text in texts] == [True, False]
    assert all("HARBOUR" in text for text in texts)


def test_what_fails_is_said_for_each_document_and_costs_no_other(page: Page, watch: Watch) -> None:
    watch.allow("503")
    give(page, "receipt.jpg", "invoice.png")
    expect(page.locator("nav [data-state=done]")).to_have_count(2)
    problem = '{"code": "OVERLOADED", "detail": "", "status": 503, "title": "", "retryable": true}'
    page.route("**/v1/export", lambda route: route.fulfill(status=503, body=problem), times=1)
    menu(page)
    page.get_by_role("radio", name="All 2").check()
    with page.expect_download() as download:
        choose(page, "txt")
    with zipfile.ZipFile(io.BytesIO(bytes_of(download.value))) as archive:
        (saved,) = archive.namelist()
    (missing,) = {"receipt.txt", "invoice.txt"} - {saved}
    failed = page.get_by_role("dialog", name="Export").get_by_role("alert")
    expect(failed).to_contain_text("It could not be exported")
    expect(failed).to_contain_text(missing.removesuffix("txt"))
    assert axe(page) == []
    with page.expect_download() as again:
        failed.get_by_role("button", name="Try again").click()
    assert again.value.suggested_filename == missing
    expect(failed).to_have_count(0)


def test_taking_many_shows_how_far_it_is_and_can_be_ended(page: Page) -> None:
    give(page, "receipt.jpg", "invoice.png")
    expect(page.locator("nav [data-state=done]")).to_have_count(2)
    page.route("**/v1/export", lambda _: None)  # never answered
    menu(page)
    page.get_by_role("radio", name="All 2").check()
    choose(page, "txt")
    expect(page.get_by_role("progressbar", name=re.compile("0 of 2 documents"))).to_be_visible()
    page.get_by_role("dialog", name="Export").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_role("dialog", name="Export")).to_be_visible()


def test_the_file_is_sent_only_for_what_shows_the_page(page: Page) -> None:
    read(page)
    sizes: list[int] = []
    page.on(
        "request",
        lambda request: sizes.append(len(request.post_data_buffer or b"")) if "export" in request.url else None,
    )
    taken(page, "txt")
    taken(page, "pdf")
    assert len(sizes) == 2
    original = (SAMPLES / "receipt.jpg").stat().st_size
    assert sizes[0] < original or sizes[0] + original // 2 < sizes[1]


def test_there_is_nothing_to_take_before_something_was_read(page: Page) -> None:
    menu(page)
    expect(page.get_by_text("There is nothing to export yet.")).to_be_visible()
