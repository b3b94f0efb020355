"""JPEG (ITU-T T.81): the marker segments before the first scan."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

import numpy as np

from shizi.errors import CorruptDocument, ImageTooLarge
from shizi.imaging.headers.frame import Frame, exif_orientation

MAX_SCANS = 200  # real files have about ten; each one costs a pass over the whole image, however few bytes it has
MAX_SCAN_PIXELS = 3_000_000_000

_SOS = 0xDAFF  # the marker of a scan, FF DA, as a little-endian number
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# A marker with a length; what stands before it is junk, fill bytes, stuffing and markers without one. One search, not a step
# per byte: a file may hold hundreds of megabytes of them.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
_KEPT = _SOF | {
    0xC4,
    0xCC,
    0xDB,
    0xDD,
    0xDA,
    0xE0,
    0xEE,
}  # tables, frame, scan; JFIF and Adobe decide on the colour space


@dataclass(slots=True)
class _Segments:
    kept: list[bytes] = field(default_factory=list)
    sof: tuple[int, bytes] | None = None
    orientation: int = 1
    scan: bytes = b""
    scan_at: int = 0


def jpeg_frame(data: bytes) -> Frame:
    """Header of a JPEG file, of the first picture if it has several.

    Raises:
        CorruptDocument: there is no image in it.
        ImageTooLarge: so many scans that decoding is a trap.
    """
    found = _walk(data)
    if found.sof is None or not found.scan_at:
        raise CorruptDocument("the JPEG file ends before its image begins; it is truncated or damaged")
    marker, sof = found.sof
    if len(sof) < 6 or len(sof) < 6 + 3 * sof[5] or sof[5] not in (1, 3, 4):
        raise CorruptDocument("the JPEG file's frame header is damaged")
    height, width, components = struct.unpack_from(">HHB", sof, 1)
    if height == 0:
        raise CorruptDocument("the JPEG file does not say its height; it is truncated or damaged")
    factors = [(sof[7 + 3 * index] >> 4, sof[7 + 3 * index] & 15) for index in range(components)]
    many = marker in (0xC2, 0xC6, 0xCA, 0xCE) or (found.scan[:1] != bytes([components]))
    per_pixel = (1.0 if components == 1 else 4.0) + 3.0
    if many:
        per_pixel += _coefficients(factors)
        _check_scans(_count_scans(data, found.scan_at), width * height)
    stream = b"".join([b"\xff\xd8", *found.kept, memoryview(data)[found.scan_at :]])
    memory = int(width * height * per_pixel) + len(stream)
    return Frame("JPEG", width, height, found.orientation, stream, memory)


def _walk(data: bytes) -> _Segments:
    found = _Segments()
    at = 2
    while True:
        match = _MARKER.search(data, at)
        if match is None or match.start() + 4 > len(data):
            return found
        at = match.start()
        marker = data[at + 1]
        (length,) = struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + length]
        if length < 2 or marker == 0xD9:
            return found
        if marker == 0xDA:
            found.scan, found.scan_at = body, at
            return found
        if marker in _SOF and found.sof is None:
            found.sof = marker, body
        if marker == 0xE1 and body.startswith(b"Exif\0\0") and found.orientation == 1:
            found.orientation = exif_orientation(body)
        if marker in _KEPT:
            found.kept.append(data[at : at + 2 + length])
        at += 2 + length


def _coefficients(factors: list[tuple[int, int]]) -> float:
    """Bytes per pixel of the coefficients of all components, which several scans keep in memory at once."""
    widest, tallest = max(h for h, _ in factors) or 1, max(v for _, v in factors) or 1
    return sum(2.0 * h * v / (widest * tallest) for h, v in factors)


def _count_scans(data: bytes, start: int) -> int:
    """How often a scan begins from there on; as pairs of bytes, an eighth of the time of `bytes.count`."""
    pairs = (np.frombuffer(data, "<u2", (len(data) - at) // 2, at) for at in (start, start + 1))
    return sum(int(np.count_nonzero(values == _SOS)) for values in pairs)


def _check_scans(scans: int, pixels: int) -> None:
    if scans > MAX_SCANS or scans * pixels > MAX_SCAN_PIXELS:
        raise ImageTooLarge(
            f"the JPEG file has {scans} scans over {pixels / 1e6:.1f} million pixels; at most {MAX_SCANS} scans and "
            f"{MAX_SCAN_PIXELS / 1e6:.0f} million scanned pixels are decoded: save it as baseline JPEG"
        )
