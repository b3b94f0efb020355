"""A tiny writer of PDF files, so that each test says exactly what stands in its PDF."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

PAD = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


@dataclass(frozen=True)
class Sheet:
    """A page: its content stream, and a grey image /Im (width, height, one byte per pixel) if it draws one."""

    content: str = ""
    size: tuple[float, float] = (300, 200)
    rotate: int = 0
    image: tuple[int, int, bytes] | None = None
    crop: tuple[float, float, float, float] | None = None


MakePdf = Callable[..., bytes]


def rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def write_pdf(sheets: Sequence[Sheet], password: str | None = None) -> bytes:
    """A PDF with fonts /F1 (Helvetica) and /F2 (Chinese, not embedded, UTF-16), encrypted if there is a password."""
    owner, key = b"", b""
    if password is not None:  # standard security handler, revision 2: 40 bits of RC4
        padded = (password.encode("latin-1") + PAD)[:32]
        owner = rc4(hashlib.md5(padded).digest()[:5], padded)
        key = hashlib.md5(padded + owner + b"\xfc\xff\xff\xff" + b"id").digest()[:5]
    objects: list[bytes] = []

    def add(body: str, stream: bytes | None = None) -> int:
        number = len(objects) + 1
        data = b""
        if stream is not None:
            if key:
                stream = rc4(hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[:10], stream)
            body = (
                body.replace(">>", f"/Length {len(stream)} >>", 1)
                if body == "<< >>"
                else f"{body[:-2]} /Length {len(stream)} >>"
            )
            data = b"\nstream\n" + stream + b"\nendstream"
        objects.append(f"{number} 0 obj\n{body}".encode("latin-1") + data + b"\nendobj\n")
        return number

    catalog = add("<< /Type /Catalog /Pages 2 0 R >>")
    kids = [6 + 3 * index for index in range(len(sheets))]
    add(f"<< /Type /Pages /Count {len(sheets)} /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] >>")
    add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    add("<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UTF16-H /DescendantFonts [5 0 R] >>")
    add(
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo "
        "<< /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /DW 1000 >>"
    )
    for sheet in sheets:
        number = len(objects) + 1
        box = f"/MediaBox [0 0 {sheet.size[0]} {sheet.size[1]}] /Rotate {sheet.rotate}"
        box += f" /CropBox [{' '.join(map(str, sheet.crop))}]" if sheet.crop else ""
        resources = f"<< /Font << /F1 3 0 R /F2 4 0 R >> /XObject << /Im {number + 2} 0 R >> >>"
        add(f"<< /Type /Page /Parent 2 0 R {box} /Resources {resources} /Contents {number + 1} 0 R >>")
        add("<< >>", sheet.content.encode("latin-1"))
        width, height, grey = sheet.image or (1, 1, b"\0")
        image = f"/Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray /BitsPerComponent 8"
        add(f"<< /Type /XObject {image} /Filter /FlateDecode >>", zlib.compress(grey))
    encrypt = ""
    if key:
        number = len(objects) + 1
        user = rc4(key, PAD)
        objects.append(
            f"{number} 0 obj\n<< /Filter /Standard /V 1 /R 2 /O <{owner.hex()}> /U <{user.hex()}> /P -4 >>\n".encode()
            + b"endobj\n"
        )
        encrypt = f"/Encrypt {number} 0 R /ID [<{b'id'.hex()}> <{b'id'.hex()}>]"
    out = bytearray(b"%PDF-1.5\n")
    places = []
    for item in objects:
        places.append(len(out))
        out += item
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    out += (
        f"trailer\n<< /Size {len(objects) + 1} /Root {catalog} 0 R {encrypt} >>\nstartxref\n{start}\n%%EOF\n".encode()
    )
    return bytes(out)


@pytest.fixture
def make_pdf() -> MakePdf:
    """make_pdf(*sheets as dictionaries, password=None) gives the bytes of a PDF."""

    def make(*sheets: dict[str, object], password: str | None = None) -> bytes:
        return write_pdf([Sheet(**sheet) for sheet in sheets], password)  # type: ignore[arg-type]

    return make
