"""ALTO 4.4 (https://www.loc.gov/standards/alto/), measured in pixels."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from shizi.export.base import Original, encode
from shizi.export.paragraphs import Box, bounds, paragraphs
from shizi.export.pdf.writer import number
from shizi.export.pieces import Piece, pieces
from shizi.types import Document, Line, ModelInfo, Page, Polygon

NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
SCHEMA = "https://www.loc.gov/standards/alto/v4/alto-4-4.xsd"
_SLANT = 0.5  # pixels by which a corner may be off its bounding box before the polygon is written


def render(document: Document, original: Original | None = None) -> bytes:  # noqa: ARG001 (as all exporters)
    """ALTO with one block per paragraph; rotations count counter-clockwise there."""
    root = ET.Element(
        "alto",
        {
            "xmlns": NAMESPACE,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{NAMESPACE} {SCHEMA}",
            "SCHEMAVERSION": "4.4",
        },
    )
    description = ET.SubElement(root, "Description")
    ET.SubElement(description, "MeasurementUnit").text = "pixel"
    # The name of the file is not known here; the element stays, because readers look for it.
    ET.SubElement(ET.SubElement(description, "sourceImageInformation"), "fileName")
    _add_processing(description, document.models)
    layout = ET.SubElement(root, "Layout")
    for index, page in enumerate(document.pages, start=1):
        _add_page(layout, page, index)
    ET.indent(root, " ")
    return encode('<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n")


def _add_processing(description: ET.Element, models: tuple[ModelInfo, ...]) -> None:
    step = ET.SubElement(description, "Processing", {"ID": "OCR"})
    ET.SubElement(step, "processingCategory").text = "contentGeneration"
    if models:
        settings = "; ".join(f"{model.task}: {model.name} {model.version}" for model in models)
        ET.SubElement(step, "processingStepSettings").text = settings
    ET.SubElement(ET.SubElement(step, "processingSoftware"), "softwareName").text = "shizi"


def _add_page(layout: ET.Element, page: Page, index: int) -> None:
    size = {"WIDTH": str(page.width), "HEIGHT": str(page.height)}
    attributes = {"ID": f"P{index}", "PHYSICAL_IMG_NR": str(page.number), **size}
    if page.angle:
        attributes["ROTATION"] = str(-page.angle % 360)
    element = ET.SubElement(layout, "Page", attributes)
    space = ET.SubElement(element, "PrintSpace", {"ID": f"P{index}_S", "HPOS": "0", "VPOS": "0", **size})
    count = 0
    for order, group in enumerate(paragraphs(page), start=1):
        box = bounds(tuple(point for line in group for point in line.polygon))
        rotation = _number(-group[0].angle % 360)
        # Always given: a block without it would have the page's rotation.
        block = ET.SubElement(space, "TextBlock", {"ID": f"P{index}_B{order}", **_place(box), "ROTATION": rotation})
        for line in group:
            count += 1
            _add_line(block, line, f"P{index}_L{count}")


def _add_line(block: ET.Element, line: Line, name: str) -> None:
    attributes = {"ID": name, **_place(bounds(line.polygon))}
    if line.vertical:
        attributes["BASEDIRECTION"] = "ttb"
    element = ET.SubElement(block, "TextLine", attributes)
    _add_shape(element, line.polygon)
    # The schema wants a string in each line, also where only detection was asked for.
    words = pieces(line) or [Piece("", line.polygon, line.score, False)]
    for index, word in enumerate(words, start=1):
        box = _place(bounds(word.polygon))
        confidence = f"{min(max(word.score, 0.0), 1.0):.4f}"
        string = {"ID": f"{name}_W{index}", **box, "CONTENT": word.text, "WC": confidence}
        _add_shape(ET.SubElement(element, "String", string), word.polygon)
        if word.space_after and index < len(words):
            ET.SubElement(element, "SP")


def _add_shape(element: ET.Element, polygon: Polygon) -> None:
    box = bounds(polygon)
    straight = all(
        min(abs(x - box.left), abs(x - box.right)) <= _SLANT and min(abs(y - box.top), abs(y - box.bottom)) <= _SLANT
        for x, y in polygon
    )
    if not straight:
        points = " ".join(f"{_number(x)},{_number(y)}" for x, y in polygon)
        ET.SubElement(ET.SubElement(element, "Shape"), "Polygon", {"POINTS": points})


def _place(box: Box) -> dict[str, str]:
    return {
        "HPOS": _number(box.left),
        "VPOS": _number(box.top),
        "WIDTH": _number(box.right - box.left),
        "HEIGHT": _number(box.bottom - box.top),
    }


def _number(value: float) -> str:
    return number(value, 2)
