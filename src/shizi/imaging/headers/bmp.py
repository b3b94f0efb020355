"""BMP: the file header and the information header, of 12 bytes (OS/2) or of 40 and more (Windows)."""

from __future__ import annotations

import struct

from shizi.errors import CorruptDocument, ImageTooLarge
from shizi.imaging.headers.frame import Frame

MAX_RLE_BYTES = 16 * 2**20  # run-length BMP is decoded run by run in Python: seconds per 10 MB
MAX_RLE_PIXELS = 25_000_000


def bmp_frame(data: bytes) -> Frame:
    """Header of a BMP file.

    Raises:
        CorruptDocument: no readable header.
        ImageTooLarge: run-length encoded and so large that decoding it would take minutes.
    """
    try:
        (header,) = struct.unpack_from("<L", data, 14)
        if header == 12:
            width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
            compression = 0
        else:
            width, height, _, bits, compression = struct.unpack_from("<llHHL", data, 18)
    except struct.error as error:
        raise CorruptDocument("the BMP file ends inside of its header; it is truncated") from error
    height = abs(height)  # negative: the rows run from top to bottom
    if compression in (1, 2) and (len(data) > MAX_RLE_BYTES or width * height > MAX_RLE_PIXELS):
        raise ImageTooLarge(
            f"run-length encoded BMP is decoded up to {MAX_RLE_BYTES // 2**20} MiB and {MAX_RLE_PIXELS / 1e6:.0f} "
            f"million pixels, this one has {len(data) / 2**20:.1f} MiB and "
            f"{width * height / 1e6:.1f} million: save it as PNG"
        )
    per_pixel = 3 + (1 if bits <= 8 else 4) + (2 if compression in (1, 2) else 0)
    return Frame("BMP", width, height, 1, data, width * height * per_pixel + len(data))
