"""One page of a document as a picture that every browser shows; for the process that draws, which has the bounds of a sandbox."""

from __future__ import annotations

import io
from typing import Any, Literal

import numpy as np
from PIL import Image

from shizi.imaging.limits import Limits
from shizi.imaging.sandbox_decode import Pixels, Task, read_document

LEAST_SIDE = 16
MOST_SIDE = 8192
JPEG_QUALITY = 90  # at which print shows no ringing

Picture = Literal["jpeg", "png"]


def page_picture(
    data: bytes, password: str | None, limits: Limits, number: int, longest_side: int, picture: Picture
) -> tuple[bytes, dict[str, Any]]:
    """A page, made smaller where its longer side has more than `longest_side` pixels, and never larger.

    Returns:
        The picture, and what there is to say about the page: width and height of the original, pages of the document.

    Raises:
        ShiziError: as in decoding.
    """
    blocks: list[Pixels] = []

    def room(height: int, width: int, _memory: int) -> Pixels:
        blocks.append(np.empty((height, width, 3), np.uint8))
        return blocks[-1]

    (page,) = read_document(data, Task(limits, [number], password, "ignore"), room)
    width, height = page["width"], page["height"]
    image = Image.fromarray(blocks.pop())
    side = max(width, height)
    if side > longest_side:
        size = (max(1, round(width * longest_side / side)), max(1, round(height * longest_side / side)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    out = io.BytesIO()
    if picture == "png":
        image.save(out, "PNG", compress_level=3)
    else:
        image.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return out.getvalue(), {"width": width, "height": height, "pages": page["count"]}
