"""What the web page is built with, on any machine."""

from __future__ import annotations

import json
import re
from pathlib import Path

WEB = Path(__file__).parent.parent.parent / "web"


def test_the_lock_works_with_any_registry_and_checks_what_comes() -> None:
    packages = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    fetched = {name: entry for name, entry in packages.items() if name}
    assert [name for name, entry in fetched.items() if "resolved" in entry] == []
    assert [name for name, entry in fetched.items() if not entry["integrity"].startswith("sha512-")] == []


def test_versions_are_exact() -> None:
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    versions = package["dependencies"] | package["devDependencies"]
    assert {name: text for name, text in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", text)} == {}


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    html = (WEB / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!\./|/src/main\.ts")[^"]*"', html) == []
