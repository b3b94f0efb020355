"""Builds the web page before it is packed, so that who installs shizi needs no Node.js."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PAGE = Path("src", "shizi", "serving", "ui", "index.html")
_SOURCES = ("src/**/*", "public/**/*", "*.*")


class WebPage(BuildHookInterface[Any]):
    """The page is built where its sources are there and newer; an unpacked sdist has the built page alone."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (the interface of hatchling)
        """Before the files are gathered; installing for development packs nothing and builds nothing."""
        if version == "editable":
            return
        root = Path(self.root)
        if _is_old(root):
            _build(root / "web")
        if not (root / _PAGE).is_file():
            raise RuntimeError(f"{_PAGE} is not there, and web/, from which it is built, is not either")


def _is_old(root: Path) -> bool:
    sources = [file.stat().st_mtime for pattern in _SOURCES for file in (root / "web").glob(pattern) if file.is_file()]
    page = root / _PAGE
    return bool(sources) and (not page.is_file() or page.stat().st_mtime < max(sources))


def _build(web: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(
            "the web page is not built, or older than web/, and there is no npm to build it: run `make web`, which brings one, "
            "or install Node.js 20.19 or later"
        )
    wanted, installed = web / "package-lock.json", web / "node_modules" / ".installed-lock"  # as scripts/web.sh has it
    if not installed.is_file() or installed.read_bytes() != wanted.read_bytes():
        subprocess.run([npm, "ci", "--loglevel=error"], cwd=web, check=True)  # noqa: S603 (found on the PATH by who builds)
        shutil.copyfile(wanted, installed)
    subprocess.run([npm, "run", "--silent", "build"], cwd=web, check=True)  # noqa: S603
