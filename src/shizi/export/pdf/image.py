"""A page's picture inside of a PDF: the JPEG stream as it is where a PDF may hold it, else pixels, packed small."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from shizi.imaging.headers.jpeg import jpeg_frame

QUALITY = 90
LOSSLESS_WORTH = 2.0  # a lossless picture may be this many times larger than its JPEG
A4_LONG_SIDE = 297 / 25.4  # inches
SANE_LONG_SIDE = (2.0, 24.0)  # inches; outside of it the resolution in the file is a default that nobody meant
SANE_DPI = (72.0, 600.0)

_JPEG_IN_PDF = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive: ISO 32000-1, 7.4.8
_COLOURS = {1: "/DeviceGray", 3: "/DeviceRGB"}
_SAMPLE_BANDS = 8
_SAMPLE_ROWS = 32

_Open = Callable[[io.BytesIO], ImageFile.ImageFile]
_WITH_RESOLUTION: tuple[tuple[bytes, _Open], ...] = (
    (b"\xff\xd8", JpegImagePlugin.JpegImageFile),
    (b"\x89PNG", PngImagePlugin.PngImageFile),
    (b"II", TiffImagePlugin.TiffImageFile),
    (b"MM", TiffImagePlugin.TiffImageFile),
    (b"BM", BmpImagePlugin.BmpImageFile),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image XObject.

    Attributes:
        entries: of its dictionary, with the filter.
        data: encoded as the filter says.
        width: pixels as they lie in `data`.
        height: pixels as they lie in `data`.
        orientation: 1 to 8 as in EXIF: how `data` must be turned for the page.
    """

    entries: str
    data: bytes
    width: int
    height: int
    orientation: int = 1


def jpeg_as_it_is(data: bytes) -> Picture | None:
    """The JPEG stream without its metadata and without what follows it; None where a PDF cannot hold it.

    Raises:
        CorruptDocument, ImageTooLarge: as in decoding.
    """
    if not data.startswith(b"\xff\xd8"):
        return None
    frame = jpeg_frame(data)
    stream = frame.data
    marker, precision, components = _frame_header(stream)
    # Two bytes 0xFF 0xD9 cannot be part of a valid scan or table: the first ones end the picture. Cameras append more
    # pictures, with places and names in their metadata.
    end = stream.find(b"\xff\xd9")
    if end < 0 or marker not in _JPEG_IN_PDF or precision != 8 or components not in _COLOURS:
        return None
    entries = _entries(frame.width, frame.height, _COLOURS[components], 8, "/Filter /DCTDecode")
    return Picture(entries, stream[: end + 2], frame.width, frame.height, frame.orientation)


def _frame_header(stream: bytes) -> tuple[int, int, int]:
    """Marker, precision and number of components of a stream of clean segments."""
    at = 2
    while stream[at + 1] not in range(0xC0, 0xD0) or stream[at + 1] in (0xC4, 0xC8, 0xCC):
        at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    return stream[at + 1], stream[at + 4], stream[at + 9]


def pack(pixels: NDArray[np.uint8], *, photo: bool) -> Picture:
    """(H, W, 3) RGB packed small: black and white as bits, grey without colour, JPEG where lossless is too large.

    Args:
        pixels: not changed.
        photo: it comes from a lossy format: no attempt at lossless.
    """
    height, width = pixels.shape[:2]
    samples = pixels
    colour = "/DeviceRGB"
    if bool((pixels[..., 0] == pixels[..., 1]).all()) and bool((pixels[..., 0] == pixels[..., 2]).all()):
        samples, colour = np.ascontiguousarray(pixels[..., 0]), "/DeviceGray"
        if not photo and bool(((samples == 0) | (samples == 255)).all()):
            return _flate(np.packbits(samples == 255, axis=1), width, height, colour, 1)
    if photo or _is_photo(samples):
        return Picture(_entries(width, height, colour, 8, "/Filter /DCTDecode"), _jpeg(samples), width, height)
    return _flate(samples.reshape(height, -1), width, height, colour, 8)


def _is_photo(samples: NDArray[np.uint8]) -> bool:
    """Whether JPEG is much smaller, judged by bands of rows that are spread over the page."""
    height = len(samples)
    if height <= _SAMPLE_BANDS * _SAMPLE_ROWS:
        bands = samples
    else:
        starts = np.linspace(0, height - _SAMPLE_ROWS, _SAMPLE_BANDS).astype(int)
        bands = np.concatenate([samples[start : start + _SAMPLE_ROWS] for start in starts])
    return len(zlib.compress(_rows(bands.reshape(len(bands), -1)), 6)) > LOSSLESS_WORTH * len(_jpeg(bands))


def _jpeg(samples: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(samples).save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def _flate(rows: NDArray[np.uint8], width: int, height: int, colour: str, bits: int) -> Picture:
    components = 3 if colour == "/DeviceRGB" else 1
    entries = _entries(
        width,
        height,
        colour,
        bits,
        "/Filter /FlateDecode "
        f"/DecodeParms << /Predictor 15 /Colors {components} /BitsPerComponent {bits} /Columns {width} >>",
    )
    return Picture(entries, zlib.compress(_rows(rows), 6), width, height)


def _rows(rows: NDArray[np.uint8]) -> bytes:
    """(H, bytes) rows as their differences to the row above: PNG's filter "up" (RFC 2083, 6.4), which suits text."""
    filtered = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[:1, 1:] = rows[:1]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return filtered.tobytes()


def _entries(width: int, height: int, colour: str, bits: int, coding: str) -> str:
    size = f"/Width {width} /Height {height}"
    return f"/Type /XObject /Subtype /Image {size} /ColorSpace {colour} /BitsPerComponent {bits} {coding}"


def dots_per_inch(data: bytes, width: int, height: int) -> float:
    """Resolution of a page of this many pixels: the file's where that makes a page one could hold, else that of A4."""
    long_side = max(width, height)
    stated = _stated(data)
    if stated and SANE_LONG_SIDE[0] <= long_side / stated <= SANE_LONG_SIDE[1]:
        return stated
    return min(max(long_side / A4_LONG_SIDE, SANE_DPI[0]), SANE_DPI[1])


def _stated(data: bytes) -> float | None:
    for magic, plugin in _WITH_RESOLUTION:
        if data.startswith(magic):
            try:
                with plugin(io.BytesIO(data)) as image:
                    across, down = image.info["dpi"]
                    # Fax resolutions with unequal sides are left alone: a page must keep its pixels' proportions.
                    return float(across) if across > 0 and abs(across - down) <= 0.02 * across else None
            except Exception:  # no resolution, or one that is damaged in any of the ways a file can be
                return None
    return None
