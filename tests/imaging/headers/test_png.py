"""PNG headers and the traps in them."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from shizi.errors import CorruptDocument
from shizi.imaging.headers.png import png_frame


def png(**options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, "PNG", **options)
    return out.getvalue()


def with_chunk(data: bytes, kind: bytes, body: bytes) -> bytes:
    chunk = struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))
    return data[:33] + chunk + data[33:]


def test_compressed_text_is_never_unpacked() -> None:
    data = with_chunk(png(), b"zTXt", b"Comment\0\0" + zlib.compress(bytes(10**8)))
    frame = png_frame(with_chunk(data, b"iCCP", b"p\0\0" + zlib.compress(bytes(10**8))))
    assert b"Comment" not in frame.data
    with PngImagePlugin.PngImageFile(io.BytesIO(frame.data)) as image:
        image.load()
        assert image.info == {}


def test_animation_chunks_are_left_out() -> None:
    frame = png_frame(with_chunk(png(), b"acTL", struct.pack(">LL", 7, 0)))
    assert b"acTL" not in frame.data
    assert frame.warnings == ("animated PNG: only its default image was read",)
    assert png_frame(with_chunk(png(), b"acTL", struct.pack(">LL", 1, 0))).warnings == ()


def test_an_exif_chunk_counts_only_with_its_checksum() -> None:
    exif = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHLHH", 274, 3, 1, 6, 0) + bytes(4)
    data = with_chunk(png(), b"eXIf", exif)
    assert png_frame(data).orientation == 6
    assert png_frame(data.replace(exif, exif.replace(b"\x06\0\0\0", b"\x08\0\0\0"))).orientation == 1


@pytest.mark.parametrize(("depth", "colour"), [(3, 0), (16, 3), (8, 5), (4, 2)])
def test_depths_that_the_standard_does_not_have(depth: int, colour: int) -> None:
    data = bytearray(png())
    data[24:26] = bytes([depth, colour])
    with pytest.raises(CorruptDocument, match="standard"):
        png_frame(bytes(data))


def test_no_header() -> None:
    with pytest.raises(CorruptDocument, match="header"):
        png_frame(png()[:20])
