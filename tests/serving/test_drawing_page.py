"""Pages as pictures that every browser shows."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from shizi.errors import ImageTooLarge, InvalidRequest
from shizi.imaging.limits import Limits
from shizi.serving.drawing_page import page_picture

SAMPLES = Path(__file__).parent.parent.parent / "samples"


def png(size: tuple[int, int], turned: int | None = None) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size, "white")
    image.paste((200, 0, 0), (0, 0, size[0] // 2, size[1] // 2))
    exif = Image.Exif()
    if turned is not None:
        exif[0x0112] = turned
    image.save(out, "PNG", exif=exif)
    return out.getvalue()


def test_a_small_page_stays_as_it_is_pixel_by_pixel() -> None:
    data, facts = page_picture(png((60, 30)), None, Limits(), 1, 2048, "png")
    shown = Image.open(io.BytesIO(data))
    assert (shown.size, facts) == ((60, 30), {"width": 60, "height": 30, "pages": 1})
    assert shown.getpixel((0, 0)) == (200, 0, 0)
    assert shown.getpixel((59, 29)) == (255, 255, 255)


def test_it_is_upright_and_no_side_vanishes() -> None:
    data, facts = page_picture(png((900, 300), turned=6), None, Limits(), 1, 90, "jpeg")
    shown = Image.open(io.BytesIO(data))
    assert (shown.format, shown.size) == ("JPEG", (30, 90))
    assert (facts["width"], facts["height"]) == (300, 900)
    corner = shown.getpixel((29, 0))  # a quarter-turn clockwise brings the top left corner there
    assert isinstance(corner, tuple)
    assert corner[0] > 150 > 60 > corner[1]
    data, _ = page_picture(png((2000, 2)), None, Limits(), 1, 16, "png")
    assert Image.open(io.BytesIO(data)).size == (16, 1)


def test_a_page_of_a_pdf_is_rendered() -> None:
    data, facts = page_picture((SAMPLES / "report.pdf").read_bytes(), None, Limits(), 2, 400, "jpeg")
    assert max(Image.open(io.BytesIO(data)).size) == 400
    assert facts["pages"] == 2
    assert facts["height"] > facts["width"] > 1000


def test_limits_are_those_of_decoding() -> None:
    with pytest.raises(ImageTooLarge, match="max_pixels"):
        page_picture(png((60, 30)), None, Limits(max_pixels=1000), 1, 100, "png")
    with pytest.raises(InvalidRequest, match="no page 2"):
        page_picture(png((60, 30)), None, Limits(), 2, 100, "png")
