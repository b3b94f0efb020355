"""TIFF directories and the traps in them."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from shizi.errors import CorruptDocument, ImageTooLarge, UnsupportedFormat
from shizi.imaging.decode import open_pages
from shizi.imaging.headers.tiff import tiff_directories, tiff_frame

SHORT, LONG = 3, 4


def tiff(pixels: bytes = bytes(64), changes: dict[int, tuple[int, int, int]] | None = None) -> bytes:
    """One 8 x 8 grey page; changes are tag: (type, count, value). Its directory is followed by itself."""
    tags = {256: (SHORT, 1, 8), 257: (SHORT, 1, 8), 258: (SHORT, 1, 8), 259: (SHORT, 1, 1), 262: (SHORT, 1, 1)}
    tags |= {273: (LONG, 1, 8), 277: (SHORT, 1, 1), 278: (LONG, 1, 8), 279: (LONG, 1, len(pixels))}
    tags |= changes or {}
    rows = b"".join(struct.pack("<HHLL", tag, *entry) for tag, entry in sorted(tags.items()))
    at = 8 + len(pixels)
    return struct.pack("<2sHL", b"II", 42, at) + pixels + struct.pack("<H", len(tags)) + rows + struct.pack("<L", at)


def test_a_chain_that_comes_back_to_itself_ends() -> None:
    (page,) = open_pages(tiff(bytes(range(64))))
    assert page.pixels is not None
    assert page.pixels[7, 7].tolist() == [63, 63, 63]


def test_metadata_that_points_anywhere_does_no_harm() -> None:
    (page,) = open_pages(
        tiff(bytes(range(64)), {270: (2, 10**9, 10**9), 34665: (LONG, 1, 10**9), 700: (1, 2**32 - 1, 4)})
    )
    assert page.pixels is not None
    assert page.pixels[0, 5].tolist() == [5, 5, 5]


def test_a_tag_with_too_many_values_counts_its_first() -> None:
    (page,) = open_pages(tiff(changes={259: (SHORT, 2, 1)}))
    assert page.width == 8


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({273: (LONG, 1, 10**6)}, "behind the end"),
        ({279: (LONG, 1, 10**6)}, "behind the end"),
        ({258: (SHORT, 1000, 10**8)}, "behind the end"),
        ({256: (SHORT, 1, 0)}, "0 x 8"),
        ({277: (SHORT, 1, 60000)}, "60000 samples"),
        ({256: (11, 1, 8)}, "whole numbers"),
        ({273: (LONG, 1, 10**6), 279: (LONG, 0, 0)}, "behind the end"),  # no lengths: up to the end of the file
        ({273: (LONG, 0, 0)}, "without image data"),
    ],
)
def test_pages_that_make_no_sense(changes: dict[int, tuple[int, int, int]], word: str) -> None:
    with pytest.raises(CorruptDocument, match=word):
        list(open_pages(tiff(changes=changes)))


def test_unknown_compression() -> None:
    with pytest.raises(UnsupportedFormat, match="compression 34712"):
        list(open_pages(tiff(changes={259: (SHORT, 1, 34712)})))


def test_a_huge_tile_of_a_small_page_is_refused_before_it_is_unpacked() -> None:
    tile = {322: (LONG, 1, 60000), 323: (LONG, 1, 60000), 324: (LONG, 1, 8), 325: (LONG, 1, 64)}
    with pytest.raises(ImageTooLarge, match="max_memory"):
        list(open_pages(tiff(changes={259: (SHORT, 1, 8), **tile})))


def test_strips_that_are_all_the_same_bytes_are_refused() -> None:
    offsets = struct.pack("<8L", *[8] * 8) + struct.pack("<8L", *[64] * 8)
    data = tiff(bytes(64) + offsets, {273: (LONG, 8, 72), 279: (LONG, 8, 104), 278: (LONG, 1, 1)})
    with pytest.raises(CorruptDocument, match="behind the end"):
        list(open_pages(data))


def test_each_page_is_a_small_file_of_its_own() -> None:
    frames = [Image.effect_noise((64, 64), 90) for _ in range(5)]
    out = io.BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:], compression="tiff_lzw")
    directories = tiff_directories(out.getvalue())
    assert len(directories.offsets) == 5
    for index, frame in enumerate(frames):
        stream = tiff_frame(directories, index).data
        assert len(stream) < len(out.getvalue()) / 3
        assert Image.open(io.BytesIO(stream)).tobytes() == frame.tobytes()


@pytest.mark.parametrize(
    "data", [b"II*\0", b"II*\0\0\0\0\0", b"MM\0*\xff\xff\xff\xff", b"II+\0\x08\0\0\0" + b"\xff" * 8]
)
def test_no_directory(data: bytes) -> None:
    with pytest.raises(CorruptDocument, match="TIFF"):
        tiff_directories(data)
