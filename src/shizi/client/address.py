"""Where the server is: its address, checked once, and the addresses below it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from shizi.errors import InvalidRequest

_KEY: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1
_LONGEST_KEY: Final = 16_384


@dataclass(frozen=True, slots=True)
class Address:
    """The base address of a server, with the path under which a proxy may have put it; ends with a slash."""

    base: str

    @property
    def safe(self) -> bool:
        """Whether the way there is encrypted."""
        return self.base.startswith("https:")

    def of(self, path: str) -> str:
        """The address of a path such as `v1/ocr`."""
        return self.base + path


def parse_address(url: str) -> Address:
    """The address of a server.

    Raises:
        InvalidRequest: it is no http or https address of a host, or holds what belongs elsewhere: a name and password, a
            query.
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url.strip():
        raise InvalidRequest("the server's address is not like https://ocr.example.org or http://127.0.0.1:8000")
    if "@" in parts.netloc:
        raise InvalidRequest("the server's address holds a name or password; give a key or token instead")
    if parts.query or parts.fragment:
        raise InvalidRequest("the server's address has a query or a fragment; give it up to the path, without both")
    return Address(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/")


def authorization(key: str | None) -> dict[str, str]:
    """The header that carries an API key or token.

    Raises:
        InvalidRequest: it is none; the message does not quote it.
    """
    if key is None:
        return {}
    if len(key) > _LONGEST_KEY or _KEY.fullmatch(key) is None:
        raise InvalidRequest("the key or token is empty, too long, or has characters that none has")
    return {"Authorization": f"Bearer {key}"}
