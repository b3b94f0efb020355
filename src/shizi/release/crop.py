"""Pictures of lines that come with corrections: looked at by their headers alone, never decoded."""

from __future__ import annotations

from typing import Final

from shizi.errors import CorruptDocument, ImageTooLarge, UnsupportedFormat
from shizi.imaging.headers.png import SIGNATURE, png_frame

MAX_CROP_BYTES: Final = 2**20
MAX_CROP_PIXELS: Final = 4_000_000
MAX_CROP_SIDE: Final = 16_000
_END: Final = b"\0\0\0\0IEND\xaeB`\x82"


def checked_crop(data: bytes) -> bytes:
    """A PNG with nothing in it but what its pixels need: comments, metadata and whatever stood behind its end are left out.

    Raises:
        UnsupportedFormat: the first bytes are not those of a PNG.
        CorruptDocument: its header is damaged, or its end is missing.
        ImageTooLarge: over a bound; the message says which.
    """
    if len(data) > MAX_CROP_BYTES:
        raise ImageTooLarge(f"the crop has {len(data)} bytes, the limit is {MAX_CROP_BYTES}: cut out the line alone")
    if not data.startswith(SIGNATURE):
        raise UnsupportedFormat("the crop's first bytes are not those of a PNG; send a PNG")
    frame = png_frame(data)
    sides = (frame.width, frame.height)
    if min(sides) < 1:
        raise CorruptDocument("the crop says that it has no pixels; it is damaged")
    if max(sides) > MAX_CROP_SIDE or frame.width * frame.height > MAX_CROP_PIXELS:
        raise ImageTooLarge(
            f"the crop is {frame.width} x {frame.height} pixels; a side may have {MAX_CROP_SIDE}, and all of it "
            f"{MAX_CROP_PIXELS}: cut out the line alone"
        )
    if not frame.data.endswith(_END):
        raise CorruptDocument("the crop breaks off before its end; send it whole")
    return frame.data
