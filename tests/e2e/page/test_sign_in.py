"""Signing in with an API key, on a server that asks for one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.harness import Watch, axe, give
from tests.e2e.test_serve import Serve

INVOICE = "Qingshan Instruments"
# Keeps all others from writing to the browser's database until `held` is false.
HOLD = """async () => {
  const [{ name }] = await indexedDB.databases()
  const database = await new Promise(opened => {
    indexedDB.open(name).onsuccess = event => opened(event.target.result)
  })
  const rows = database.transaction(database.objectStoreNames, 'readwrite').objectStore('rows')
  window.held = true
  const again = () => {
    if (window.held) rows.count().onsuccess = again
    else database.close()
  }
  again()
}"""


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A key that may do what people do, and the file that it is known by."""
    file = tmp_path_factory.mktemp("keys") / "keys.sqlite3"
    command = [sys.executable, "-m", "shizi", "auth", "create-key", "--tenant", "office", "--name", "browser"]
    made = subprocess.run(
        [*command, "--scope", "ocr", "--scope", "jobs", "--api-keys", file], check=True, capture_output=True, text=True
    )
    return next(word for word in made.stdout.split() if word.startswith("shizi")), file


@pytest.fixture(scope="module")
def locked(built: None, key: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:  # noqa: ARG001 (needed first)
    data = tmp_path_factory.mktemp("locked")
    options = ("--api-keys", str(key[1]), "--anonymous", "never", "--data-dir", str(data))
    with Serve(*options) as process:
        process.until_ready()
        yield process


@pytest.fixture
def page(open_page: OpenPage, locked: Serve, watch: Watch) -> Page:
    watch.allow("401")
    return open_page(url=locked.url + "/")


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("API key or token").fill(key)
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()


def about_to_sign_out(page: Page, key: str) -> None:
    """A document is read, and the dialog asks whether to delete it."""
    give(page, "invoice.png")
    sign_in(page, key)
    expect(page.locator("nav [data-state=done]")).to_be_attached()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Sign out").click()


def kept(page: Page) -> str:
    """All that the browser holds for the page beside the session."""
    return str(page.evaluate("() => JSON.stringify({ ...localStorage }) + document.cookie"))


def test_a_key_is_asked_for_and_what_was_refused_is_read_with_it(page: Page, key: tuple[str, Path]) -> None:
    give(page, "invoice.png")
    dialog = page.get_by_role("dialog", name="Sign in")
    expect(dialog).to_be_visible()
    assert page.get_by_label("API key or token").get_attribute("type") == "password"
    assert axe(page) == []
    sign_in(page, key[0][:-4] + "XXXX")
    expect(dialog).to_contain_text("is not valid")
    sign_in(page, f" {key[0]} ")
    expect(dialog).to_have_count(0)
    expect(page.locator("nav [data-state=done]")).to_be_attached()
    expect(page.get_by_text(INVOICE).first).to_be_attached()
    assert key[0] not in kept(page)
    page.reload()
    expect(page.get_by_text(INVOICE).first).to_be_attached()
    give(page, "receipt.jpg")
    expect(page.locator("nav [data-state=done]")).to_have_count(2)
    other = page.context.new_page()  # a tab of its own has a session of its own
    other.goto(page.url)
    give(other, "receipt.jpg")
    expect(other.get_by_role("dialog", name="Sign in")).to_be_visible()


def test_whoever_does_not_sign_in_sees_why_nothing_is_read(page: Page) -> None:
    give(page, "invoice.png")
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("nav [data-state=failed]")).to_be_attached()
    page.locator("nav").get_by_role("button", name="Read invoice.png again").click()
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()


def test_signing_out_leaves_nothing_to_read(page: Page, key: tuple[str, Path]) -> None:
    about_to_sign_out(page, key[0])
    dialog = page.get_by_role("dialog", name="Sign out")
    dialog.get_by_role("button", name="delete them").click()
    expect(page.get_by_role("heading", name="Drop a scan here")).to_be_visible()
    expect(page.locator("nav li")).to_have_count(0)
    expect(dialog).to_have_count(0)
    assert page.evaluate("() => sessionStorage.getItem('shizi.key')") is None
    page.reload()
    expect(page.get_by_role("heading", name="Drop a scan here")).to_be_visible()
    expect(page.get_by_text("invoice.png")).to_have_count(0)
    assert key[0] not in kept(page)


def test_the_key_is_gone_first_and_the_dialog_last_where_deleting_takes_time(page: Page, key: tuple[str, Path]) -> None:
    about_to_sign_out(page, key[0])
    page.evaluate(HOLD)
    dialog = page.get_by_role("dialog", name="Sign out")
    dialog.get_by_role("button", name="delete them").click()
    expect(page.locator("nav li")).to_have_count(0)
    page.wait_for_function("() => sessionStorage.getItem('shizi.key') === null")
    expect(dialog).to_be_visible()
    page.evaluate("() => { window.held = false }")
    expect(dialog).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="Drop a scan here")).to_be_visible()
    expect(page.get_by_text("invoice.png")).to_have_count(0)
