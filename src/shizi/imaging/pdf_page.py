"""The text layer of one PDF page, from pdfium's characters; runs in the worker."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import pypdfium2.raw as pdfium

from shizi.imaging.frames import MAX_HEADER, encoded
from shizi.imaging.pdf_content import (
    FULL_PAGE,
    Box,
    Content,
    Handle,
    Matrix,
    annotation_boxes,
    apply,
    cover_order,
    covered,
    is_hidden,
    unread_boxes,
)
from shizi.imaging.pdf_text import Char, build_lines, distrust

MAX_CHARS = 30_000  # a printed page has 3,000; a newspaper's, 20,000
MAX_LAYER = MAX_HEADER - 2**16  # bytes on their way to the reader; 30,000 lines of one character each take 7.9 million
SNAP = 0.5  # degrees; text that is nearly straight is straight
SOLVABLE = 0.2  # |cos² - sin²| from which the sides of a turned box follow from the box around it

_HYPHENS = frozenset({0x02, 0xAD, 0xFFFE})  # as pdfium gives a hyphen at the end of a line
_PRIVATE = ((0xE000, 0xF8FF), (0xF0000, 0x10FFFF))


def page_box(page: Handle) -> Box:
    """The visible part of the page, in points."""
    rect = pdfium.FS_RECTF()
    if not pdfium.FPDF_GetPageBoundingBox(page, rect):
        return (0.0, 0.0, pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page))
    return (
        min(rect.left, rect.right),
        min(rect.bottom, rect.top),
        max(rect.left, rect.right),
        max(rect.bottom, rect.top),
    )


def text_layer(page: Handle, content: Content, to_pixels: Matrix, size: tuple[int, int]) -> dict[str, Any]:
    """A `TextLayer` as plain JSON values; positions in pixels of a rendering of this size."""
    text_page = pdfium.FPDFText_LoadPage(page)
    box = page_box(page)
    covering = content.last_text < cover_order(content, box)  # all text is painted over by one image
    boxes = unread_boxes(content, annotation_boxes(page), to_pixels, size)
    layer: dict[str, Any] = {"lines": [], "sound": False, "has_images": bool(boxes), "image_boxes": boxes}
    if not text_page:
        return {**layer, "reason": "its text cannot be read"}
    try:
        count = pdfium.FPDFText_CountChars(text_page)
        if count > MAX_CHARS:
            return {**layer, "reason": f"it has {count} characters, more than {MAX_CHARS}"}
        chars = _Chars(text_page, to_pixels, size, covering).read(max(count, 0))
    finally:
        pdfium.FPDFText_ClosePage(text_page)
    scan = "under an image of the page" if covering else "over a scan" if covered(content, box) >= FULL_PAGE else ""
    reason = distrust(chars, scan)
    lines = build_lines(char for char in chars if not char.outside)
    whole = {**layer, "lines": lines, "sound": not reason, "reason": reason}
    if len(encoded(whole)) > MAX_LAYER:
        return {**layer, "reason": f"its text and places take more than {MAX_LAYER} bytes"}
    return whole


class _Chars:
    """Reads characters one by one; holds the C structures that every call fills."""

    def __init__(self, text_page: Handle, to_pixels: Matrix, size: tuple[int, int], covered_up: bool) -> None:
        self._page = text_page
        self._to_pixels = to_pixels
        self._size = size
        self._covered_up = covered_up
        self._hidden: dict[int, bool] = {}
        self._rect = pdfium.FS_RECTF()
        self._matrix = pdfium.FS_MATRIX()

    def read(self, count: int) -> list[Char]:
        """All characters, surrogate pairs joined, every line break as one line feed."""
        chars: list[Char] = []
        high = 0
        for index in range(count):
            code = pdfium.FPDFText_GetUnicode(self._page, index)
            if 0xD800 <= code < 0xDC00:
                high = code
                continue
            if high and 0xDC00 <= code < 0xE000:
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
            high = 0
            if code == 0x0D or (code == 0 and pdfium.FPDFText_IsGenerated(self._page, index) == 1):
                continue
            chars.append(Char("\n") if code == 0x0A else self._char(index, code))
        return chars

    def _char(self, index: int, code: int) -> Char:
        text = (
            "-" if code in _HYPHENS else chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
        )
        if text.isspace():
            return Char(" ")
        control = code < 0x20 and code not in _HYPHENS
        bad = control or text == "\ufffd" or any(low <= code <= top for low, top in _PRIVATE)
        bad = bad or pdfium.FPDFText_HasUnicodeMapError(self._page, index) == 1
        angle, (left, right, top, bottom), middle = self._place(index)
        outside = not (0 <= middle[0] <= self._size[0] and 0 <= middle[1] <= self._size[1])
        hidden = self._covered_up or self._is_hidden(index)
        return Char(
            "\ufffd" if control else text,
            angle,
            left,
            right,
            top,
            bottom,
            bad,
            hidden,
            outside,
        )

    def _is_hidden(self, index: int) -> bool:
        item = pdfium.FPDFText_GetTextObject(self._page, index)
        if not item:
            return False
        address = ctypes.addressof(item.contents)
        if address not in self._hidden:
            self._hidden[address] = is_hidden(item)
        return self._hidden[address]

    def _place(self, index: int) -> tuple[float, Box, tuple[float, float]]:
        """Angle; extent along and across the character's own direction (from, to, from, to); its middle; in pixels."""
        rect, matrix, to_pixels = self._rect, self._matrix, self._to_pixels
        if not pdfium.FPDFText_GetLooseCharBox(self._page, index, rect):
            rect.left = rect.right = rect.top = rect.bottom = 0.0
        x0, y0 = apply(to_pixels, rect.left, rect.top)
        x1, y1 = apply(to_pixels, rect.right, rect.bottom)
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        width, height = abs(x1 - x0), abs(y1 - y0)
        angle, size = 0.0, 0.0
        if pdfium.FPDFText_GetMatrix(self._page, index, matrix):
            a, b, c, d, _, _ = to_pixels
            angle = math.degrees(math.atan2(matrix.a * b + matrix.b * d, matrix.a * a + matrix.b * c))
            size = math.hypot(matrix.c * a + matrix.d * c, matrix.c * b + matrix.d * d)
            size *= pdfium.FPDFText_GetFontSize(self._page, index)
        straight = 90.0 * round(angle / 90.0)
        angle = straight if abs(angle - straight) <= SNAP else angle
        along, across = _sides(width, height, math.radians(angle), size)
        cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        u, v = middle[0] * cosine + middle[1] * sine, middle[1] * cosine - middle[0] * sine
        return angle, (u - along / 2, u + along / 2, v - across / 2, v + across / 2), middle


def _sides(width: float, height: float, angle: float, size: float) -> tuple[float, float]:
    """Sides of a turned box from the upright box around it; near 45° the font size stands in for the height."""
    cosine, sine = abs(math.cos(angle)), abs(math.sin(angle))
    if abs(cosine**2 - sine**2) > SOLVABLE:
        across = (height * cosine - width * sine) / (cosine**2 - sine**2)
        along = (width * cosine - height * sine) / (cosine**2 - sine**2)
        if along >= 0 and across >= 0:
            return along, across
    across = size
    along = (width - across * sine) / cosine if cosine > sine else (height - across * cosine) / sine
    return max(along, 0.0), across
