"""The documentation says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.docs import DOCS, pages
from shizi.cli import exits
from shizi.errors import taxonomy

ROOT = DOCS.parent
WRITTEN = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


@pytest.mark.parametrize("name", ["cli.md", "errors.md", "settings.md"])
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


def test_every_error_and_exit_code_is_on_the_page() -> None:
    text = pages()["errors.md"]
    for error in taxonomy():
        assert f"| `{error.code}` | {error.number} | {error.http_status} | {error.exit_code} |" in text
    for code in exits.MEANINGS:
        assert f"\n| {code} | " in text


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_options_that_are_written_about_exist(page: Path) -> None:
    reference = pages()["cli.md"]
    for line in re.findall(
        r"^\s*shizi (?:read|doctor|models|bench) .*$", page.read_text(encoding="utf-8"), re.MULTILINE
    ):
        for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", line.split("#")[0].split("|")[0]):
            assert re.search(rf"{option}\b", reference), f"{page.name}: {line.strip()}: no option {option}"
