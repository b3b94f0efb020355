"""hOCR 1.2 (http://kba.github.io/hocr-spec/1.2/) as XHTML."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

from shizi.export.base import Original, encode
from shizi.export.paragraphs import bounds, paragraphs
from shizi.export.pieces import Piece, pieces, printable
from shizi.types import Document, Line, Page, Polygon

CAPABILITIES = "ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_poly"
_DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
)


def render(document: Document, original: Original | None = None) -> bytes:  # noqa: ARG001 (as all exporters)
    """hOCR with pages, areas, lines and words; the text's angle counts counter-clockwise there."""
    html = ET.Element("html", {"xmlns": "http://www.w3.org/1999/xhtml"})
    head = ET.SubElement(html, "head")
    ET.SubElement(head, "title").text = "OCR"
    ET.SubElement(head, "meta", {"http-equiv": "Content-Type", "content": "text/html; charset=utf-8"})
    about = {
        "ocr-system": "shizi",
        "ocr-capabilities": CAPABILITIES,
        "ocr-number-of-pages": str(len(document.pages)),
    }
    for name, content in about.items():
        ET.SubElement(head, "meta", {"name": name, "content": content})
    body = ET.SubElement(html, "body")
    for page in document.pages:
        _add_page(body, page)
    return encode(_DOCTYPE + ET.tostring(html, encoding="unicode") + "\n")


def _add_page(body: ET.Element, page: Page) -> None:
    title = f"bbox 0 0 {page.width} {page.height}; ppageno {page.number - 1}"
    division = _add(body, "div", "ocr_page", f"page_{page.number}", title)
    lines = 0
    words = 0
    for index, group in enumerate(paragraphs(page), start=1):
        box = _bbox(tuple(point for line in group for point in line.polygon), page)
        area = _add(division, "div", "ocr_carea", f"area_{page.number}_{index}", box)
        paragraph = _add(area, "p", "ocr_par", f"par_{page.number}_{index}", box)
        for line in group:
            lines += 1
            span = _add(paragraph, "span", "ocr_line", f"line_{page.number}_{lines}", _line_title(line, page))
            for piece in pieces(line):
                words += 1
                _add_word(span, piece, f"word_{page.number}_{words}", page)


def _add(parent: ET.Element, tag: str, kind: str, name: str, title: str) -> ET.Element:
    """An element on a line of its own."""
    element = ET.SubElement(parent, tag, {"class": kind, "id": name, "title": title})
    element.tail = "\n"
    return element


def _add_word(span: ET.Element, piece: Piece, name: str, page: Page) -> None:
    confidence = round(100 * min(max(piece.score, 0.0), 1.0))
    title = f"{_bbox(piece.polygon, page)}; x_wconf {confidence}"
    word = ET.SubElement(span, "span", {"class": "ocrx_word", "id": name, "title": title})
    word.text = printable(piece.text)
    word.tail = " " if piece.space_after else None


def _line_title(line: Line, page: Page) -> str:
    title = _bbox(line.polygon, page)
    turned = -line.angle % 360
    if round(turned, 2) % 360:
        corners = " ".join(f"{x:.0f} {y:.0f}" for x, y in _clamped(line.polygon, page))
        title += f"; poly {corners}; textangle {turned:.2f}"
    return title


def _bbox(polygon: Polygon, page: Page) -> str:
    """The whole pixels that a polygon touches; hOCR knows no others."""
    box = bounds(_clamped(polygon, page))
    return f"bbox {math.floor(box.left)} {math.floor(box.top)} {math.ceil(box.right)} {math.ceil(box.bottom)}"


def _clamped(polygon: Polygon, page: Page) -> Polygon:
    return tuple((min(max(x, 0.0), page.width), min(max(y, 0.0), page.height)) for x, y in polygon)
