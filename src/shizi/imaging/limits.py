"""Every bound of decoding, and the checks against them that need nothing but a header."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from shizi.errors import CorruptDocument, ImageTooLarge, InvalidRequest

MEGA = 1_000_000
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one document; all of them hold at once, and each error names the one that was passed.

    The defaults keep a process that also holds the default models below 1.5 GB: a page at `max_pixels` takes 300 MB,
    and up to `max_memory` for the moment of its decoding.

    Attributes:
        max_bytes: bytes of one file.
        max_pixels: pixels of one image or frame, as its header says.
        max_side: pixels of the longer side.
        max_pages: pages (PDF) or frames (TIFF) that one call may ask for.
        max_memory: bytes that one image may take while it is decoded, its result included, estimated from its header.
            It is what bounds the formats that need several times their pixels (WebP, progressive JPEG, one-strip TIFF).
        pdf_dpi: dots per inch at which a PDF page is rendered, unless it is one scan: that keeps its own resolution.
        pdf_max_pixels: pixels of one rendered PDF page; a larger page is rendered at a lower resolution.
        pdf_timeout_s: seconds that one PDF page may take; also for opening the document.
        pdf_memory: bytes of address space of the process that renders (where the system can bound it).
        timeout_s: seconds for one document, decoding and reading together; looked at between pages.
        max_words: words of one document, whether read or from a text layer. It bounds what a result takes in memory.
    """

    max_bytes: int = 200 * MIB
    max_pixels: int = 100 * MEGA
    max_side: int = 32_000
    max_pages: int = 2_000
    max_memory: int = 800 * MIB
    pdf_dpi: int = 200
    pdf_max_pixels: int = 20 * MEGA
    pdf_timeout_s: float = 25.0
    pdf_memory: int = 1024 * MIB
    timeout_s: float = 3600.0
    max_words: int = 500_000


def check_bytes(size: int, limits: Limits) -> None:
    """Refuse a file of more than max_bytes.

    Raises:
        ImageTooLarge: with the limit and the value.
    """
    if size > limits.max_bytes:
        raise ImageTooLarge(
            f"the file has {size / MIB:.1f} MiB or more, the limit (max_bytes) is {limits.max_bytes / MIB:.1f} MiB: "
            "split it, or raise the limit"
        )


def check_size(width: int, height: int, memory: int, limits: Limits) -> None:
    """Refuse an image by what its header says; memory is the estimated peak of its decoding, in bytes.

    Raises:
        CorruptDocument: a side is zero or negative.
        ImageTooLarge: with the limit and the value.
    """
    if width <= 0 or height <= 0:
        raise CorruptDocument(f"the image says that it is {width} x {height} pixels; it is damaged")
    if max(width, height) > limits.max_side:
        raise ImageTooLarge(
            f"the image is {width} x {height} pixels, the limit of a side (max_side) is {limits.max_side}: "
            "cut it into parts, or raise the limit"
        )
    if width * height > limits.max_pixels:
        raise ImageTooLarge(
            f"the image has {width * height / MEGA:.1f} million pixels ({width} x {height}), the limit (max_pixels) is "
            f"{limits.max_pixels / MEGA:.1f} million: scale it down, or raise the limit"
        )
    if memory > limits.max_memory:
        raise ImageTooLarge(
            f"decoding the image ({width} x {height} pixels) would take about "
            f"{memory / MIB:.0f} MiB, the limit (max_memory) "
            f"is {limits.max_memory / MIB:.0f} MiB: "
            "scale it down, save it as PNG or baseline JPEG, or raise the limit"
        )


def select_pages(count: int, pages: Collection[int] | None, limits: Limits) -> list[int]:
    """Page numbers to read, sorted, of a document with so many pages; pages is what the caller chose, None for all.

    Raises:
        InvalidRequest: a number that the document does not have.
        ImageTooLarge: more than max_pages, with the limit and the value.
    """
    chosen = range(1, count + 1) if pages is None else sorted(set(pages))
    if chosen and (chosen[-1] > count or chosen[0] < 1):
        wrong = next(number for number in chosen if not 1 <= number <= count)
        raise InvalidRequest(
            f"there is no page {wrong}: the document has {count} page{'' if count == 1 else 's'}, counted from 1"
        )
    if len(chosen) > limits.max_pages:
        raise ImageTooLarge(
            f"{len(chosen)} pages are to be read, the limit (max_pages) is {limits.max_pages}: "
            "choose some with pages=, or raise the limit"
        )
    return list(chosen)
