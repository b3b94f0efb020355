"""Plain JPEG is decoded to the same pixels as Pillow's; anything else is left to Pillow."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from shizi.errors import CorruptDocument
from shizi.imaging.headers.jpeg import jpeg_frame
from shizi.imaging.jpeg import decode_jpeg
from shizi.imaging.raster import decode_frame


def picture(mode: str) -> Image.Image:
    ramp = np.linspace(0, 255, 120, dtype=np.float32)
    pixels = np.stack([ramp[None].repeat(80, 0), ramp[::-1][None].repeat(80, 0), np.full((80, 120), 90.0)], axis=2)
    return Image.fromarray(pixels.astype(np.uint8)).convert(mode)


def file(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("progressive", [False, True])
def test_the_pixels_are_those_of_pillow(mode: str, progressive: bool) -> None:
    data = file(picture(mode), progressive=progressive, quality=85)
    pixels = decode_jpeg(jpeg_frame(data))
    assert pixels is not None
    assert np.array_equal(pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def test_an_image_that_lies_on_its_side_is_turned() -> None:
    exif = Image.Exif()
    exif[274] = 6
    image = picture("RGB")
    upright = decode_frame(jpeg_frame(file(image, exif=exif, quality=95)))
    assert upright.shape == (120, 80, 3)
    assert np.abs(upright.astype(int) - np.asarray(image.rotate(-90, expand=True)).astype(int)).max() < 12


def test_four_inks_are_left_to_pillow() -> None:
    frame = jpeg_frame(file(picture("CMYK")))
    assert decode_jpeg(frame) is None
    assert decode_frame(frame).shape == (80, 120, 3)


def test_half_a_file_is_no_image() -> None:
    data = file(picture("RGB").resize((1200, 800)))
    frame = jpeg_frame(data[: len(data) // 2])
    assert decode_jpeg(frame) is None
    with pytest.raises(CorruptDocument, match="truncated"):
        decode_frame(frame)
