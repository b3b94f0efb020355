"""WebP (RFC 9649): the RIFF container's chunks."""

from __future__ import annotations

import struct

from shizi.errors import CorruptDocument
from shizi.imaging.headers.frame import Frame, exif_orientation

MAX_CHUNKS = 100_000
BYTES_PER_PIXEL = 16  # two canvases of the decoder, its copy, Pillow's image, our result; measured


def webp_frame(data: bytes) -> Frame:
    """Header of a WebP file; of an animated one, of its first frame on its canvas.

    Raises:
        CorruptDocument: no size in it.
    """
    chunks = _walk(data)
    size = _size(chunks)
    if size is None:
        raise CorruptDocument("the WebP file has no readable image header; it is truncated or damaged")
    frames = sum(kind == b"ANMF" for kind, _ in chunks)
    exif = next((body for kind, body in chunks if kind == b"EXIF"), b"")
    warnings = (f"animated WebP: only the first of its {frames} frames was read",) if frames > 1 else ()
    memory = size[0] * size[1] * BYTES_PER_PIXEL + 2 * len(data)
    return Frame("WEBP", *size, exif_orientation(exif), data, memory, warnings=warnings)


def _walk(data: bytes) -> list[tuple[bytes, bytes]]:
    chunks: list[tuple[bytes, bytes]] = []
    at = 12
    while at + 8 <= len(data) and len(chunks) < MAX_CHUNKS:
        kind, length = struct.unpack_from("<4sL", data, at)
        end = at + 8 + (length if kind == b"EXIF" else min(length, 32))  # of the others only the header matters
        chunks.append((kind, data[at + 8 : end]))
        at += 8 + length + (length & 1)
    return chunks


def _size(chunks: list[tuple[bytes, bytes]]) -> tuple[int, int] | None:
    for kind, body in chunks:
        if kind == b"VP8X" and len(body) >= 10:
            return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
        if kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
            width, height = struct.unpack_from("<HH", body, 6)
            return width & 0x3FFF, height & 0x3FFF
        if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
            bits = int.from_bytes(body[1:5], "little")
            return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    return None
