"""Every pixel format comes out as the RGB that a person would see."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shizi.errors import CorruptDocument
from shizi.imaging.decode import open_pages
from shizi.imaging.raster import as_stored

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def decode(data: bytes) -> NDArray[np.uint8]:
    (page,) = open_pages(data)
    assert page.pixels is not None
    assert page.pixels.flags.c_contiguous
    assert page.pixels.shape == (page.height, page.width, 3)
    return page.pixels


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def colours(pixels: NDArray[np.uint8]) -> list[tuple[int, ...]]:
    return [tuple(int(value) for value in pixel) for pixel in pixels[0]]


def near(pixel: NDArray[np.uint8], colour: tuple[int, int, int], tolerance: int = 6) -> bool:
    return bool(np.abs(pixel.astype(int) - colour).max() <= tolerance)


def strip(*values: float | tuple[int, ...], mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, (len(values), 1))
    image.putdata(list(values))  # type: ignore[arg-type]  # numbers or tuples, never both
    return image


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "WEBP"])
def test_rgb_keeps_its_order(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    assert colours(decode(save(strip(RED, GREEN, BLUE, WHITE), kind, **options))) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("mode", ["1", "L"])
def test_one_bit_and_grey(kind: str, mode: str) -> None:
    assert colours(decode(save(strip(0, 255, 0, mode=mode), kind))) == [BLACK, WHITE, BLACK]


def test_one_bit_tiff_that_counts_from_white() -> None:
    image = strip(0, 255, 0, mode="1")
    assert colours(decode(save(image, "TIFF", compression="group4", tiffinfo={262: 0}))) == [BLACK, WHITE, BLACK]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_palette(kind: str) -> None:
    image = strip(0, 1, 2, mode="P")
    image.putpalette([*RED, *GREEN, *BLUE])
    assert colours(decode(save(image, kind))) == [RED, GREEN, BLUE]


def test_alpha_lies_over_white() -> None:
    image = strip((255, 0, 0, 255), (255, 0, 0, 0), (0, 0, 0, 128), mode="RGBA")
    for kind in ("PNG", "TIFF"):
        assert colours(decode(save(image, kind))) == [RED, WHITE, (127, 127, 127)]
    webp = decode(save(image, "WEBP", lossless=True, exact=True))
    assert colours(webp) == [RED, WHITE, (127, 127, 127)]


def test_grey_with_alpha_and_palette_with_transparency() -> None:
    assert colours(decode(save(strip((0, 255), (0, 0), mode="LA"), "PNG"))) == [BLACK, WHITE]
    image = strip(0, 1, mode="P")
    image.putpalette([*RED, *GREEN])
    assert colours(decode(save(image, "PNG", transparency=1))) == [RED, WHITE]
    assert colours(decode(save(image, "PNG", transparency=bytes([0, 255])))) == [WHITE, GREEN]


def test_colour_key() -> None:
    assert colours(decode(save(strip(RED, BLUE), "PNG", transparency=BLUE))) == [RED, WHITE]
    assert colours(decode(save(strip(0, 200, mode="L"), "PNG", transparency=0))) == [WHITE, (200, 200, 200)]


def test_an_unused_alpha_channel_does_not_blank_the_page() -> None:
    image = strip((255, 0, 0, 0), (0, 0, 255, 0), mode="RGBA")
    assert colours(decode(save(image, "PNG"))) == [RED, BLUE]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_of_16_bits_is_scaled_not_clipped(kind: str) -> None:
    image = Image.fromarray(np.array([[0, 257 * 100, 257 * 200, 65535]], np.uint16))
    assert [pixel[0] for pixel in colours(decode(save(image, kind)))] == [0, 100, 200, 255]


def test_grey_of_16_bits_big_endian() -> None:
    values = np.array([[0, 257 * 100, 65535]], ">u2")
    tags = [
        (256, 3, 1, 3),
        (257, 3, 1, 1),
        (258, 3, 1, 16),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (279, 4, 1, 6),
    ]
    for photometric, wanted in ((1, [0, 100, 255]), (0, [255, 155, 0])):
        rows = [(tag, kind, count, photometric if tag == 262 else value) for tag, kind, count, value in tags]
        directory = struct.pack(">H", len(rows)) + b"".join(
            struct.pack(">HHL", *row[:3])
            + struct.pack(">HH" if row[1] == 3 else ">L", *((row[3], 0) if row[1] == 3 else row[3:]))
            for row in rows
        )
        data = b"MM\0*" + struct.pack(">L", 14) + values.tobytes() + directory + bytes(4)
        assert [pixel[0] for pixel in colours(decode(data))] == wanted


def png(width: int, depth: int, colour: int, row: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))

    header = struct.pack(">LLBBBBB", width, 1, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    )


def test_colour_of_16_bits() -> None:
    row = np.array([[65535, 0, 257 * 100]], ">u2").tobytes()
    assert colours(decode(png(1, 16, 2, row))) == [(255, 0, 100)]
    assert colours(decode(png(1, 16, 6, row + b"\0\0"))) == [(255, 0, 100)]  # wholly transparent: an unused channel


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 100.0, 255.0], [0, 100, 255]),
        ([0.0, 25700.0, 65535.0], [0, 100, 255]),
        ([-1e6, 6e5, 1e6], [0, 204, 255]),
        ([float("nan"), 0.0, 1.0], [0, 0, 255]),
    ],
)
def test_floats_by_range(values: list[float], wanted: list[int]) -> None:
    image = Image.fromarray(np.array([values], np.float32))
    assert [pixel[0] for pixel in colours(decode(save(image, "TIFF")))] == wanted


def test_whole_numbers_of_32_bits() -> None:
    image = Image.fromarray(np.array([[0, 25700, 65535]], np.int32))
    assert [pixel[0] for pixel in colours(decode(save(image, "TIFF")))] == [0, 100, 255]


def test_cmyk_of_jpeg_and_tiff() -> None:
    image = Image.new("CMYK", (32, 16), (0, 255, 255, 0))
    image.paste((0, 0, 0, 0), (16, 0, 32, 16))
    for data in (save(image, "JPEG", quality=95), save(image, "TIFF")):
        pixels = decode(data)
        assert near(pixels[8, 4], RED)
        assert near(pixels[8, 28], WHITE)


def test_ycck_jpeg() -> None:
    # YCCK holds the inks as if they were RGB: blue is full cyan and magenta, whose Y, Cb, Cr are (226, 1, 149)
    image = Image.new("CMYK", (16, 16), (255 - 226, 255 - 1, 255 - 149, 0))
    data = save(image, "JPEG", quality=98, subsampling=0)
    at = data.index(b"Adobe")
    assert data[at + 11] == 0
    assert near(decode(data[: at + 11] + b"\2" + data[at + 12 :])[8, 8], BLUE, 8)


def test_grey_and_colour_jpeg() -> None:
    assert near(decode(save(Image.new("L", (16, 16), 77), "JPEG"))[8, 8], (77, 77, 77))
    for progressive in (False, True):
        data = save(Image.new("RGB", (16, 16), (200, 30, 60)), "JPEG", quality=95, progressive=progressive)
        assert near(decode(data)[8, 8], (200, 30, 60))


def test_lab_tiff() -> None:
    image = Image.new("LAB", (3, 1))
    image.putdata([(255, 128, 128), (0, 128, 128), (139, 208, 195)])  # white, black, red (L 54, a 80, b 67)
    pixels = decode(save(image, "TIFF"))
    assert near(pixels[0, 0], WHITE)
    assert near(pixels[0, 1], BLACK)
    assert near(pixels[0, 2], RED, 12)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation(kind: str, orientation: int) -> None:
    upright = Image.new("RGB", (48, 32), WHITE)
    upright.paste(RED, (0, 0, 16, 16))
    upright.paste(BLUE, (32, 0, 48, 16))
    turns = [
        None,
        None,
        *(getattr(Image.Transpose, name) for name in ("FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM")),
    ]
    turns += [getattr(Image.Transpose, name) for name in ("TRANSPOSE", "ROTATE_90", "TRANSVERSE", "ROTATE_270")]
    turn = turns[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[274] = orientation
    options: dict[str, object] = {"tiffinfo": {274: orientation}} if kind == "TIFF" else {"exif": exif.tobytes()}
    pixels = decode(save(stored, kind, **options, **({"quality": 95} if kind in ("JPEG", "WEBP") else {})))
    assert pixels.shape == (32, 48, 3)
    assert near(pixels[4, 4], RED, 12)
    assert near(pixels[4, 44], BLUE, 12)
    assert near(pixels[28, 28], WHITE, 12)


def test_as_stored_is_a_view_of_the_result() -> None:
    upright = np.zeros((2, 3, 3), np.uint8)
    for orientation in range(1, 9):
        as_stored(upright, orientation)[0, 0] = orientation
    assert upright[0, 0, 0] == 5  # 1 and 5 begin at the top left
    assert upright[0, 2, 0] == 6  # 2 and 6 at the top right


def test_many_strips_join() -> None:
    image = Image.fromarray(np.arange(1500 * 1500, dtype=np.uint32).astype(np.uint8).reshape(1500, 1500))
    pixels = decode(save(image, "PNG"))
    assert np.array_equal(pixels[..., 1], np.asarray(image))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_a_truncated_file_is_an_error(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    data = save(Image.fromarray(noise), kind)
    with pytest.raises(CorruptDocument, match=r"damaged|truncated"):
        decode(data[: len(data) * 2 // 3])


@pytest.mark.parametrize(("mode", "opaque"), [("RGBA", RED), ("LA", BLACK)])
def test_an_alpha_channel_that_is_the_same_throughout_changes_nothing(mode: str, opaque: tuple[int, int, int]) -> None:
    for alpha in (0, 255):
        pixels = strip((*opaque, alpha) if mode == "RGBA" else (opaque[0], alpha), mode=mode)
        assert colours(decode(save(pixels, "PNG"))) == [opaque]
