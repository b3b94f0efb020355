"""PNG (W3C, third edition): chunks, of which the decoder gets only the critical ones and the transparency."""

from __future__ import annotations

import struct
import zlib

from shizi.errors import CorruptDocument
from shizi.imaging.headers.frame import Frame, exif_orientation

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 2_000_000

_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}  # by colour type
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def png_frame(data: bytes) -> Frame:
    """Header of a PNG file; of an animated one, of its default image.

    Raises:
        CorruptDocument: no header, or one that the standard does not know.
    """
    kept, found = _walk(data)
    header = found.get(b"IHDR", b"")
    if len(header) != 13:
        raise CorruptDocument("the PNG file has no header chunk; it is truncated or damaged")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">LLBBBBB", header)
    if depth not in _DEPTHS.get(colour, ()):
        raise CorruptDocument(
            f"the PNG file says {depth} bits of colour type {colour}, which the standard does not have"
        )
    per_pixel = 3 + (min(depth // 8, 2) or 1 if colour in (0, 3) else 4)
    row = width * _CHANNELS[colour] * depth // 8
    memory = width * height * per_pixel + 8 * row + sum(map(len, kept)) + (height * row if interlaced else 0)
    animated = found.get(b"acTL", b"")[:4] > b"\0\0\0\1"
    warnings = ("animated PNG: only its default image was read",) if animated else ()
    orientation = exif_orientation(found.get(b"eXIf", b""))
    return Frame("PNG", width, height, orientation, b"".join([SIGNATURE, *kept]), memory, warnings=warnings)


def _walk(data: bytes) -> tuple[list[memoryview], dict[bytes, bytes]]:
    kept: list[memoryview] = []
    found: dict[bytes, bytes] = {}
    view = memoryview(data)
    at = len(SIGNATURE)
    chunks = 0
    while at + 8 <= len(data):
        chunks += 1
        if chunks > MAX_CHUNKS:
            raise CorruptDocument(f"the PNG file has more than {MAX_CHUNKS} chunks; it is damaged")
        length, kind = struct.unpack_from(">L4s", data, at)
        if kind in _KEPT:  # a truncated one as well: the decoder shall see that it is
            kept.append(view[at : at + 12 + length])
        if kind in (b"IHDR", b"acTL", b"eXIf") and kind not in found:
            body = data[at + 8 : at + 8 + length]
            if kind != b"eXIf" or _sound(data, at, length):
                found[kind] = body
        if kind == b"IEND":
            break
        at += 12 + length
    return kept, found


def _sound(data: bytes, at: int, length: int) -> bool:
    return data[at + 8 + length : at + 12 + length] == struct.pack(">L", zlib.crc32(data[at + 4 : at + 8 + length]))
