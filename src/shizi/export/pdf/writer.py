"""A small writer of PDF 1.7 files (ISO 32000-1, section 7.5): objects in, one file with a cross-reference table out."""

from __future__ import annotations

import zlib


def number(value: float, decimals: int = 3) -> str:
    """A PDF number without exponent, trailing zeros or a negative zero."""
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


class PdfFile:
    """Collects the objects of one file; an object is known by its number, from 1."""

    def __init__(self) -> None:
        self._objects: list[bytes] = []

    def reserve(self) -> int:
        """The number of an object whose body is given later, by `put`."""
        self._objects.append(b"null")
        return len(self._objects)

    def put(self, reference: int, body: str) -> None:
        """Give a reserved object its body."""
        self._objects[reference - 1] = body.encode("ascii")

    def add(self, body: str) -> int:
        """Add an object; answers its number."""
        self._objects.append(body.encode("ascii"))
        return len(self._objects)

    def stream(self, entries: str, data: bytes, *, compressed: bool = False) -> int:
        """Add a stream with the dictionary `entries`; deflated here unless the data is compressed already."""
        if not compressed:
            data, entries = zlib.compress(data, 9), f"{entries} /Filter /FlateDecode"
        head = f"<< {entries.strip()} /Length {len(data)} >>\nstream\n".encode("ascii")
        self._objects.append(b"".join((head, data, b"\nendstream")))
        return len(self._objects)

    def serialise(self, root: int, info: int) -> bytes:
        """The whole file, with the catalog `root`."""
        # The comment of bytes above 127 tells transfer programs that the file is binary.
        parts = [b"%PDF-1.7\n%\xe5\xad\x97\xe8\n"]
        offset = len(parts[0])
        table = [b"0000000000 65535 f \n"]
        for index, body in enumerate(self._objects, start=1):
            part = b"".join((str(index).encode("ascii"), b" 0 obj\n", body, b"\nendobj\n"))
            table.append(f"{offset:010d} 00000 n \n".encode("ascii"))
            parts.append(part)
            offset += len(part)
        size = len(table)
        trailer = f"trailer\n<< /Size {size} /Root {root} 0 R /Info {info} 0 R >>\nstartxref\n{offset}\n%%EOF\n"
        return b"".join((*parts, f"xref\n0 {size}\n".encode("ascii"), *table, trailer.encode("ascii")))
