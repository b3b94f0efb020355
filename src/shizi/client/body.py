"""Bodies of requests, made piece by piece: forms with documents, and JSON."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shizi.client.upload import Upload
from shizi.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent with a request.

    Attributes:
        media_type: with the boundary where it is a form.
        parts: in their order.
    """

    media_type: str
    parts: tuple[bytes | Upload, ...]

    @property
    def size(self) -> int | None:
        """Bytes of it; None where only the end tells."""
        sizes = [len(part) if isinstance(part, bytes) else part.size for part in self.parts]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    @property
    def again(self) -> bool:
        """Whether it can be sent a second time."""
        return all(isinstance(part, bytes) or part.again for part in self.parts)

    @property
    def in_memory(self) -> bool:
        """Whether making its pieces waits for no disk."""
        return all(isinstance(part, bytes) for part in self.parts)

    def pieces(self) -> Iterator[bytes]:
        """The bytes, from the beginning each time."""
        for part in self.parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from _exactly(part)


def form(
    fields: Mapping[str, str], documents: Sequence[tuple[str, Upload]], names: Sequence[str | None] | None = None
) -> Body:
    """A form (RFC 7578): first its small values, then the documents, each under a name. Names of files are not sent by themselves.

    Args:
        fields: names of our own → values.
        documents: names of our own and what they hold; a name may come again.
        names: of the files, where they are to be sent.
    """
    boundary = secrets.token_hex(16)
    parts: list[bytes | Upload] = []
    values = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode("utf-8", "replace")
        for name, value in fields.items()
    )
    for (name, document), file in zip(documents, names or [None] * len(documents), strict=True):
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{_escaped(file or "document")}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        parts += [values + head.encode("utf-8", "replace"), document, b"\r\n"]
        values = b""
    parts.append(values + f"--{boundary}--\r\n".encode())
    return Body(f"multipart/form-data; boundary={boundary}", tuple(parts))


def _escaped(name: str) -> str:
    """A file's name within quotes, as browsers write it (the HTML standard, "multipart/form-data encoding")."""
    return name[:200].replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def json_body(value: Mapping[str, Any]) -> Body:
    """A JSON object."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return Body("application/json", (text.encode("ascii"),))


def _exactly(document: Upload) -> Iterator[bytes]:
    """The bytes of a document, as many as were announced.

    Raises:
        InvalidRequest: it became shorter or longer meanwhile.
    """
    left = document.size
    for piece in document.pieces():
        left = None if left is None else left - len(piece)
        if left is not None and left < 0:
            break
        yield piece
    if left:
        raise InvalidRequest("the document changed its size while it was sent; send it again")
