"""What an exporter is, and what some of them need besides the document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shizi.errors import InvalidRequest
from shizi.types import Document

if TYPE_CHECKING:
    from shizi.imaging.limits import Limits


@dataclass(frozen=True, slots=True)
class Original:
    """What a document was read from, for formats that show the page itself.

    Attributes:
        data: the whole file.
        password: the one that it was opened with.
        limits: bounds of decoding it again.
        apart: a PDF is opened in a process of its own; False where this process was made for the purpose.
    """

    data: bytes
    password: str | None
    limits: Limits
    apart: bool = True


@dataclass(frozen=True, slots=True)
class Exporter:
    """One output format.

    Attributes:
        name: as in `--format`.
        extension: of file names, with the dot.
        media_type: for HTTP.
        needs_original: True where `render` refuses None as the original.
        render: the document as bytes of this format.
    """

    name: str
    extension: str
    media_type: str
    needs_original: bool
    render: Callable[[Document, Original | None], bytes]


def required(original: Original | None, name: str) -> Original:
    """The original, or an error that says why it is needed.

    Raises:
        InvalidRequest: there is none.
    """
    if original is None:
        raise InvalidRequest(f"the format {name} shows the pages themselves: give the original file as well")
    return original


def encode(text: str) -> bytes:
    """UTF-8; half a surrogate pair, which no encoding can express, becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
