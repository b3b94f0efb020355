"""The built web page: its files, taken into memory once, so that no address can name any other file."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shizi.errors import InvalidRequest

BUILT: Final = Path(__file__).parent / "ui"
INDEX: Final = "index.html"
MOST_FILES: Final = 2_000
MOST_BYTES: Final = 64 * 2**20

_GZIP: Final = ".gz"
# As the bundler names what it may cache for ever: a hash of eight characters before the suffix.
_HASHED: Final = re.compile(r"assets/[^/]+-[A-Za-z0-9_-]{8}\.[a-z0-9]+")
# Not mimetypes: what a machine's own tables say of .js or .wasm decides whether a browser runs them.
_TYPES: Final = {
    ".bcmap": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class SiteFile:
    """One file of the page.

    Attributes:
        content: its bytes.
        zipped: the same in gzip, where the build made it.
        media_type: of `content`.
        digest: of `content`, short, for entity tags.
        hashed: whether its name changes with its content.
    """

    content: bytes
    zipped: bytes | None
    media_type: str
    digest: str
    hashed: bool


def site(folder: Path) -> Mapping[str, SiteFile]:
    """Path below the folder → file; empty where no page was built. Links, folders and whatever else is no file are left out.

    Raises:
        InvalidRequest: there is more than a built page can be.
    """
    contents = dict(_contents(folder))
    if INDEX not in contents:
        return {}
    return {
        name: SiteFile(
            content,
            contents.get(name + _GZIP),
            _TYPES.get(Path(name).suffix, "application/octet-stream"),
            hashlib.sha256(content).hexdigest()[:20],
            _HASHED.fullmatch(name) is not None,
        )
        for name, content in contents.items()
        if not name.endswith(_GZIP)
    }


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    files, left = 0, MOST_BYTES
    for path, _, names in os.walk(folder):
        for name in sorted(names):
            file = Path(path, name)
            if not stat.S_ISREG(file.lstat().st_mode):
                continue
            content = _bounded(file, left)
            files, left = files + 1, left - len(content)
            if files > MOST_FILES or left < 0:
                raise InvalidRequest(
                    f"{folder} holds more than {MOST_FILES} files or {MOST_BYTES} bytes, which no web page of shizi has: "
                    "build it again (make web), or start without it (--no-ui)"
                )
            yield file.relative_to(folder).as_posix(), content


def _bounded(file: Path, most: int) -> bytes:
    with file.open("rb") as stream:
        return stream.read(most + 1)
