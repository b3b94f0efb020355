"""From a source of any accepted kind to its pages, one at a time and under limits."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shizi.errors import InvalidRequest, UnsupportedFormat
from shizi.imaging.headers.bmp import bmp_frame
from shizi.imaging.headers.frame import Frame
from shizi.imaging.headers.jpeg import jpeg_frame
from shizi.imaging.headers.png import SIGNATURE, png_frame
from shizi.imaging.headers.tiff import tiff_directories, tiff_frame
from shizi.imaging.headers.webp import webp_frame
from shizi.imaging.limits import Limits, check_size, select_pages
from shizi.imaging.pages import LayerLine, PageImage, TextLayer
from shizi.imaging.pdf import read_pdf
from shizi.imaging.raster import Pixels, decode_frame, decode_pil
from shizi.imaging.source import read_source

__all__ = ["ACCEPTED", "LayerLine", "Limits", "PageImage", "Source", "TextLayer", "is_pdf", "open_pages"]

Source = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | NDArray[np.uint8]
DEFAULT_LIMITS = Limits()
TextLayerUse = Literal["auto", "ignore", "only"]

ACCEPTED = "JPEG, PNG, WebP, TIFF, BMP and PDF"
PDF_JUNK = 1024  # bytes that may stand before %PDF-, as other readers have it

LARGE = 200_000_000  # bytes of decoding from which images wait for each other

# One image may take limits.max_memory while it is decoded, and keeps a third of it: decoded one after the other, large images
# of several threads never take several times that at once. It belongs to the process because its memory does; it holds no
# state of a request, and is free again as soon as the pixels are there.
_one_large = threading.Lock()

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SINGLE = {"BMP": bmp_frame, "JPEG": jpeg_frame, "PNG": png_frame, "WEBP": webp_frame}
_FOREIGN = (
    (0, b"GIF8", "a GIF image"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftyphei", "a HEIC image"),
    (4, b"ftypmif1", "a HEIC image"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"PK\x03\x04", "a ZIP container (perhaps an Office document)"),
    (0, b"\xd0\xcf\x11\xe0", "an old Office document"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "an XML document"),
)


def open_pages(
    source: Source,
    *,
    limits: Limits = DEFAULT_LIMITS,
    pages: Collection[int] | None = None,
    password: str | None = None,
    text_layer: TextLayerUse = "ignore",
) -> Iterator[PageImage]:
    """Pages of an image or PDF in the order of the document, decoded as they are asked for.

    Nothing happens before the first page is asked for, and everything that was opened is closed at the end, also when
    the iterator is dropped half-way. A PIL image is turned by the EXIF block that it carries; a numpy array is taken as
    it is.

    Args:
        source: path, bytes, binary file object (read from where it stands, not closed), PIL image, or (H, W, 3) RGB or
            (H, W) grey uint8 array.
        limits: bounds; all hold at once.
        pages: numbers, from 1; None for all.
        password: of an encrypted PDF.
        text_layer: "ignore" renders PDF pages; "auto" also reads their text; "only" reads the text and renders nothing.
            Images have no text layer and are always decoded.

    Raises:
        InvalidRequest: the source or an argument is wrong, or the document has no page of that number.
        NotFound: no such file.
        UnsupportedFormat: the first bytes are of no accepted format.
        ImageTooLarge: over a limit.
        CorruptDocument: it cannot be decoded; for PDF with the number of the page.
        EncryptedDocument: the password is missing or wrong.
        DeadlineExceeded: a PDF page took more than limits.pdf_timeout_s.
        OutOfMemory: the system did not give the memory.
    """
    if text_layer not in ("auto", "ignore", "only"):
        raise InvalidRequest(f"text_layer is {text_layer!r}; allowed are 'auto', 'ignore' and 'only'")
    _check_numbers(pages)
    if isinstance(source, np.ndarray):
        yield from _one_page(pages, lambda: _from_array(source, limits))
    elif isinstance(source, Image.Image):
        yield from _one_page(pages, lambda: _from_pil(source, limits))
    else:
        yield from _from_bytes(read_source(source, limits), limits, pages, password, text_layer)


def is_pdf(data: bytes) -> bool:
    """Whether these first bytes are of a PDF: "%PDF-" within the first 1024 bytes, and no image's magic before it."""
    return sniff(data) == "PDF"


def sniff(data: bytes) -> str | None:
    """Name of the format by the first bytes (1029 are enough), None for none that is accepted."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(SIGNATURE):
        return "PNG"
    if data.startswith(_TIFF):
        return "TIFF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if b"%PDF-" in data[: PDF_JUNK + 5]:
        return "PDF"
    return "BMP" if data.startswith(b"BM") and len(data) >= 18 else None


def _check_numbers(pages: Collection[int] | None) -> None:
    if pages is None:
        return
    wrong = [number for number in pages if isinstance(number, bool) or not isinstance(number, int) or number < 1]
    if wrong or not pages:
        raise InvalidRequest(
            f"pages holds {wrong[0]!r}" if wrong else "pages is empty; give numbers from 1, or None for all"
        )


def _one_page(
    pages: Collection[int] | None, decode: Callable[[], tuple[Pixels, tuple[str, ...]]]
) -> Iterator[PageImage]:
    select_pages(1, pages, DEFAULT_LIMITS)
    yield _page_image(1, *decode())  # held by nobody here, so that it is gone as soon as who asked for it lets it go


def _from_array(array: NDArray[np.uint8], limits: Limits) -> tuple[Pixels, tuple[str, ...]]:
    if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)) or not array.size:
        raise InvalidRequest(
            f"source is an array of shape {array.shape} and type {array.dtype}; give (height, width, 3) RGB or "
            "(height, width) grey, uint8"
        )
    height, width = array.shape[:2]
    check_size(width, height, 0, limits)
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=2)
    return np.ascontiguousarray(array), ()


def _from_pil(image: Image.Image, limits: Limits) -> tuple[Pixels, tuple[str, ...]]:
    memory = image.width * image.height * 7
    check_size(image.width, image.height, memory, limits)
    with _turn(memory):
        return decode_pil(image), ()


def _turn(memory: int) -> AbstractContextManager[object]:
    """What to hold while an image is decoded that takes so many bytes for it."""
    return _one_large if memory > LARGE else nullcontext()


def _from_bytes(
    data: bytes, limits: Limits, pages: Collection[int] | None, password: str | None, text_layer: TextLayerUse
) -> Iterator[PageImage]:
    kind = sniff(data)
    if kind == "PDF":
        yield from read_pdf(data, limits, pages, password, text_layer)
    elif kind == "TIFF":
        directories = tiff_directories(data)
        for number in select_pages(len(directories.offsets), pages, limits):
            yield _decoded(number, tiff_frame(directories, number - 1), limits)
    elif kind is not None:
        yield from _one_page(pages, lambda: _decode(_SINGLE[kind](data), limits))
    else:
        seems = next(
            (name for at, magic, name in _FOREIGN if data[at : at + len(magic)] == magic), "of no known format"
        )
        raise UnsupportedFormat(f"the file is {seems}; accepted are {ACCEPTED}")


def _decode(frame: Frame, limits: Limits) -> tuple[Pixels, tuple[str, ...]]:
    check_size(frame.width, frame.height, frame.memory, limits)
    with _turn(frame.memory):
        return decode_frame(frame), frame.warnings


def _decoded(number: int, frame: Frame, limits: Limits) -> PageImage:
    return _page_image(number, *_decode(frame, limits))


def _page_image(number: int, pixels: Pixels, warnings: tuple[str, ...]) -> PageImage:
    return PageImage(number, pixels, pixels.shape[1], pixels.shape[0], None, warnings)
