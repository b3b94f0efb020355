"""BMP headers."""

from __future__ import annotations

import struct

import pytest

from shizi.errors import CorruptDocument, ImageTooLarge
from shizi.imaging.headers.bmp import bmp_frame


def bmp(width: int, height: int, bits: int = 24, compression: int = 0) -> bytes:
    return b"BM" + bytes(12) + struct.pack("<LllHHL", 40, width, height, 1, bits, compression) + bytes(20)


def test_both_headers() -> None:
    frame = bmp_frame(bmp(20, -30))
    assert (frame.width, frame.height) == (20, 30)
    old = bmp_frame(b"BM" + bytes(12) + struct.pack("<LHHHH", 12, 20, 30, 1, 8))
    assert (old.width, old.height) == (20, 30)


def test_run_lengths_are_bounded() -> None:
    with pytest.raises(ImageTooLarge, match="run-length"):
        bmp_frame(bmp(10_000, 10_000, 8, 1))
    assert bmp_frame(bmp(100, 100, 8, 1)).width == 100


def test_truncated() -> None:
    with pytest.raises(CorruptDocument, match="truncated"):
        bmp_frame(bmp(20, 30)[:20])
