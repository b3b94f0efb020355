"""JPEG headers and the traps in them."""

from __future__ import annotations

import io
import time

import pytest
from PIL import Image

from shizi.errors import CorruptDocument, ImageTooLarge
from shizi.imaging.headers.jpeg import MAX_SCANS, jpeg_frame


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (40, 30)).save(out, "JPEG", **options)
    return out.getvalue()


def test_size_and_what_decoding_takes() -> None:
    baseline, progressive, grey = jpeg_frame(jpeg()), jpeg_frame(jpeg(progressive=True)), jpeg_frame(jpeg("L"))
    assert (baseline.width, baseline.height, baseline.orientation) == (40, 30, 1)
    assert grey.memory < baseline.memory < progressive.memory


def test_comments_profiles_and_thumbnails_do_not_reach_the_decoder() -> None:
    frame = jpeg_frame(jpeg(comment=b"hello" * 99, icc_profile=b"profile" * 999, exif=b"Exif\0\0junk"))
    assert b"hello" not in frame.data
    assert b"profile" not in frame.data
    assert b"Exif" not in frame.data
    assert Image.open(io.BytesIO(frame.data)).size == (40, 30)


def test_endless_scans_are_refused() -> None:
    data = jpeg(progressive=True)
    scan = data[data.index(b"\xff\xda") : -2]
    with pytest.raises(ImageTooLarge, match=rf"{MAX_SCANS} scans"):
        jpeg_frame(data[:-2] + scan * MAX_SCANS + b"\xff\xd9")


@pytest.mark.parametrize("between", [b"\0", b"\0\0", b"\xff\0\0", b"\xff"])
def test_every_scan_counts_at_even_and_odd_places(between: bytes) -> None:
    data = jpeg(progressive=True)
    more = MAX_SCANS - data.count(b"\xff\xda")
    jpeg_frame(data + (between + b"\xff\xda") * more)
    with pytest.raises(ImageTooLarge, match=rf"has {MAX_SCANS + 1} scans"):
        jpeg_frame(data + (between + b"\xff\xda") * (more + 1))


@pytest.mark.parametrize("junk", [b"\xff", b"\xff\x00", b"\xff\xd0", b"\xff\x01", b"junk"])
def test_what_stands_before_a_marker_is_passed_over_at_once(junk: bytes) -> None:
    data = jpeg()
    start = time.process_time()
    frame = jpeg_frame(data[:2] + junk * (40_000_000 // len(junk)) + data[2:])
    assert (frame.width, frame.height) == (40, 30)
    assert len(frame.data) < len(data) + 10
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize("keep", [3, 10, 100])
def test_no_image_in_it(keep: int) -> None:
    with pytest.raises(CorruptDocument, match="JPEG"):
        jpeg_frame(jpeg()[:keep])


def test_no_height() -> None:
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 7] = b"\0\0"
    with pytest.raises(CorruptDocument, match="height"):
        jpeg_frame(bytes(data))
