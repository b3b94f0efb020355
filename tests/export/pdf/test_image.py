"""Pictures inside of PDFs look as the file did, and stay small."""

from __future__ import annotations

import io

import numpy as np
import pypdfium2 as pdfium
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from shizi.export.base import Original
from shizi.export.pdf.image import A4_LONG_SIDE, dots_per_inch, jpeg_as_it_is, pack
from shizi.export.pdf.searchable import render
from shizi.imaging.limits import Limits
from shizi.types import Document, Page

RANDOM = np.random.default_rng(0)


def corners_picture(width: int = 240, height: int = 160) -> Image.Image:
    """A colour per corner, so that every turn and mirroring shows."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[: height // 2, : width // 2] = (220, 30, 30)
    pixels[: height // 2, width // 2 :] = (30, 160, 30)
    pixels[height // 2 :, : width // 2] = (30, 30, 220)
    return Image.fromarray(pixels)


def jpeg(image: Image.Image, orientation: int = 1, **options: object) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "a secret place"
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, exif=exif, **options)
    return out.getvalue()


def shown(data: bytes, width: int, height: int) -> NDArray[np.int16]:
    """The first page as pdfium draws it."""
    document = pdfium.PdfDocument(data)
    page = document[0]
    bitmap = page.render(scale=width / page.get_width())
    image = bitmap.to_pil().convert("RGB").resize((width, height))
    document.close()
    return np.asarray(image).astype(np.int16)


def exported(data: bytes, width: int, height: int) -> bytes:
    return render(Document((Page(1, width, height),)), Original(data, None, Limits()))


def assert_alike(one: NDArray[np.int16], other: Image.Image) -> None:
    assert np.abs(one - np.asarray(other.convert("RGB")).astype(np.int16)).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_shown_as_its_exif_block_says(orientation: int) -> None:
    data = jpeg(corners_picture(), orientation)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    pdf = exported(data, *upright.size)
    assert_alike(shown(pdf, *upright.size), upright)
    assert b"/DCTDecode" in pdf


def test_the_jpeg_stream_is_kept_but_not_its_metadata_nor_what_follows() -> None:
    data = jpeg(corners_picture(), comment=b"also secret") + jpeg(corners_picture())
    picture = jpeg_as_it_is(data)
    assert picture is not None
    scan = data.index(b"\xff\xda")
    assert picture.data.endswith(data[scan : data.index(b"\xff\xd9", scan) + 2])
    assert b"secret" not in picture.data
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(picture.data))), np.asarray(Image.open(io.BytesIO(data)))
    )


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpegs_of_all_colour_spaces_look_right(mode: str, progressive: bool) -> None:
    image = corners_picture().convert(mode)
    data = jpeg(image, progressive=progressive)
    assert (jpeg_as_it_is(data) is None) == (mode == "CMYK")
    assert_alike(shown(exported(data, 240, 160), 240, 160), Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P"])
def test_pictures_of_text_stay_lossless(mode: str) -> None:
    out = io.BytesIO()
    image = corners_picture().convert(mode)
    image.save(out, "PNG")
    pdf = exported(out.getvalue(), 240, 160)
    assert b"/DCTDecode" not in pdf
    assert (b"/BitsPerComponent 1" in pdf) == (mode == "1")
    assert np.abs(shown(pdf, 240, 160) - np.asarray(image.convert("RGB")).astype(np.int16)).max() <= 1


def test_photos_become_jpeg_and_small() -> None:
    grain = RANDOM.normal(0, 30, (600, 500, 1)) + np.linspace((60, 128, 200), (200, 128, 60), 500)
    noise = grain.clip(0, 255).astype(np.uint8)
    smooth = np.asarray(Image.fromarray(noise).resize((1000, 1200), Image.Resampling.BICUBIC))
    packed = pack(smooth, photo=False)
    assert "/DCTDecode" in packed.entries
    assert len(packed.data) < smooth.nbytes / 5
    decoded = np.asarray(Image.open(io.BytesIO(packed.data))).astype(np.int16)
    assert np.abs(decoded - smooth).mean() < 6


def test_a_black_and_white_scan_takes_a_bit_per_pixel_at_most() -> None:
    scan = np.where(RANDOM.random((400, 333, 1)) < 0.5, 0, 255).astype(np.uint8).repeat(3, axis=2)
    packed = pack(scan, photo=False)
    assert len(packed.data) < 1.1 * 400 * 333 / 8


def png(width: int, height: int, dpi: tuple[float, float] | None) -> bytes:
    out = io.BytesIO()
    Image.new("1", (width, height)).save(out, "PNG", **({"dpi": dpi} if dpi else {}))
    return out.getvalue()


@pytest.mark.parametrize(
    ("size", "stated", "expected"),
    [
        ((2480, 3508), (300, 300), 300),  # A4, as scanned
        ((2480, 3508), None, 300),  # A4 again, by its pixels
        ((3000, 4000), (72, 72), 4000 / A4_LONG_SIDE),  # a camera's default would make a page of 1.4 m
        ((2480, 3508), (300, 150), 300),  # a fax: its page keeps the pixels' proportions
        ((500, 300), (96, 96), 96),  # a cut-out from a screen
        ((300, 200), None, 72),  # never coarser than the screen of old
        ((9000, 20000), None, 600),  # never finer than a scanner
    ],
)
def test_the_page_has_the_size_that_it_had_on_paper(
    size: tuple[int, int], stated: tuple[float, float] | None, expected: float
) -> None:
    assert dots_per_inch(png(*size, stated), *size) == pytest.approx(expected, rel=0.01)


def test_a_damaged_header_says_no_resolution() -> None:
    for data in (b"", b"II*\0\xff\xff\xff\xff", b"\x89PNG\r\n", png(10, 10, None)[:20], b"BM"):
        assert dots_per_inch(data, 1000, 1000) == pytest.approx(1000 / A4_LONG_SIDE)
