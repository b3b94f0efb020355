"""A browser before a real server: `shizi serve` with real models, Debian's Chromium.

A test takes `page` (English, light, 1280 pixels wide) or `open_page(language, theme, width)`. Both fail the test in the end where
the console had an error, which every violation of the Content-Security-Policy is, or where anything was asked of another origin;
`watch.allow(pattern)` says what a test expects of these.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from shizi.serving.site import BUILT, INDEX
from tests.e2e.page.harness import LOCALES, ROOT, Language, Theme, Watch
from tests.e2e.test_serve import Serve

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
# No GPU, no connection but those that pages ask for.
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
)
PATIENCE_MS = 60_000


class OpenPage(Protocol):
    """Opens the page in a browser of its own: nothing is kept from another one."""

    def __call__(
        self,
        language: Language = "en",
        theme: Theme = "light",
        width: int = 1280,
        height: int = 800,
        url: str | None = None,
    ) -> Page: ...


@pytest.fixture(scope="session")
def built() -> None:
    """The page as its sources are now."""
    with Path(tempfile.gettempdir(), "shizi-page.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_old(BUILT / INDEX):
            subprocess.run([ROOT / "scripts" / "web.sh", Path(sys.executable).parent, "build"], check=True, timeout=280)


def _is_old(index: Path) -> bool:
    web = ROOT / "web"
    sources = [path for top in ("src", "public") for path in (web / top).rglob("*")] + list(web.glob("*.*"))
    return not index.exists() or max(path.stat().st_mtime for path in sources) > index.stat().st_mtime


@pytest.fixture(scope="session")
def served(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:  # noqa: ARG001 (needed first)
    """A server for all tests of the page, with data of its own."""
    with Serve("--data-dir", str(tmp_path_factory.mktemp("served"))) as process:
        process.until_ready()
        yield process


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one file of tests, and no longer: while it is there, no test of this process can run asyncio."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What the browsers of a test do without being seen; looked at in the end."""
    watch = Watch()
    yield watch
    assert watch.unexpected() == []


@pytest.fixture
def open_page(browser: Browser, served: Serve, watch: Watch) -> Iterator[OpenPage]:
    closing: list[Callable[[], None]] = []

    def opened(
        language: Language = "en", theme: Theme = "light", width: int = 1280, height: int = 800, url: str | None = None
    ) -> Page:
        address = url or served.url + "/"
        context = browser.new_context(
            locale=LOCALES[language],
            color_scheme=theme,
            viewport={"width": width, "height": height},
            permissions=["clipboard-read", "clipboard-write"],
        )
        closing.append(context.close)
        context.set_default_timeout(PATIENCE_MS)
        watch.over(context, "/".join(address.split("/")[:3]))
        page = context.new_page()
        page.goto(address)
        page.locator("#app > *").first.wait_for()
        return page

    yield opened
    for close in closing:
        close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page()
