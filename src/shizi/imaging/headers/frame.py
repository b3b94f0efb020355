"""The header of one image, and the stream that its decoder gets."""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """One image or frame of a file, not yet decoded.

    Attributes:
        format: Pillow's name of the format.
        width: pixels as stored, before the orientation is applied.
        height: pixels as stored.
        orientation: 1 to 8, as in EXIF tag 274.
        data: the minimal stream.
        memory: estimated bytes at the peak of decoding, the (H, W, 3) result included.
        peak: the value of white in samples of more than 8 bits.
        inverted: True where samples of more than 8 bits count from white to black.
        warnings: what a person should know.
    """

    format: str
    width: int
    height: int
    orientation: int
    data: bytes
    memory: int
    peak: int = 65535
    inverted: bool = False
    warnings: tuple[str, ...] = ()


def exif_orientation(exif: bytes) -> int:
    """Orientation, 1 to 8, from an EXIF block (a TIFF structure, perhaps after "Exif\\0\\0"); 1 if there is none."""
    if exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    try:
        if order is None:
            return 1
        (start,) = struct.unpack_from(order + "L", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for index in range(count):
            tag, kind, length, value = struct.unpack_from(order + "HHLH", exif, start + 2 + 12 * index)
            if tag == 274:
                return value if kind == 3 and length == 1 and 1 <= value <= 8 else 1
    except struct.error:  # a truncated block says nothing
        return 1
    return 1
