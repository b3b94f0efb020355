from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shizi.errors import CorruptDocument, ImageTooLarge, ShiziError, UnsupportedFormat
from shizi.release.crop import MAX_CROP_BYTES, checked_crop
from tests.release.stores import png


def with_size(width: int, height: int) -> bytes:
    """A PNG whose header says so, whatever its pixels are."""
    header = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    data = png()
    return data[:16] + header + struct.pack(">L", zlib.crc32(b"IHDR" + header)) + data[33:]


def test_a_picture_keeps_its_pixels_and_loses_everything_else() -> None:
    data = checked_crop(png(comment="SECRET") + b"TRAILER")
    assert b"SECRET" not in data
    assert b"TRAILER" not in data
    assert Image.open(io.BytesIO(data)).size == (60, 20)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", UnsupportedFormat, "first bytes"),
        (b"\xff\xd8\xff" + bytes(50), UnsupportedFormat, "send a PNG"),
        (png()[:20], CorruptDocument, "header"),
        (png()[:-20], CorruptDocument, "breaks off"),
        (png()[:-12], CorruptDocument, "breaks off"),
        (with_size(0, 20), CorruptDocument, "no pixels"),
        (with_size(60_000, 20), ImageTooLarge, "60000 x 20"),
        (with_size(3000, 3000), ImageTooLarge, "3000 x 3000"),
        (png() + bytes(MAX_CROP_BYTES), ImageTooLarge, "limit is 1048576"),
    ],
)
def test_what_is_no_small_png_is_refused(data: bytes, error: type[ShiziError], words: str) -> None:
    with pytest.raises(error, match=words):
        checked_crop(data)


@given(st.binary(max_size=300), st.integers(0, 80))
def test_whatever_comes_it_is_kept_or_refused(noise: bytes, at: int) -> None:
    data = png()
    data = data[:at] + noise + data[at + len(noise) :]
    try:
        kept = checked_crop(data)
    except (UnsupportedFormat, CorruptDocument, ImageTooLarge):
        return
    assert len(kept) <= len(data)
