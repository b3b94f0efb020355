"""Understand: how a document was read, and what went wrong in words, with what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.harness import Language, Watch, give
from tests.e2e.test_serve import SAMPLES

PROBLEM = "application/problem+json"
HAN = re.compile(r"[\u4e00-\u9fff]")


def opened(page: Page, name: str) -> Page:
    give(page, name)
    expect(page).to_have_title(f"{name} – shizi")
    return page


def test_times_models_and_the_request_id_are_shown(page: Page) -> None:
    with page.expect_response(lambda answer: answer.url.endswith("/v1/ocr")) as answer:
        opened(page, "receipt.jpg")
    page.keyboard.press("d")
    panel = page.get_by_role("region", name="How it was read")
    for stage in ("decoding", "detection", "recognition"):
        expect(panel.get_by_role("term").filter(has_text=stage).first).to_be_visible()
    for model in answer.value.json()["models"]:
        expect(panel.get_by_text(model["name"])).to_be_visible()
        expect(panel.get_by_text(model["sha256"][:12], exact=True)).to_be_visible()
    expect(panel.get_by_text(answer.value.headers["x-request-id"])).to_be_visible()
    expect(panel.get_by_text("1,200 × 1,600 pixels")).to_be_visible()
    panel.get_by_role("button", name="Copy the SHA-256").first.click()
    expect(page.get_by_role("region", name="Notices").get_by_text("Copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == answer.value.json()["models"][0]["sha256"]
    page.keyboard.press("d")
    expect(panel).to_have_count(0)


def test_the_boxes_of_each_stage_are_drawn_on_demand(page: Page) -> None:
    opened(page, "invoice.png")
    page.keyboard.press("d")
    page.get_by_role("button", name="Read this page stage by stage").click()
    drawn = page.locator("[data-part=boxes] .stage")
    counts = {}
    for stage in ("Detected", "Direction decided", "Recognised"):
        choice = page.get_by_role("radio", name=re.compile(rf"^{stage}"))
        choice.check()
        text = choice.locator("xpath=..").locator(".number").inner_text()
        counts[stage] = int(text)
        expect(drawn).to_have_count(counts[stage])
    assert counts["Detected"] == counts["Direction decided"] >= counts["Recognised"] > 70
    page.get_by_role("radio", name=re.compile("^Lines as shown")).check()
    expect(drawn).to_have_count(0)


def problem(code: str, status: int, detail: str, *, retryable: bool = False) -> dict[str, Any]:
    """An error as the server tells it."""
    return {
        "type": f"urn:shizi:error:{code}",
        "title": code,
        "status": status,
        "detail": detail,
        "code": code,
        "number": 5000,
        "request_id": "0123456789abcdef",
        "retryable": retryable,
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_damaged_file_is_explained_with_the_request_id(
    open_page: OpenPage, watch: Watch, tmp_path: Path, language: Language
) -> None:
    watch.allow("422")
    broken = tmp_path / "broken.png"
    broken.write_bytes((SAMPLES / "invoice.png").read_bytes()[:3000])
    page = open_page(language)
    give(page, broken)
    note = page.get_by_role("alert").filter(has_text="The file is damaged" if language == "en" else "文件已损坏")
    expect(note).to_be_visible()
    advice = note.locator("p").nth(1).inner_text()
    assert bool(HAN.search(advice)) == (language == "zh")
    note.locator("summary").click()
    expect(note.get_by_text("CORRUPT_DOCUMENT")).to_be_visible()
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", note.locator(".id").inner_text())


def test_a_file_of_another_kind_is_refused_with_the_kinds_that_are_read(page: Page, tmp_path: Path) -> None:
    letter = tmp_path / "letter.docx"
    letter.write_bytes(b"PK\x03\x04 not a picture")
    give(page, letter)
    note = page.get_by_role("alert").filter(has_text="This kind of file cannot be read")
    expect(note).to_contain_text("JPEG, PNG, WebP, TIFF, BMP or PDF")
    expect(note.get_by_role("button", name="Try again")).to_have_count(0)


def test_a_limit_is_named_with_its_value(page: Page, watch: Watch) -> None:
    watch.allow("413")
    detail = (
        "the image has 120.5 million pixels (12050 x 10000), the limit (max_pixels) is 100.0 million: make it smaller"
    )
    body = problem("IMAGE_TOO_LARGE", 413, detail)
    for address in ("**/v1/ocr", "**/v1/preview", "**/v1/jobs"):
        page.route(address, lambda route: route.fulfill(status=413, json=body, content_type=PROBLEM))
    give(page, "invoice.png")
    note = page.get_by_role("alert").filter(has_text="The document is too large")
    expect(note.get_by_role("definition").filter(has_text="100.0 million").first).to_be_visible()
    expect(note.get_by_role("definition").filter(has_text="120.5 million").first).to_be_visible()
    expect(note).to_contain_text("Pixels of the image")


def test_what_may_pass_can_be_tried_again(page: Page, watch: Watch) -> None:
    watch.allow("504")
    body = problem("TIMEOUT", 504, "the document was not read within 30 s", retryable=True)
    for address in ("**/v1/ocr", "**/v1/preview", "**/v1/jobs"):
        page.route(address, lambda route: route.fulfill(status=504, json=body, content_type=PROBLEM))
    give(page, "receipt.jpg")
    note = page.get_by_role("alert").filter(has_text="Reading took too long")
    expect(note).to_be_visible()
    page.unroute_all()
    note.get_by_role("button", name="Try again").click()
    expect(page).to_have_title("receipt.jpg – shizi")
    expect(note).to_have_count(0)
