"""Corrections go to the server if the person agrees, and not a byte of them before."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import Any

from PIL import Image
from playwright.sync_api import Page, Request, expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.harness import Watch, give
from tests.e2e.page.test_correct import line, read, replace
from tests.e2e.test_serve import SAMPLES, Serve

SHA256 = hashlib.sha256((SAMPLES / "receipt.jpg").read_bytes()).hexdigest()
HELD_MS = 4_500  # a moment longer than a correction waits for second thoughts
ASKED = "Help this server read better?"


def sent(page: Page) -> list[dict[str, Any]]:
    """What goes to the server from now on."""
    bodies: list[dict[str, Any]] = []

    def seen(request: Request) -> None:
        if request.url.endswith("/v1/feedback"):
            bodies.append(json.loads(request.post_data or ""))

    page.on("request", seen)
    return bodies


def correct(page: Page, before: str, after: str) -> None:
    line(page, before).dblclick()
    replace(page, after)


def test_nothing_is_sent_without_agreement(page: Page) -> None:
    bodies = sent(page)
    read(page)
    correct(page, "Flat white", "2 x Flat White")
    expect(page.get_by_text(ASKED)).to_be_visible()
    page.wait_for_timeout(HELD_MS)
    assert bodies == []
    page.get_by_role("button", name="Keep them here").click()
    correct(page, "17 Harbour Lane", "18 Harbour Lane")
    expect(page.get_by_text(ASKED)).to_have_count(0)
    expect(page.get_by_text("Corrections stay in this browser")).to_be_visible()
    page.wait_for_timeout(HELD_MS)
    assert bodies == []


def test_what_was_agreed_to_is_sent_and_kept(page: Page, served: Serve) -> None:
    bodies = sent(page)
    read(page)
    correct(page, "Flat white", "2 x Flat White")
    expect(page.get_by_label("Send the small picture of the line as well")).not_to_be_checked()
    page.get_by_role("button", name="Send corrections").click()
    line(page, "Tel. 0555").click()
    page.keyboard.press("c")
    line(page, "17 Harbour Lane").dblclick()
    replace(page, "a slip of the hand")
    page.keyboard.press("Control+z")
    expect(page.get_by_text("2 sent")).to_be_visible()
    page.wait_for_timeout(HELD_MS)
    assert [(body["original"], body["correction"]) for body in bodies] == [
        ("2 x Flat white", "2 x Flat White"),
        ("Tel. 0555 014 2277", "Tel. 0555 014 2277"),
    ]
    listed = served.client.get("/v1/feedback", params={"document": SHA256}).json()["corrections"]
    kept = next(each for each in listed if each["correction"] == "2 x Flat White")
    models = served.client.get("/v1/models").json()["models"]
    reader = next(model for model in models if model["task"] == "recognize")
    assert (kept["model"], kept["model_version"]) == (reader["name"], reader["version"])
    assert (kept["page"], len(kept["polygon"]), kept["crop_bytes"]) == (1, 4, None)
    assert set(bodies[0]) == {"document", "page", "line", "polygon", "original", "correction", "model", "model_version"}


def test_the_picture_goes_only_if_it_was_ticked_and_the_server_keeps_it(
    page: Page, open_page: OpenPage, watch: Watch
) -> None:
    watch.allow("403")
    bodies = sent(page)
    read(page)
    correct(page, "Flat white", "2 x Flat WHITE")
    page.get_by_label("Send the small picture of the line as well").check()
    page.get_by_role("button", name="Send corrections").click()
    expect(page.get_by_text("1 sent")).to_be_visible()
    expect(page.get_by_text("The server keeps no pictures")).to_be_visible()
    assert ["crop" in body for body in bodies] == [True, False]
    with Image.open(io.BytesIO(base64.b64decode(bodies[0]["crop"]))) as picture:
        assert picture.format == "PNG"
        assert picture.width > 2 * picture.height
    with Serve("--feedback-crops", "*") as keeping:
        keeping.until_ready()
        other = open_page(url=keeping.url + "/")
        read(other)
        correct(other, "Flat white", "2 x Flat WHITE")
        other.get_by_label("Send the small picture of the line as well").check()
        other.get_by_role("button", name="Send corrections").click()
        expect(other.get_by_text("1 sent")).to_be_visible()
        assert keeping.client.get("/v1/feedback").json()["corrections"][0]["crop_bytes"] > 100


def test_what_fails_is_sent_again_and_said_quietly(page: Page, watch: Watch) -> None:
    watch.allow("503")
    bodies = sent(page)
    read(page)
    problem = '{"code": "OVERLOADED", "detail": "", "status": 503, "title": "", "retryable": true, "retry_after": 8}'
    page.route("**/v1/feedback", lambda route: route.fulfill(status=503, body=problem), times=1)
    correct(page, "Flat white", "2 x flat white")
    page.get_by_role("button", name="Send corrections").click()
    expect(page.get_by_text("1 waiting")).to_be_visible()
    expect(page.get_by_text("1 sent")).to_be_visible()
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


def test_it_says_why_where_the_browser_cannot_tell_files_apart(open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined })")
    page.reload()
    bodies = sent(page)
    give(page, "receipt.jpg")
    expect(page.get_by_text("Corrections are not sent")).to_be_visible()
    correct(page, "Flat white", "2 x Flat White")
    expect(page.get_by_text(ASKED)).to_have_count(0)
    page.wait_for_timeout(HELD_MS)
    assert bodies == []
