"""What a PDF page draws besides text, and how it maps to pixels; runs in the worker, on pdfium's page objects."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as pdfium

MAX_OBJECTS = 50_000
MAX_DEPTH = 8
MAX_BOXES = 1_000  # of unread things; more are told as the one box around them
FULL_PAGE = 0.85  # share of the page that images cover where it is a scan
SMALL_IMAGE = 0.02  # share of the page; a smaller image does not decide on the resolution
MIN_BOX = 8  # pixels; what is smaller in one direction is a rule or a bullet
GLYPH_SEGMENTS = 6  # of a path that could be an outlined letter
GLYPH_PATHS = 10
MIN_SCALE, MAX_SCALE = 1.0, 1200 / 72  # pixels per point of a scan's own resolution

Box = tuple[float, float, float, float]
Handle = Any  # what pdfium hands out: a pointer to something opaque
Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Drawn:
    """An image or a letter-like path: its box in points of the page, and (images) its pixels per point."""

    box: Box
    order: int
    scale: float = 0.0


@dataclass(slots=True)
class Content:
    """What was found on a page; `order` counts objects from back to front."""

    images: list[Drawn] = field(default_factory=list)
    glyphs: list[Drawn] = field(default_factory=list)
    last_text: int = -1
    visible: bool = False  # something besides images is to be seen


def multiply(inner: Matrix, outer: Matrix) -> Matrix:
    """The matrix that first does inner, then outer (PDF's row-vector convention)."""
    a, b, c, d, e, f = inner
    g, h, i, j, k, m = outer
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


def apply(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    """A point through a matrix."""
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def page_to_pixels(page: Handle, width: int, height: int) -> Matrix:
    """The matrix from points of the page to pixels of its rendering, /Rotate and the crop box included."""
    factor = max(1, int(5e8 / max(width, height)))  # PageToDevice answers whole numbers; a huge device makes them exact
    x, y = ctypes.c_int(), ctypes.c_int()

    def point(px: float, py: float) -> tuple[float, float]:
        pdfium.FPDF_PageToDevice(page, 0, 0, width * factor, height * factor, 0, px, py, x, y)
        return x.value / factor, y.value / factor

    (e, f), (ax, ay), (cx, cy) = point(0, 0), point(1, 0), point(0, 1)
    return (ax - e, ay - f, cx - e, cy - f, e, f)


def scan_page(page: Handle) -> Content:
    """Walk over the objects of a page, and of the forms in it."""
    content = Content()
    count = pdfium.FPDFPage_CountObjects(page)
    top = (pdfium.FPDFPage_GetObject(page, index) for index in range(count))
    for order, (item, outer) in enumerate(_objects(top, (1, 0, 0, 1, 0, 0), 0)):
        if order >= MAX_OBJECTS:
            break
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            _add_image(content, item, outer, order)
        elif kind == pdfium.FPDF_PAGEOBJ_TEXT:
            content.last_text = order
            content.visible |= not is_hidden(item)
        elif kind == pdfium.FPDF_PAGEOBJ_PATH:
            _add_path(content, item, outer, order)
    return content


def is_hidden(text_object: Handle) -> bool:
    """Whether a text object paints nothing: render modes 3 (invisible) and 7 (clip only)."""
    mode = pdfium.FPDFTextObj_GetTextRenderMode(text_object)
    return mode in (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)


def covered(content: Content, page_box: Box) -> float:
    """Share of the page that its images cover (overlaps counted once where one image covers all)."""
    area = max((page_box[2] - page_box[0]) * (page_box[3] - page_box[1]), 1e-9)
    return min(sum(_overlap(image.box, page_box) for image in content.images) / area, 1.0)


def own_scale(content: Content, page_box: Box) -> float | None:
    """Pixels per point of a page that is a scan, None for any other page."""
    if covered(content, page_box) < FULL_PAGE:
        return None
    area = (page_box[2] - page_box[0]) * (page_box[3] - page_box[1])
    scales = [image.scale for image in content.images if _overlap(image.box, page_box) >= SMALL_IMAGE * area]
    return min(max(max(scales), MIN_SCALE), MAX_SCALE) if scales else None


def cover_order(content: Content, page_box: Box) -> int:
    """Order of the front-most image that alone covers the page, -1 where there is none."""
    area = (page_box[2] - page_box[0]) * (page_box[3] - page_box[1])
    full = [image.order for image in content.images if _overlap(image.box, page_box) >= FULL_PAGE * area]
    return max(full, default=-1)


def unread_boxes(
    content: Content, annotations: list[Box], to_pixels: Matrix, size: tuple[int, int]
) -> list[list[list[float]]]:
    """Boxes, in pixels, of what only OCR could read: images, outlined letters, annotations."""
    boxes = [image.box for image in content.images] + annotations
    if len(content.glyphs) >= GLYPH_PATHS:
        boxes += _merged([glyph.box for glyph in content.glyphs])
    if len(boxes) > MAX_BOXES:
        boxes = _merged(boxes)
    quads = []
    for left, bottom, right, top in boxes:
        corners = [apply(to_pixels, x, y) for x, y in ((left, bottom), (right, bottom), (right, top), (left, top))]
        x0, x1 = (min(max(value, 0.0), size[0]) for value in (min(x for x, _ in corners), max(x for x, _ in corners)))
        y0, y1 = (min(max(value, 0.0), size[1]) for value in (min(y for _, y in corners), max(y for _, y in corners)))
        if x1 - x0 >= MIN_BOX and y1 - y0 >= MIN_BOX:
            quads.append([[round(x, 2), round(y, 2)] for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))])
    return quads


def annotation_boxes(page: Handle) -> list[Box]:
    """Boxes, in points, of annotations that draw something of their own; links and pop-ups do not."""
    boxes: list[Box] = []
    silent = (pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP, pdfium.FPDF_ANNOT_TEXT)
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), MAX_OBJECTS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        rect = pdfium.FS_RECTF()
        if pdfium.FPDFAnnot_GetSubtype(annotation) not in silent and pdfium.FPDFAnnot_GetRect(annotation, rect):
            boxes.append(
                (
                    min(rect.left, rect.right),
                    min(rect.bottom, rect.top),
                    max(rect.left, rect.right),
                    max(rect.bottom, rect.top),
                )
            )
        pdfium.FPDFPage_CloseAnnot(annotation)
    return boxes


def _objects(items: Iterator[Any], outer: Matrix, depth: int) -> Iterator[tuple[Any, Matrix]]:
    for item in items:
        if not item:
            continue
        if pdfium.FPDFPageObj_GetType(item) != pdfium.FPDF_PAGEOBJ_FORM:
            yield item, outer
        elif depth < MAX_DEPTH:
            inside = (
                pdfium.FPDFFormObj_GetObject(item, index) for index in range(pdfium.FPDFFormObj_CountObjects(item))
            )
            yield from _objects(inside, multiply(_matrix(item), outer), depth + 1)


def _matrix(item: Handle) -> Matrix:
    found = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(item, found):
        return (1, 0, 0, 1, 0, 0)
    return (found.a, found.b, found.c, found.d, found.e, found.f)


def _box(matrix: Matrix, left: float, bottom: float, right: float, top: float) -> Box:
    corners = [apply(matrix, x, y) for x, y in ((left, bottom), (right, bottom), (right, top), (left, top))]
    return (
        min(x for x, _ in corners),
        min(y for _, y in corners),
        max(x for x, _ in corners),
        max(y for _, y in corners),
    )


def _add_image(content: Content, item: Handle, outer: Matrix, order: int) -> None:
    matrix = multiply(_matrix(item), outer)
    width, height = ctypes.c_uint(), ctypes.c_uint()
    if not pdfium.FPDFImageObj_GetImagePixelSize(item, width, height):
        return
    across, up = math.hypot(matrix[0], matrix[1]), math.hypot(matrix[2], matrix[3])
    scale = max(width.value / across if across else 0.0, height.value / up if up else 0.0)
    content.images.append(Drawn(_box(matrix, 0, 0, 1, 1), order, scale))


def _add_path(content: Content, item: Handle, outer: Matrix, order: int) -> None:
    content.visible = True
    segments = pdfium.FPDFPath_CountSegments(item)
    if segments < GLYPH_SEGMENTS:
        return
    values = [ctypes.c_float() for _ in range(4)]
    if pdfium.FPDFPageObj_GetBounds(item, *values):
        content.glyphs.append(Drawn(_box(outer, *(value.value for value in values)), order))


def _overlap(box: Box, page: Box) -> float:
    width = min(box[2], page[2]) - max(box[0], page[0])
    height = min(box[3], page[3]) - max(box[1], page[1])
    return width * height if width > 0 and height > 0 else 0.0


def _merged(boxes: list[Box]) -> list[Box]:
    return [(min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))]
