"""What the tests of the page do with a browser, and what they must not overlook in one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

from tests.e2e.test_serve import SAMPLES

Language = Literal["en", "zh"]
Theme = Literal["light", "dark"]

LOCALES: Final = {"en": "en-US", "zh": "zh-CN"}
ROOT: Final = SAMPLES.parent
_AXE: Final = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
_RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
_OWN: Final = ("blob", "data", "about")  # made by the page itself, not fetched


@dataclass(slots=True)
class Watch:
    """What goes wrong in a browser without failing anything: errors on its console, and requests to elsewhere.

    Attributes:
        faults: that were seen.
        allowed: patterns of those that a test expects, such as the 401 of a key that is wrong.
    """

    faults: list[str] = field(default_factory=list)
    allowed: list[re.Pattern[str]] = field(default_factory=list)

    def allow(self, *patterns: str) -> None:
        """A test expects these (regular expressions, searched for)."""
        self.allowed.extend(re.compile(pattern) for pattern in patterns)

    def over(self, context: BrowserContext, origin: str) -> None:
        """From now on, in all pages and workers of a context."""

        def said(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

        def asked(request: Request) -> None:
            parts = urlsplit(request.url)
            if parts.scheme not in _OWN and f"{parts.scheme}://{parts.netloc}" != origin:
                self.faults.append(f"leaves the origin: {request.method} {request.url}")

        context.on("console", said)
        context.on("request", asked)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))

    def unexpected(self) -> list[str]:
        """The faults that no test asked for."""
        return [fault for fault in self.faults if not any(pattern.search(fault) for pattern in self.allowed)]


def give(page: Page, *files: str | Path) -> None:
    """Picks files, as a person does in the dialogue of the browser; a name alone is that of a sample."""
    paths = [SAMPLES / file for file in files]  # a path that is absolute stays what it is
    field_ = page.locator("input[type=file]:not([webkitdirectory]):not([capture])").first
    field_.set_input_files(paths)


def axe(page: Page, *, without: Sequence[str] = ()) -> list[str]:
    """The violations of WCAG 2.2 A and AA that axe-core finds: rule, what is wrong, and the first places.

    Args:
        page: as it is now.
        without: ids of rules that are left out; say in the test why.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE.read_text(encoding="utf-8"))
    options: dict[str, Any] = {
        "runOnly": {"type": "tag", "values": list(_RULES)},
        "rules": {rule: {"enabled": False} for rule in without},
        "resultTypes": ["violations"],
    }
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{each['id']}: {each['help']}: " + "; ".join(node["html"] for node in each["nodes"][:3])
        for each in found["violations"]
    ]


def until(page: Page, holds: Callable[[], bool], wait_s: float = 60.0) -> None:
    """Lets the browser go on until something holds; what it tells is heard meanwhile."""
    end = time.monotonic() + wait_s
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        page.wait_for_timeout(20)
