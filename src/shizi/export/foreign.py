"""Documents that come from outside: what no reading could have given is refused before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from shizi.errors import ImageTooLarge, InvalidRequest
from shizi.export.grid import check_table
from shizi.export.json_reading import from_json
from shizi.types import Document, Page, Polygon

if TYPE_CHECKING:
    from shizi.imaging.limits import Limits

LARGEST_COORDINATE: Final = 1e7  # pixels
LARGEST_NUMBER: Final = 1_000_000  # of a page


def document_of(data: bytes, limits: Limits) -> Document:
    """The document that a JSON text of the schema "shizi/1" holds.

    Args:
        data: the text.
        limits: of the documents that are read here.

    Raises:
        ImageTooLarge: it has more pages or words than could be read here.
        InvalidRequest: it is no such text, or holds what no reading gives; the message says where.
    """
    document = from_json(data)
    if len(document.pages) > limits.max_pages:
        raise ImageTooLarge(
            f"the document has {len(document.pages)} pages, the limit (max_pages) is {limits.max_pages}: send fewer"
        )
    words = sum(max(len(line.words), 1) for page in document.pages for line in page.lines)
    if words > limits.max_words:
        raise ImageTooLarge(
            f"the document has {words} words, the limit (max_words) is {limits.max_words}: send fewer pages"
        )
    for before, after in pairwise(document.pages):
        if after.number <= before.number:
            raise InvalidRequest(f"document.pages: page {after.number} comes after page {before.number}; sort them")
    for index, page in enumerate(document.pages):
        _check(page, f"document.pages[{index}]", limits)
    return document


def _check(page: Page, where: str, limits: Limits) -> None:
    if not 1 <= page.number <= LARGEST_NUMBER:
        raise InvalidRequest(f"{where}.number: is {page.number}; allowed are 1 to {LARGEST_NUMBER}")
    for name, side in (("width", page.width), ("height", page.height)):
        if not 1 <= side <= limits.max_side:
            raise InvalidRequest(f"{where}.{name}: is {side}; allowed are 1 to {limits.max_side} (max_side) pixels")
    for name, polygon in _polygons(page):
        if len(polygon) < 3 or any(abs(value) > LARGEST_COORDINATE for point in polygon for value in point):
            raise InvalidRequest(
                f"{where}.{name}.polygon: three corners or more, of at most {LARGEST_COORDINATE:.0f} pixels, are expected"
            )
    for index, line in enumerate(page.lines):
        if not -360 <= line.angle <= 360:
            raise InvalidRequest(f"{where}.lines[{index}].angle: is {line.angle}; allowed are 0 to 360 degrees")
    for table in page.tables:
        check_table(table)


def _polygons(page: Page) -> Iterator[tuple[str, Polygon]]:
    for index, line in enumerate(page.lines):
        yield f"lines[{index}]", line.polygon
        for number, word in enumerate(line.words):
            yield f"lines[{index}].words[{number}]", word.polygon
    for index, table in enumerate(page.tables):
        yield f"tables[{index}]", table.polygon
        for number, cell in enumerate(table.cells):
            yield f"tables[{index}].cells[{number}]", cell.polygon
    for index, field in enumerate(page.fields):
        yield f"fields[{index}]", field.polygon
