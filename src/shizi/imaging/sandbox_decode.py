"""Inside of a sandbox: from the bytes of a document to pages whose pixels lie in shared memory.

What is accepted and what is refused, and why, is that of `open_pages`: the same parsers, checks and decoders. Here they fill
memory that another process made: plain JPEG directly, everything else by one copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import ImageColor, ImagePalette  # which Pillow imports when it needs them: too late in a sandbox

from shizi.errors import OutOfMemory
from shizi.imaging.decode import TextLayerUse, open_pages, sniff
from shizi.imaging.frames import Header
from shizi.imaging.headers.bmp import bmp_frame
from shizi.imaging.headers.frame import Frame
from shizi.imaging.headers.jpeg import jpeg_frame
from shizi.imaging.headers.png import png_frame
from shizi.imaging.headers.tiff import tiff_directories, tiff_frame
from shizi.imaging.headers.webp import webp_frame
from shizi.imaging.jpeg import decode_jpeg
from shizi.imaging.limits import Limits, check_size, select_pages
from shizi.imaging.raster import as_stored, decode_frame
from shizi.imaging.sandbox_pdf import pdf_pages
from shizi.imaging.source import read_source

__all__ = ["ImageColor", "ImagePalette", "Pixels", "Room", "Task", "read_document"]

Pixels = NDArray[np.uint8]
Room = Callable[[int, int, int], Pixels]

_SINGLE: Mapping[str, Callable[[bytes], Frame]] = {
    "BMP": bmp_frame,
    "JPEG": jpeg_frame,
    "PNG": png_frame,
    "WEBP": webp_frame,
}


@dataclass(frozen=True, slots=True)
class Task:
    """What is wanted of a document; as in `open_pages`."""

    limits: Limits
    pages: list[int] | None
    password: str | None
    text_layer: TextLayerUse


def read_document(data: bytes, task: Task, room: Room) -> Iterator[Header]:
    """Pages: number, width, height, whether there are pixels, layer (as `frames` carries it), warnings, count of pages that the
    document has, whether it is the last one that was asked for.

    Args:
        data: the whole file.
        task: what is wanted.
        room: gives (height, width, 3) uint8 to fill; its third argument is the estimated peak of decoding, in bytes.

    Raises:
        ShiziError: as in `open_pages`.
    """
    data = read_source(data, task.limits)
    kind = sniff(data)
    if kind == "PDF":
        yield from pdf_pages(data, task, room)
    elif kind == "TIFF":
        directories = tiff_directories(data)
        numbers = select_pages(len(directories.offsets), task.pages, task.limits)
        for number in numbers:
            frame = tiff_frame(directories, number - 1)
            page = _page(frame, number, number == numbers[-1], task.limits, room)
            yield {**page, "count": len(directories.offsets)}
    elif kind is not None:
        select_pages(1, task.pages, task.limits)
        yield _page(_SINGLE[kind](data), 1, True, task.limits, room)
    else:
        next(open_pages(data, limits=task.limits))  # says what it is, and what is accepted


def _page(frame: Frame, number: int, last: bool, limits: Limits, room: Room) -> Header:
    check_size(frame.width, frame.height, frame.memory, limits)
    width, height = (frame.height, frame.width) if frame.orientation >= 5 else (frame.width, frame.height)
    _fill(room(height, width, frame.memory), frame)
    page = {"number": number, "width": width, "height": height, "pixels": True, "layer": None, "count": 1}
    return {**page, "warnings": list(frame.warnings), "last": last}


def _fill(pixels: Pixels, frame: Frame) -> None:
    """Decodes; whatever is not plain JPEG by way of one copy."""
    try:
        stored = None
        if frame.format == "JPEG":
            if frame.orientation == 1 and _decode_plain_jpeg(frame, pixels):
                return
            stored = decode_jpeg(frame)
    except MemoryError as error:
        raise OutOfMemory("not enough memory to decode the JPEG file") from error
    if stored is None:
        pixels[:] = decode_frame(frame)
    else:
        as_stored(pixels, frame.orientation)[:] = stored


def _decode_plain_jpeg(frame: Frame, pixels: Pixels) -> bool:
    """As `decode_jpeg`, into pixels; False for what that leaves to Pillow."""
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(frame.data)
        if (width, height) != (frame.width, frame.height) or space in ("CMYK", "YCCK"):
            return False
        simplejpeg.decode_jpeg(frame.data, "RGB", buffer=pixels, strict=True)
    except ValueError:
        return False
    return True
